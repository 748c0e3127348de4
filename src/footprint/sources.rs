//! The sources of the compiled-in figures, for pages and commands; `data/README.md` has every
//! detail.

/// One source, as its licence wants it named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// What is taken from it, in English.
    pub what: &'static str,
    /// Whom to name.
    pub name: &'static str,
    /// The licence, or why none is needed.
    pub licence: &'static str,
}

/// Everybody who has to be named where scores are shown, and the public-domain sources with them.
pub const SOURCES: &[Source] = &[
    Source {
        what: "factors outside Europe",
        name: "US EPA, Supply Chain Greenhouse Gas Emission Factors v1.3; US BEA input-output tables 2017",
        licence: "public domain",
    },
    Source {
        what: "factors of 30 European countries, and of imports",
        name: "FIGARO monetary emission factors, Ecodex, computed from Eurostat data (FIGARO tables, 2026 edition; emission accounts released in January 2026), rounded, combined and converted to card prices by us",
        licence: "CC BY 4.0",
    },
    Source {
        what: "factors of France",
        name: "SDES / Insee, GES.501, 2023",
        licence: "Open Licence 2.0",
    },
    Source {
        what: "petrol, diesel and gas, when burnt",
        name: "US EPA, GHG Emission Factors Hub",
        licence: "public domain",
    },
    Source {
        what: "petrol, diesel and gas, before they are burnt",
        name: "DCCEEW, Australian National Greenhouse Accounts Factors 2025",
        licence: "CC BY 4.0",
    },
    Source {
        what: "electricity",
        name: "Our World in Data, Carbon intensity of electricity, from Ember and Energy Institute",
        licence: "CC BY 4.0",
    },
    Source {
        what: "exchange rates",
        name: "European Central Bank, euro foreign exchange reference rates",
        licence: "free reuse with the source named, unchanged",
    },
    Source {
        what: "consumer prices",
        name: "US BLS, CPI-U CUUR0000SA0",
        licence: "public domain",
    },
    Source {
        what: "energy prices",
        name: "European Commission, Weekly Oil Bulletin; Eurostat, nrg_pc_204; US EIA",
        licence: "CC BY 4.0; reuse with the source named; public domain",
    },
    Source {
        what: "CO2 per head of countries",
        name: "Global Carbon Project, with major processing by Our World in Data",
        licence: "CC BY 4.0",
    },
    Source {
        what: "merchant categories, their baskets and spending areas",
        name: "codes: greggles/mcc-codes; baskets, areas and confidence: ours",
        licence: "Unlicense; as this program",
    },
];
