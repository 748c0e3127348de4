use super::*;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use icu_plurals::{PluralCategory, PluralRules};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Ids that code builds from a name; the names are checked where they are known.
const BUILT: [&str; 5] = ["area-", "reason-", "unscored-", "carrier-", "confidence-"];

/// Names of classes that look like ids of texts.
const NAMES: [&str; 1] = ["what-if"];

/// Texts of buttons, which must stay short.
const BUTTONS: [&str; 4] = ["month-show", "what-if-show", "intro-done", "keep-open"];

/// Words that look the same in English and in another language.
const SAME: [&str; 12] = [
    "carrier-diesel",
    "category-title",
    "exact-grams",
    "exact-pounds",
    "figure-kg",
    "figure-tonnes",
    "method-versions-heading",
    "payment-factor-value",
    "payment-price-year-value",
    "payment-quantity",
    "unit-kwh",
    "unit-litre",
];

/// Words of verdict, guilt and compensation in each language; whole words, in lower case.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    (
        "en-US",
        &[
            "good", "bad", "sin", "guilt", "guilty", "green", "neutral", "offset", "saved",
        ],
    ),
    (
        "es-419",
        &[
            "bueno",
            "malo",
            "pecado",
            "culpa",
            "verde",
            "neutral",
            "neutro",
            "compensar",
            "salvar",
        ],
    ),
    (
        "sv",
        &[
            "bra",
            "dåligt",
            "synd",
            "skuld",
            "grön",
            "grönt",
            "klimatneutral",
            "kompensera",
            "rädda",
        ],
    ),
    (
        "pl",
        &[
            "dobry",
            "zły",
            "grzech",
            "wina",
            "zielony",
            "neutralny",
            "rekompensata",
            "uratować",
        ],
    ),
    (
        "ms",
        // Not "hijau" (green): greenhouse gases are "gas rumah hijau".
        &[
            "baik",
            "buruk",
            "dosa",
            "bersalah",
            "neutral",
            "mengimbangi",
            "menyelamatkan",
        ],
    ),
];

#[derive(Debug, Default)]
struct Message {
    /// The text of every variant, placeholders as `{name}`.
    variants: Vec<String>,
    /// Names of the variants of a choice.
    keys: BTreeSet<String>,
    placeholders: Vec<BTreeSet<String>>,
}

fn read(source: &str) -> BTreeMap<String, Message> {
    let resource = parser::parse(source).expect("a catalogue parses");
    let entries = resource.body.into_iter().filter_map(|entry| match entry {
        Entry::Message(message) => Some(message),
        _ => None,
    });
    let mut messages = BTreeMap::new();
    for entry in entries {
        let mut message = Message::default();
        message.take(entry.value.as_ref().expect("a message has a value"));
        let twice = messages.insert(entry.id.name.to_owned(), message);
        assert!(twice.is_none(), "{} comes twice", entry.id.name);
    }
    messages
}

impl Message {
    fn take(&mut self, pattern: &Pattern<&str>) {
        let (mut text, mut names) = (String::new(), BTreeSet::new());
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => text += value,
                PatternElement::Placeable { expression } => match expression {
                    Expression::Select { selector, variants } => {
                        assert!(pattern.elements.len() == 1, "a choice is the whole message");
                        let InlineExpression::VariableReference { id } = selector else {
                            panic!("a choice goes by a placeholder");
                        };
                        assert_eq!(id.name, "count");
                        for variant in variants {
                            let key = match &variant.key {
                                fluent_syntax::ast::VariantKey::Identifier { name } => *name,
                                fluent_syntax::ast::VariantKey::NumberLiteral { value } => *value,
                            };
                            self.keys.insert(key.to_owned());
                            self.take(&variant.value);
                        }
                        return;
                    }
                    Expression::Inline(InlineExpression::VariableReference { id }) => {
                        text += &format!("{{{}}}", id.name);
                        names.insert(id.name.to_owned());
                    }
                    Expression::Inline(_) => panic!("placeholders are names"),
                },
            }
        }
        self.variants.push(text);
        self.placeholders.push(names);
    }
}

fn catalogues() -> Vec<(&'static str, BTreeMap<String, Message>)> {
    let all = SOURCES.into_iter().filter(|(tag, _)| *tag != "en-XA");
    all.map(|(tag, source)| (tag, read(source))).collect()
}

#[test]
fn every_language_says_the_same_things() {
    let all = catalogues();
    let (_, english) = &all[0];
    for (tag, catalogue) in &all {
        let ids = |messages: &BTreeMap<String, Message>| -> Vec<String> {
            messages.keys().cloned().collect()
        };
        assert_eq!(ids(catalogue), ids(english), "{tag}");
        for (id, message) in catalogue {
            for names in &message.placeholders {
                assert_eq!(names, &english[id].placeholders[0], "{tag} {id}");
            }
            assert_eq!(
                message.keys.is_empty(),
                english[id].keys.is_empty(),
                "{tag} {id}"
            );
        }
    }
}

