//! Lengths and patterns of the texts in requests: each is the constant beside the parser.
//!
//! The derive macro of the schemas takes literals only, so [`apply`] adds them afterwards. Texts
//! that only answers have are described in `schemas` itself.

use crate::directory::rules as directory;
use crate::enrolment::{PERSON_NAME, card, profile};
use crate::ids::ClientId;
use crate::issuers::account_range::{ACCOUNT_RANGE_LIST, WRITTEN_ACCOUNT_RANGES};
use crate::issuers::profile as issuer;
use crate::payload::Envelope;
use crate::text_form::TextForm;
use crate::transactions::fields;
use std::ops::RangeInclusive;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Components, Object, ObjectBuilder, Schema};

/// Schema, property, and the form that the property's parser accepts.
const FORMS: &[(&str, &str, TextForm)] = &[
    ("UserProfile", "cardholderName", PERSON_NAME),
    ("UserProfile", "cardNumber", card::CARD_NUMBER),
    ("UserProfile", "cardBaseCurrency", card::CURRENCY_CODE),
    ("UserProfile", "locale", profile::LOCALE),
    ("UpdateUserProfile", "locale", profile::LOCALE),
    ("UpdateUserProfile", "phoneNumber", profile::PHONE_NUMBER),
    ("Email", "type", profile::EMAIL_KIND),
    ("Email", "value", profile::EMAIL),
    ("UserName", "firstName", PERSON_NAME),
    ("UserName", "lastName", PERSON_NAME),
    ("CardExpiry", "month", card::EXPIRY_MONTH),
    ("CardExpiry", "year", card::EXPIRY_YEAR),
    ("Address", "countryCode", profile::COUNTRY_CODE),
    ("Address", "type", profile::ADDRESS_KIND),
    ("Address", "locality", profile::LOCALITY),
    ("Address", "postalCode", profile::POSTAL_CODE),
    ("Address", "state", profile::STATE_OR_CITY),
    ("Address", "city", profile::STATE_OR_CITY),
    ("Address", "line1", profile::ADDRESS_LINE),
    ("Address", "line2", profile::ADDRESS_LINE),
    ("Address", "line3", profile::ADDRESS_LINE),
    ("Transaction", "transactionId", fields::SOURCE_ID),
    ("Transaction", "originalTransactionId", fields::SOURCE_ID),
    ("Transaction", "userid", fields::USER_ID),
    ("Transaction", "cardNumber", card::CARD_NUMBER),
    ("Transaction", "mcc", fields::MCC),
    ("Transaction", "countryISOCode", fields::LETTERS),
    ("Transaction", "merchantName", fields::MERCHANT),
    ("TransactionAmount", "currencyCode", fields::LETTERS),
    (
        "IssuerProfile",
        "clientId",
        TextForm::matching(ClientId::PATTERN),
    ),
    ("IssuerProfile", "customerId", issuer::CUSTOMER_ID),
    (
        "IssuerProfile",
        "supportedAccountRange",
        WRITTEN_ACCOUNT_RANGES,
    ),
    (
        "IssuerProfileDetails",
        "clientId",
        TextForm::matching(ClientId::PATTERN),
    ),
    ("IssuerProfileDetails", "customerId", issuer::CUSTOMER_ID),
    (
        "IssuerProfileDetails",
        "supportedAccountRange",
        WRITTEN_ACCOUNT_RANGES,
    ),
    ("IssuerProfileDetails", "email", issuer::CONTACT_ADDRESS),
    ("IssuerProfileDetails", "currencyCode", card::CURRENCY_CODE),
    ("IssuerProfileDetails", "countryCode", profile::COUNTRY_CODE),
    ("IssuerProfileDetails", "countryName", issuer::COUNTRY_NAME),
    (
        "IssuerConfiguration",
        "supportedAccountRange",
        ACCOUNT_RANGE_LIST,
    ),
    (
        "IssuerConfiguration",
        "termsAndConditionURL",
        issuer::WEB_URL,
    ),
    ("IssuerConfiguration", "privacyNoticeURL", issuer::WEB_URL),
    ("IssuerConfiguration", "optOutURL", issuer::WEB_URL),
    ("DirectoryRecordChange", "username", directory::USERNAME),
    ("DirectoryRecordChange", "name", directory::DISPLAY_NAME),
    ("DirectoryRecordChange", "email", directory::EMAIL),
    ("DirectoryRecordChange", "user_id", directory::USER_ID),
    ("DirectoryReplacement", "lastName", directory::NAME_PART),
    ("DirectoryReplacement", "firstName", directory::NAME_PART),
    ("DirectoryReplacement", "email", directory::EMAIL),
];

/// Schema, property, and its length in an encrypted envelope.
const LENGTHS: &[(&str, &str, RangeInclusive<usize>)] = &[
    ("JweRequest", "encryptedData", Envelope::DATA_LENGTH),
    ("FieldLevelRequest", "encryptedData", Envelope::DATA_LENGTH),
    ("FieldLevelRequest", "encryptedKey", Envelope::KEY_LENGTH),
    (
        "FieldLevelRequest",
        "publicKeyFingerprint",
        Envelope::FINGERPRINT_LENGTH,
    ),
];

/// Adds the limits to the schemas of the document.
pub(super) fn apply(components: &mut Components) {
    for (schema, name, form) in FORMS {
        if let Some(property) = property(components, schema, name) {
            if let Some((least, most)) = form.lengths {
                (property.min_length, property.max_length) = (Some(least), Some(most));
            }
            property.pattern = form.pattern.map(str::to_owned);
        }
    }
    for (schema, name, length) in LENGTHS {
        if let Some(property) = property(components, schema, name) {
            property.min_length = Some(*length.start()).filter(|least| *least > 0);
            property.max_length = Some(*length.end());
        }
    }
}

/// A schema of texts of this form.
pub(super) fn limited(text: ObjectBuilder, form: &TextForm) -> ObjectBuilder {
    text.min_length(form.lengths.map(|(least, _)| least))
        .max_length(form.lengths.map(|(_, most)| most))
        .pattern(form.pattern)
}

fn property<'a>(
    components: &'a mut Components,
    schema: &str,
    name: &str,
) -> Option<&'a mut Object> {
    let RefOr::T(Schema::Object(schema)) = components.schemas.get_mut(schema)? else {
        return None;
    };
    match schema.properties.get_mut(name)? {
        RefOr::T(Schema::Object(property)) => Some(property),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::describe;
    use crate::http::routes;

    #[test]
    fn every_row_names_a_text_of_the_document() {
        let mut components = describe(&routes::PUBLIC, &[]).components.unwrap();
        let rows = FORMS.iter().map(|(schema, name, _)| (schema, name));
        let rows = rows.chain(LENGTHS.iter().map(|(schema, name, _)| (schema, name)));
        for (schema, name) in rows {
            let property = property(&mut components, schema, name).unwrap();
            let limits = property.max_length.is_some() || property.pattern.is_some();
            assert!(limits, "{schema}.{name}");
        }
    }
}
