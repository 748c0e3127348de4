//! Request and answer of enrolment and update, in clear (cce-api.md 3.1 to 3.3; spec decision 3).

use crate::enrolment::terminate::MOST_USER_IDS;
use crate::ids::CardholderId;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A card and its holder. Unknown members are ignored; `null` means "not sent".
///
/// For issuers with the donation feature on, `name`, `billingAddress` and `locale` are required
/// too.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UserProfile {
    /// Always required.
    pub email: Email,
    /// Required with the donation feature on.
    pub name: Option<UserName>,
    /// First name, blank, last name, as on the card: letters A to Z, digits, apostrophes, commas
    /// and blanks; for issuers set so, all letters, hyphens and periods.
    #[schema(examples("John Doe"))]
    pub cardholder_name: String,
    /// 16 digits with a correct check digit, within one of the issuer's account ranges.
    #[schema(examples("5344035171224363"))]
    pub card_number: String,
    /// An ISO 4217 currency in use.
    #[schema(examples("EUR"))]
    pub card_base_currency: String,
    /// Not in the past.
    pub expiry_info: CardExpiry,
    /// Required with the donation feature on.
    pub billing_address: Option<Address>,
    /// Required with the donation feature on.
    #[schema(examples("en-US"))]
    pub locale: Option<String>,
}

/// What changes of a cardholder. What is not sent stays as it is.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UpdateUserProfile {
    /// The name.
    pub name: UserName,
    /// The locale.
    #[schema(examples("en-US"))]
    pub locale: String,
    /// Replaces the whole stored address.
    pub billing_address: Option<Address>,
    /// Replaces the stored e-mail address.
    pub email: Option<Email>,
    /// In E.164 form.
    #[schema(examples("+12025550123"))]
    pub phone_number: Option<String>,
}

/// An e-mail address.
#[derive(ToSchema)]
pub struct Email {
    /// What it is for.
    #[schema(rename = "type", examples("home"))]
    pub kind: Option<String>,
    /// `local@domain.tld`
    #[schema(examples("John.Doe@mail.com"))]
    pub value: String,
}

/// A name: letters A to Z, digits, apostrophes and commas, at least one letter; for issuers set so,
/// all letters, blanks, hyphens and periods.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UserName {
    /// The first name.
    #[schema(examples("John"))]
    pub first_name: String,
    /// The last name.
    #[schema(examples("Doe"))]
    pub last_name: String,
}

/// The month through whose last day the card is valid.
#[derive(ToSchema)]
pub struct CardExpiry {
    /// `01` to `12`.
    #[schema(examples("10"))]
    pub month: String,
    /// Four digits.
    #[schema(examples("2039"))]
    pub year: String,
}

/// A billing address.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Address {
    /// ISO 3166-1 alpha-3.
    #[schema(examples("USA"))]
    pub country_code: String,
    /// `home`, `work`, …
    #[schema(rename = "type", examples("work"))]
    pub kind: String,
    /// The neighbourhood.
    #[schema(examples("Rly Station"))]
    pub locality: Option<String>,
    /// Letters, digits and blanks, not only blanks.
    #[schema(examples("11746"))]
    pub postal_code: Option<String>,
    /// State, region or province.
    #[schema(examples("New York"))]
    pub state: Option<String>,
    /// The city.
    #[schema(examples("Brooklyn"))]
    pub city: Option<String>,
    /// A street line.
    #[schema(examples("83 Mayfair Street"))]
    pub line1: Option<String>,
    /// A street line.
    pub line2: Option<String>,
    /// A street line.
    pub line3: Option<String>,
}

/// An enrolled card.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UserReference {
    /// The id to keep.
    #[schema(pattern = "^[0-9a-f-]{36}$", min_length = 36, max_length = 36)]
    pub userid: String,
    /// The last four digits of the card number.
    #[schema(pattern = "^[0-9]{4}$")]
    pub card_number_last_four_digits: String,
    /// Always `ACTIVE`.
    #[schema(pattern = "^ACTIVE$")]
    pub status: String,
}

/// A list of user ids.
pub struct UserIds;

impl PartialSchema for UserIds {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(CardholderId::PATTERN));
        ArrayBuilder::new()
            .description(Some(
                "User ids, as enrolment answered them; case does not matter.",
            ))
            .items(id)
            .min_items(Some(1))
            .max_items(Some(MOST_USER_IDS))
            .into()
    }
}

impl ToSchema for UserIds {}
