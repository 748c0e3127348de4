//! The texts of the pages, out of Fluent catalogues that are compiled in.
//!
//! A message that a catalogue lacks is the English one, and failing that its own name: a page is
//! never lost for a text. The tests see to it that neither happens.

use super::format::Formats;
use super::language::{CATALOGUES, Language};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::borrow::Cow;
use std::sync::LazyLock;

const ENGLISH: &str = include_str!("texts/en-US.ftl");

/// The texts, in the order of [`Language::catalogue`], and the languages whose plurals they follow.
const SOURCES: [(&str, &str); CATALOGUES] = [
    ("en-US", ENGLISH),
    ("es-419", include_str!("texts/es-419.ftl")),
    ("sv", include_str!("texts/sv.ftl")),
    ("pl", include_str!("texts/pl-PL.ftl")),
    ("ms", include_str!("texts/ms-MY.ftl")),
    ("en-XA", ENGLISH),
];

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    SOURCES
        .into_iter()
        .map(|(tag, text)| bundle(tag, text))
        .collect()
});

fn bundle(tag: &str, text: &str) -> Bundle {
    let locales = tag.parse().into_iter().collect();
    let mut bundle = Bundle::new_concurrent(locales);
    // All languages here are written from left to right.
    bundle.set_use_isolating(false);
    if tag == "en-XA" {
        bundle.set_transform(Some(accented));
    }
    let resource = match FluentResource::try_new(text.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    bundle.add_resource_overriding(resource);
    bundle
}

/// About 40 % longer, and with accents.
fn accented(text: &str) -> Cow<'_, str> {
    let mut long = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        long.push(match c {
            'a' => 'á',
            'c' => 'ç',
            'e' => 'ë',
            'i' => 'í',
            'n' => 'ñ',
            'o' => 'ö',
            'u' => 'ü',
            'A' => 'Å',
            'E' => 'É',
            'O' => 'Ø',
            other => other,
        });
        // So many letters twice: about what a longer language adds.
        match c {
            'a' => long.push('á'),
            'e' => long.push('ë'),
            'i' => long.push('í'),
            'o' => long.push('ö'),
            'u' => long.push('ü'),
            'n' | 'r' | 's' => long.push(c),
            _ => {}
        }
    }
    Cow::Owned(long)
}

/// One language: its texts and its forms of numbers.
#[derive(Clone, Copy)]
pub struct Words {
    language: Language,
    /// How it writes numbers, dates and money.
    pub formats: &'static Formats,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.language.tag())
    }
}

impl Words {
    /// Of a language.
    pub fn of(language: Language) -> Self {
        Self {
            language,
            formats: Formats::of(language),
        }
    }

    /// Whose they are.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The tag for `<html lang>`.
    pub fn tag(&self) -> &'static str {
        self.language.tag()
    }

    /// A message without placeholders.
    pub fn t(&self, id: &str) -> String {
        self.message(id, None)
    }

    /// A message with texts in its placeholders.
    pub fn with(&self, id: &str, texts: &[(&'static str, &str)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, text) in texts {
            arguments.set(*name, FluentValue::from(*text));
        }
        self.message(id, Some(&arguments))
    }

    /// A message that depends on a number: it chooses the form, `$shown` is the number written out.
    pub fn count(&self, id: &str, number: i64, texts: &[(&'static str, &str)]) -> String {
        let shown = self.formats.integer(number);
        let mut arguments = FluentArgs::new();
        arguments.set("count", FluentValue::from(number));
        arguments.set("shown", FluentValue::from(shown.as_str()));
        for (name, text) in texts {
            arguments.set(*name, FluentValue::from(*text));
        }
        self.message(id, Some(&arguments))
    }

    fn message(&self, id: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let own = BUNDLES.get(self.language.catalogue());
        let english = BUNDLES.first();
        own.into_iter()
            .chain(english)
            .find_map(|bundle| {
                let pattern = bundle.get_message(id)?.value()?;
                let text = bundle.format_pattern(pattern, arguments, &mut Vec::new());
                Some(text.into_owned())
            })
            .unwrap_or_else(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests;
