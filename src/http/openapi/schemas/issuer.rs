//! An issuer's own profile, as it reads and changes it (cce-api.md 3.6 to 3.8).

use crate::issuers::theme::Theme;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An issuer's profile.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerProfile {
    /// The part of the consumer key before `!`.
    #[schema(pattern = r"^[\w-]{1,200}$")]
    pub client_id: String,
    /// The network's number of the customer.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub customer_id: Option<String>,
    /// The starts of the issuer's card numbers, in the order in which they were added.
    #[schema(
        pattern = "^([0-9]{4,8}(,[0-9]{4,8})*)?$",
        examples("534403,518145,5403")
    )]
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
    #[schema(pattern = r"^[\w-]{1,200}$")]
    pub client_id: String,
    /// The network's number of the customer.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub customer_id: Option<String>,
    /// The issuer's name.
    pub issuer_name: String,
    /// The starts of the issuer's card numbers, in the order in which they were added.
    #[schema(
        pattern = "^([0-9]{4,8}(,[0-9]{4,8})*)?$",
        examples("534403,518145,5403")
    )]
    pub supported_account_range: String,
    /// Always `ACTIVE`: in every other state a call is refused.
    #[schema(pattern = "^ACTIVE$")]
    pub status: String,
    /// The programme's contact address.
    #[schema(min_length = 1, max_length = 100)]
    pub email: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Za-z]{3}$")]
    pub currency_code: String,
    /// ISO 3166-1 alpha-3.
    #[schema(pattern = "^[A-Za-z]{3}$")]
    pub country_code: String,
    /// The country in words.
    #[schema(min_length = 3, max_length = 50)]
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
    #[schema(
        pattern = r"^[ \t\n\f\r]*[0-9]{4,8}([ \t\n\f\r]*,[ \t\n\f\r]*[0-9]{4,8})*[ \t\n\f\r]*$",
        examples("534403, 518145")
    )]
    pub supported_account_range: Option<String>,
    /// Terms and conditions.
    #[schema(
        rename = "termsAndConditionURL",
        pattern = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/]\S*\s*$",
        examples("https://www.issuer.example/terms-and-conditions")
    )]
    pub terms_and_condition_url: Option<String>,
    /// Privacy notice.
    #[schema(
        rename = "privacyNoticeURL",
        pattern = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/]\S*\s*$",
        examples("https://www.issuer.example/privacy")
    )]
    pub privacy_notice_url: Option<String>,
    /// Where cardholders opt out.
    #[schema(
        rename = "optOutURL",
        pattern = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/]\S*\s*$",
        examples("https://www.issuer.example/opt-out")
    )]
    pub opt_out_url: Option<String>,
    /// Keys to set; what is not named stays.
    pub preferred_theme: Option<PreferredTheme>,
}

/// Colours and fonts.
pub struct PreferredTheme;

impl PartialSchema for PreferredTheme {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let own_key = text()
            .min_length(Some(1))
            .max_length(Some(100))
            .pattern(Some(r"^[^\x00-\x1F\x7F-\x9F]*$"));
        let theme = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(own_key))
            .description(Some(
                "Colours and fonts. Up to 32 keys of the issuer's own are kept, 1 to 100 characters each, like their values.",
            ))
            .additional_properties(Some(Schema::from(
                text()
                    .max_length(Some(100))
                    .pattern(Some(r"^[^\x00-\x1F\x7F-\x9F]*$")),
            )));
        let theme =
            Theme::default()
                .with_defaults()
                .into_iter()
                .fold(theme, |theme, (key, default)| {
                    theme.property(key, text().pattern(Some(form(key))).examples([default]))
                });
        theme.into()
    }
}

impl ToSchema for PreferredTheme {}

/// The form of a known key's values, which its name tells.
fn form(key: &str) -> &'static str {
    if key.ends_with("Color") {
        "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$"
    } else if key.ends_with("Size") {
        "^[1-9][0-9]{0,2}px$"
    } else {
        "^[A-Za-z0-9 ,'-]{1,100}$"
    }
}
