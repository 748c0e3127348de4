//! The languages that the view speaks, and how a wish becomes one of them.

/// A language with its forms of numbers and dates. The three Spanish ones share their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en-US`, also where nothing else fits.
    EnUs,
    /// `es-419`
    Es419,
    /// `es-CL`
    EsCl,
    /// `es-CR`
    EsCr,
    /// `sv`
    Sv,
    /// `pl-PL`
    PlPl,
    /// `ms-MY`
    MsMy,
    /// `en-XA`: English with accents, and longer, to see what a layout bears.
    EnXa,
}

/// How many texts there are: one catalogue serves all Spanish tags.
pub(super) const CATALOGUES: usize = 6;

impl Language {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EnUs,
        Self::Es419,
        Self::EsCl,
        Self::EsCr,
        Self::Sv,
        Self::PlPl,
        Self::MsMy,
        Self::EnXa,
    ];

    /// Those of the footer, one for each catalogue, with their names in themselves.
    pub const OFFERED: [(Self, &'static str); 5] = [
        (Self::EnUs, "English"),
        (Self::Es419, "Español"),
        (Self::MsMy, "Bahasa Melayu"),
        (Self::PlPl, "Polski"),
        (Self::Sv, "Svenska"),
    ];

    /// The tag (BCP 47), as URLs and `<html lang>` carry it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::EnUs => "en-US",
            Self::Es419 => "es-419",
            Self::EsCl => "es-CL",
            Self::EsCr => "es-CR",
            Self::Sv => "sv",
            Self::PlPl => "pl-PL",
            Self::MsMy => "ms-MY",
            Self::EnXa => "en-XA",
        }
    }

    /// One byte in a token.
    pub(super) fn number(self) -> u8 {
        Self::ALL
            .iter()
            .position(|other| *other == self)
            .and_then(|at| u8::try_from(at).ok())
            .unwrap_or_default()
    }

    /// From [`Language::number`].
    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Which catalogue it reads.
    pub(super) fn catalogue(self) -> usize {
        match self {
            Self::EnUs => 0,
            Self::Es419 | Self::EsCl | Self::EsCr => 1,
            Self::Sv => 2,
            Self::PlPl => 3,
            Self::MsMy => 4,
            Self::EnXa => 5,
        }
    }

    /// Whether both have the same texts.
    pub fn reads_as(self, other: Self) -> bool {
        self.catalogue() == other.catalogue()
    }

    /// The language of a wish like `sv`, `es-cl`, `es_CL.UTF-8` or `en-GB`: the tag itself, else
    /// the nearest one. `None` if nobody here speaks it.
    pub fn parse(wish: &str) -> Option<Self> {
        let tag = wish.split(['.', '@', ';']).next().unwrap_or_default();
        let tag = tag.trim().replace('_', "-");
        let whole = Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(&tag));
        let base = tag.split('-').next().unwrap_or_default();
        whole.or_else(|| match base.to_ascii_lowercase().as_str() {
            "en" => Some(Self::EnUs),
            "es" => Some(Self::Es419),
            "sv" => Some(Self::Sv),
            "pl" => Some(Self::PlPl),
            "ms" => Some(Self::MsMy),
            _ => None,
        })
    }

    /// [`Language::parse`], and English where nothing fits: a wish is never refused.
    pub fn nearest(wish: Option<&str>) -> Self {
        wish.and_then(Self::parse).unwrap_or(Self::EnUs)
    }

    /// Out of an `Accept-Language`: the first that is spoken here, in the order of the list.
    pub fn accepted(list: Option<&str>) -> Self {
        let wishes = list.unwrap_or_default().split(',').take(20);
        wishes.filter_map(Self::parse).next().unwrap_or(Self::EnUs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wish_finds_a_language() {
        for (wish, tag) in [
            ("en-US", "en-US"),
            ("SV", "sv"),
            ("sv-SE", "sv"),
            ("es-cl", "es-CL"),
            ("es-CR", "es-CR"),
            ("es-MX", "es-419"),
            ("es", "es-419"),
            ("pl", "pl-PL"),
            ("ms", "ms-MY"),
            ("en_US.UTF-8", "en-US"),
            ("C.UTF-8", "en-US"),
            ("sv_SE@euro", "sv"),
            ("de", "en-US"),
            ("", "en-US"),
            ("../../etc", "en-US"),
        ] {
            assert_eq!(Language::nearest(Some(wish)).tag(), tag, "{wish}");
        }
        assert_eq!(Language::nearest(None), Language::EnUs);
        let list = Some("de-DE,de;q=0.9, pl;q=0.8,en;q=0.7");
        assert_eq!(Language::accepted(list), Language::PlPl);
    }

    #[test]
    fn a_number_is_a_language() {
        for language in Language::ALL {
            assert_eq!(Language::from_number(language.number()), Some(language));
        }
        assert_eq!(Language::from_number(8), None);
    }
}
