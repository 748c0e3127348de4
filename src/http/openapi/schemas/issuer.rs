//! An issuer's own profile, as it reads and changes it (cce-api.md 3.6 to 3.8).

use crate::http::openapi::limits::limited;
use crate::issuers::theme::{self, MOST_OWN_KEYS, OWN_KEY, OWN_VALUE};
use crate::text_form::TextForm;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An issuer's profile.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerProfile {
    /// The part of the consumer key before `!`.
    pub client_id: String,
    /// The network's number of the customer.
    #[schema(nullable = false)]
    pub customer_id: Option<String>,
    /// The starts of the issuer's card numbers, in the order in which they were added.
    #[schema(examples("534403,518145,5403"))]
    pub supported_account_range: String,
    /// Always `ACTIVE`: in every other state a call is refused.
    #[schema(pattern = "^ACTIVE$")]
    pub status: String,
    /// Terms and conditions, if set.
    #[schema(rename = "termsAndConditionURL", nullable = false)]
    pub terms_and_condition_url: Option<String>,
    /// Privacy notice, if set.
    #[schema(rename = "privacyNoticeURL", nullable = false)]
    pub privacy_notice_url: Option<String>,
    /// Where cardholders opt out, if set.
    #[schema(rename = "optOutURL", nullable = false)]
    pub opt_out_url: Option<String>,
    /// What is set, and the defaults of the rest.
    pub preferred_theme: PreferredTheme,
}

/// An issuer's profile, whole.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerProfileDetails {
    /// The part of the consumer key before `!`.
    pub client_id: String,
    /// The network's number of the customer.
    #[schema(nullable = false)]
    pub customer_id: Option<String>,
    /// The starts of the issuer's card numbers, in the order in which they were added.
    #[schema(examples("534403,518145,5403"))]
    pub supported_account_range: String,
    /// Always `ACTIVE`: in every other state a call is refused.
    #[schema(pattern = "^ACTIVE$")]
    pub status: String,
    /// The programme's contact address.
    pub email: String,
    /// ISO 4217.
    pub currency_code: String,
    /// ISO 3166-1 alpha-3.
    pub country_code: String,
    /// The country in words.
    pub country_name: String,
    /// Terms and conditions; empty if never set.
    #[schema(rename = "termsAndConditionURL")]
    pub terms_and_condition_url: String,
    /// Privacy notice; empty if never set.
    #[schema(rename = "privacyNoticeURL")]
    pub privacy_notice_url: String,
    /// Where cardholders opt out; empty if never set.
    #[schema(rename = "optOutURL")]
    pub opt_out_url: String,
    /// What is set, and the defaults of the rest.
    pub preferred_theme: PreferredTheme,
}

/// What an issuer changes of itself; only what is sent changes, and `null` means "not sent".
///
/// A URL is absolute, `http` or `https`, of at most 2083 characters without the white space round
/// it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerConfiguration {
    /// Account ranges to add, 4 to 8 digits each, with commas between them. They must lie where the
    /// operator lets the issuer add ranges, and it can have added 500 at most; what lies in a range
    /// that it has is passed over.
    #[schema(examples("534403, 518145"))]
    pub supported_account_range: Option<String>,
    /// Terms and conditions.
    #[schema(
        rename = "termsAndConditionURL",
        examples("https://www.issuer.example/terms-and-conditions")
    )]
    pub terms_and_condition_url: Option<String>,
    /// Privacy notice.
    #[schema(
        rename = "privacyNoticeURL",
        examples("https://www.issuer.example/privacy")
    )]
    pub privacy_notice_url: Option<String>,
    /// Where cardholders opt out.
    #[schema(rename = "optOutURL", examples("https://www.issuer.example/opt-out"))]
    pub opt_out_url: Option<String>,
    /// Keys to set; what is not named stays.
    pub preferred_theme: Option<PreferredTheme>,
}

/// Colours and fonts.
pub struct PreferredTheme;

impl PartialSchema for PreferredTheme {
    fn schema() -> RefOr<Schema> {
        let text = |form: &TextForm| limited(ObjectBuilder::new().schema_type(Type::String), form);
        let description = format!(
            "Colours and fonts. Up to {MOST_OWN_KEYS} keys of the issuer's own are kept, {} characters each. Their values \
             have up to as many.",
            OWN_KEY.length_in_words()
        );
        let theme = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(text(&OWN_KEY)))
            .description(Some(description))
            .additional_properties(Some(Schema::from(text(&OWN_VALUE))));
        theme::known_keys()
            .fold(theme, |theme, (key, form, default)| {
                theme.property(key, text(&form).examples([default]))
            })
            .into()
    }
}

impl ToSchema for PreferredTheme {}
