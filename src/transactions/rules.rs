//! The clear body of `POST /issuers/transactions`: `{"transactions": [item, ...]}` (scoring.md
//! 12.1).
//!
//! A body that is not of this form is refused as a whole. An item that breaks a rule is refused
//! alone, with all rules that it breaks.

use super::fields;
use super::item::{Brand, Holder, Item};
use crate::enrolment::card::Pan;
use crate::footprint::Money;
use crate::ids::CardholderId;
use crate::issuers::Issuer;
use crate::json::Object;
use crate::violation::Violation;
use fields::Rule;
use serde_json::{Map, Value};

/// Most items of a call (the Carbon Calculator's limit).
pub const MOST_ITEMS: usize = 5_000;

/// An item as it came: what its sender calls it, as far as that can be echoed, and what it is, or
/// the rules that it breaks.
#[derive(Debug)]
pub struct Received {
    /// `transactionId`, if it is a text.
    pub name: Option<String>,
    /// `cardBrand`, to be echoed.
    pub brand: Option<Brand>,
    /// The item, or the rules it breaks.
    pub item: Result<Item, Vec<Violation>>,
}

/// Reads the items.
///
/// # Errors
/// The body has another form, no item, or too many.
pub fn items(body: &Object, issuer: &Issuer) -> Result<Vec<Received>, Vec<Violation>> {
    let invalid = |rule: &'static str| vec![Violation::invalid("transactions", rule)];
    let items = match body.get("transactions") {
        None | Some(Value::Null) => return Err(invalid("is required")),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(invalid("must be an array")),
    };
    if items.is_empty() || items.len() > MOST_ITEMS {
        return Err(invalid("must hold 1 to 5000 items"));
    }
    Ok(items.iter().map(|item| read(item, issuer)).collect())
}

fn read(value: &Value, issuer: &Issuer) -> Received {
    let Value::Object(members) = value else {
        return Received {
            name: None,
            brand: None,
            item: Err(vec![Violation::invalid("", "must be an object")]),
        };
    };
    let name = members.get("transactionId").and_then(Value::as_str);
    let mut reader = Reader {
        members,
        violations: Vec::new(),
    };
    let item = reader.item(issuer);
    Received {
        // An echo is no place for a long text that is no id.
        name: name
            .filter(|name| name.len() <= super::item::SourceId::LONGEST)
            .map(str::to_owned),
        brand: members
            .get("cardBrand")
            .and_then(Value::as_str)
            .and_then(Brand::parse),
        item: item
            .filter(|_| reader.violations.is_empty())
            .ok_or(reader.violations),
    }
}

/// Reads members, and collects every rule that they break; `null` counts as "not sent".
struct Reader<'a> {
    members: &'a Map<String, Value>,
    violations: Vec<Violation>,
}

impl<'a> Reader<'a> {
    fn item(&mut self, issuer: &Issuer) -> Option<Item> {
        let source = self.required("transactionId", fields::source);
        let holder = self.holder();
        let mcc = self.required("mcc", fields::mcc);
        let amount = self.amount();
        let date = self.required("date", |text| fields::date(text, issuer));
        let kind = self.required("indicator", fields::kind);
        let country = self.optional("countryISOCode", fields::country);
        let merchant = self.optional("merchantName", fields::merchant);
        let original = self.optional("originalTransactionId", fields::source);
        let brand = self.optional("cardBrand", |text| {
            Brand::parse(text).ok_or(Rule::Borrowed("must be MA, OTH or NC"))
        });
        let kind = kind?;
        Some(Item {
            source: source?,
            holder: holder?,
            mcc: mcc?,
            amount: fields::signed(kind, amount?),
            fallbacks: Vec::new(),
            date: date?,
            kind,
            country,
            merchant,
            brand,
            original,
            unscored: None,
        })
    }

    fn holder(&mut self) -> Option<Holder> {
        let id = self.optional("userid", |text| {
            CardholderId::parse(text).ok_or(Rule::Borrowed(CardholderId::RULE))
        });
        let card = self.optional("cardNumber", |text| {
            Pan::from_digits(text).ok_or(Rule::Borrowed("must be exactly 16 digits"))
        });
        match (self.sent("userid"), self.sent("cardNumber")) {
            (Some(_), Some(_)) => self.invalid("cardNumber", "must not be sent beside userid"),
            (None, None) => self.invalid("userid", "is required, or cardNumber"),
            _ => id.map(Holder::Id).or(card.map(Holder::Card)),
        }
    }

    /// serde_json keeps numbers as binary doubles. The shortest decimal that names a double is the
    /// number that was sent, if that has at most 15 digits; amounts have 14.
    fn amount(&mut self) -> Option<Money> {
        let members = match self.sent("amount") {
            None => return self.invalid("amount", "is required"),
            Some(Value::Object(members)) => members,
            Some(_) => return self.invalid("amount", "must be an object"),
        };
        let currency = match members.get("currencyCode") {
            None | Some(Value::Null) => self.invalid("amount.currencyCode", "is required"),
            Some(Value::String(text)) => {
                let currency = fields::currency(text);
                self.kept("amount.currencyCode", currency)
            }
            Some(_) => self.invalid("amount.currencyCode", "must be a string"),
        };
        match members.get("value") {
            None | Some(Value::Null) => self.invalid("amount.value", "is required"),
            Some(Value::Number(number)) => {
                let amount = fields::amount(&number.to_string(), currency?);
                self.kept("amount.value", amount)
            }
            Some(_) => self.invalid("amount.value", "must be a number"),
        }
    }

    fn sent(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Rule>,
    ) -> Option<T> {
        if self.sent(name).is_none() {
            return self.invalid(name, "is required");
        }
        self.optional(name, parse)
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Rule>,
    ) -> Option<T> {
        match self.sent(name)? {
            Value::String(text) => {
                let parsed = parse(text);
                self.kept(name, parsed)
            }
            _ => self.invalid(name, "must be a string"),
        }
    }

    fn kept<T>(&mut self, path: &'static str, parsed: Result<T, Rule>) -> Option<T> {
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(rule) => self.invalid(path, rule),
        }
    }

    fn invalid<T>(&mut self, path: &'static str, rule: impl Into<Rule>) -> Option<T> {
        self.violations.push(Violation::invalid(path, rule));
        None
    }
}
