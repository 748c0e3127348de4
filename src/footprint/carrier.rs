//! Energy carriers that are scored by quantity.

use std::fmt;

/// What is burnt or consumed; its unit is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carrier {
    /// Litres.
    Petrol,
    /// Litres.
    Diesel,
    /// Kilowatt-hours.
    NaturalGas,
    /// Kilowatt-hours.
    Electricity,
}

impl Carrier {
    /// All, by [`Carrier::index`].
    pub const ALL: [Self; 4] = [
        Self::Petrol,
        Self::Diesel,
        Self::NaturalGas,
        Self::Electricity,
    ];

    /// From the name that the files use.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.name() == name)
    }

    /// As the files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Petrol => "petrol",
            Self::Diesel => "diesel",
            Self::NaturalGas => "natural_gas",
            Self::Electricity => "electricity",
        }
    }

    /// `litre` or `kWh`.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Petrol | Self::Diesel => "litre",
            Self::NaturalGas | Self::Electricity => "kWh",
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Petrol => 0,
            Self::Diesel => 1,
            Self::NaturalGas => 2,
            Self::Electricity => 3,
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}
