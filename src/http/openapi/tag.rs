//! The headings of the document.

/// Under which heading an operation is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Issuers.
    Issuers,
    /// Cardholders.
    Cardholders,
    /// Transactions, and what of them can be scored.
    Transactions,
    /// The cardholders' web view.
    Dashboard,
    /// The users API.
    Directory,
    /// The gateway itself.
    Service,
}

impl Tag {
    /// All, in the order of the page.
    pub const ALL: [Self; 6] = [
        Self::Issuers,
        Self::Cardholders,
        Self::Transactions,
        Self::Dashboard,
        Self::Directory,
        Self::Service,
    ];

    /// The heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issuers => "issuers",
            Self::Cardholders => "cardholders",
            Self::Transactions => "transactions",
            Self::Dashboard => "dashboard",
            Self::Directory => "directory",
            Self::Service => "service",
        }
    }

    /// A line below it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Issuers => "The calling issuer itself.",
            Self::Cardholders => "Cardholders of the calling issuer.",
            Self::Transactions => "Card transactions and their footprint.",
            Self::Dashboard => {
                "The web view that an issuer's app shows to a cardholder, and the figures behind it. A sealed token says whose."
            }
            Self::Directory => {
                "Plain user profiles of an app. Neither signed nor encrypted; a bearer key says whose."
            }
            Self::Service => "Health, and this document. Not signed.",
        }
    }
}