#[test]
fn every_plural_of_a_language_has_its_form() {
    for (tag, catalogue) in catalogues() {
        let locale: icu_locale_core::Locale = tag.parse().unwrap();
        let rules = PluralRules::try_new_cardinal((&locale).into()).unwrap();
        let names = rules.categories().map(|category| match category {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        });
        let wanted: BTreeSet<String> = names.map(str::to_owned).collect();
        for (id, message) in catalogue {
            if !message.keys.is_empty() {
                assert_eq!(message.keys, wanted, "{tag} {id}");
            }
        }
    }
}

#[test]
fn plurals_follow_the_number() {
    for (language, number, text) in [
        (Language::EnUs, 0, "0 payments"),
        (Language::EnUs, 1, "1 payment"),
        (Language::EnUs, 2, "2 payments"),
        (Language::Es419, 1, "1 transacción"),
        (Language::Es419, 5, "5 transacciones"),
        (Language::Sv, 1, "1 transaktion"),
        (Language::Sv, 22, "22 transaktioner"),
        (Language::PlPl, 0, "0 transakcji"),
        (Language::PlPl, 1, "1 transakcja"),
        (Language::PlPl, 2, "2 transakcje"),
        (Language::PlPl, 5, "5 transakcji"),
        (Language::PlPl, 12, "12 transakcji"),
        (Language::PlPl, 22, "22 transakcje"),
        (Language::MsMy, 1, "1 transaksi"),
        (Language::MsMy, 5, "5 transaksi"),
    ] {
        assert_eq!(
            Words::of(language).count("payments-count", number, &[]),
            text
        );
    }
}

#[test]
fn nothing_is_left_in_english() {
    let all = catalogues();
    let (_, english) = &all[0];
    for (tag, catalogue) in &all[1..] {
        for (id, message) in catalogue {
            if message.variants == english[id].variants {
                assert!(SAME.contains(&id.as_str()), "{tag} {id} is English");
            }
        }
    }
}

#[test]
fn no_verdicts_no_exclamations_no_markup() {
    for (tag, catalogue) in catalogues() {
        let (_, forbidden) = FORBIDDEN.into_iter().find(|(of, _)| *of == tag).unwrap();
        for (id, message) in catalogue {
            for text in &message.variants {
                assert!(!text.contains(['!', '¡', '<', '>', '&']), "{tag} {id}");
                let lower = text.to_lowercase();
                let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
                for word in forbidden {
                    assert!(!words.contains(word), "{tag} {id}: {word}");
                }
            }
        }
    }
}

#[test]
fn buttons_are_short() {
    for (tag, catalogue) in catalogues() {
        for id in BUTTONS {
            let length = catalogue[id].variants[0].chars().count();
            assert!(length <= 28, "{tag} {id}: {length}");
        }
    }
}

#[test]
fn what_pages_say_exists_and_what_exists_is_said() {
    let mut used = BTreeSet::new();
    sources(Path::new("src/dashboard"), &mut |text| {
        for part in text.split('"').skip(1) {
            used.insert(part.to_owned());
        }
    });
    let english = read(ENGLISH);
    let is_built = |id: &str| BUILT.iter().any(|prefix| id.starts_with(prefix));
    for id in english.keys() {
        let composed = id.starts_with("self-") || is_built(id);
        assert!(used.contains(id) || composed, "nobody says {id}");
    }
    let is_id = |text: &&String| {
        let known = english.keys().any(|id| {
            let group = id.split('-').next().unwrap();
            text.starts_with(&format!("{group}-"))
        });
        known
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_')
    };
    for id in used.iter().filter(is_id) {
        let prefix = is_built(id) || id.ends_with("-h") || NAMES.contains(&id.as_str());
        assert!(english.contains_key(id) || prefix, "there is no text {id}");
    }
}

/// Templates and product code, without the tests.
fn sources(folder: &Path, take: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, take);
        } else if (name.ends_with(".rs") || name.ends_with(".html")) && !name.contains("tests") {
            take(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_area_of_the_built_in_set_has_a_name() {
    let set = crate::footprint::builtin::set().unwrap();
    let english = read(ENGLISH);
    for area in set.areas() {
        assert!(
            english.contains_key(&format!("area-{}", area.id)),
            "{}",
            area.id
        );
    }
}

#[test]
fn the_pseudo_language_is_longer() {
    let (plain, long) = (Words::of(Language::EnUs), Words::of(Language::EnXa));
    let texts = ["intro-estimate", "benchmark-coverage", "method-estimate"];
    for id in texts {
        let (plain, long) = (plain.t(id).chars().count(), long.t(id).chars().count());
        assert!(long * 10 >= plain * 13, "{id}: {plain} to {long}");
    }
    assert!(
        long.with("self-month", &[("month", "May"), ("figure", "1 kg")])
            .contains("May")
    );
}

#[test]
fn a_text_that_nobody_has_is_its_name() {
    assert_eq!(Words::of(Language::Sv).t("no-such-text"), "no-such-text");
}
