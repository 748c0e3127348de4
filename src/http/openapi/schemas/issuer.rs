//! What an issuer shows and changes of itself, and the users it deletes (cce-api.md 3.6 to 3.9).

use utoipa::ToSchema;

/// An issuer as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerProfile {
    /// The part of the consumer key before `!`.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,200}$")]
    pub client_id: String,
    /// The network's number of the customer.
    pub customer_id: Option<String>,
    /// BINs of 4 to 8 digits, comma-separated, in first-come order.
    #[schema(pattern = "^[0-9]{4,8}(,[0-9]{4,8})*$", examples("534403,518145,5424"))]
    pub supported_account_range: String,
    /// `ACTIVE`: in every other state the call is refused.
    #[schema(examples("ACTIVE"))]
    pub status: String,
    /// The issuer's name; only when the profile is shown.
    pub issuer_name: Option<String>,
    /// The programme's contact address; only when the profile is shown.
    pub email: Option<String>,
    /// ISO 4217; only when the profile is shown.
    pub currency_code: Option<String>,
    /// ISO 3166-1 alpha-3; only when the profile is shown.
    pub country_code: Option<String>,
    /// The country in words; only when the profile is shown.
    pub country_name: Option<String>,
    /// Terms and conditions.
    #[schema(rename = "termsAndConditionURL")]
    pub terms_and_condition_url: Option<String>,
    /// Privacy notice.
    #[schema(rename = "privacyNoticeURL")]
    pub privacy_notice_url: Option<String>,
    /// Where cardholders opt out.
    #[schema(rename = "optOutURL")]
    pub opt_out_url: Option<String>,
    /// Colours, fonts and sizes of the dashboard.
    pub preferred_theme: PreferredTheme,
}

/// What of an issuer changes; what is not sent stays as it is.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct IssuerConfiguration {
    /// Ranges to add. None may equal, contain or lie in a range of another issuer.
    #[schema(
        pattern = r"^\s*[0-9]{4,8}(\s*,\s*[0-9]{4,8})*\s*$",
        examples("534403, 5611")
    )]
    pub supported_account_range: Option<String>,
    /// An absolute http or https URL; white space around it is dropped.
    #[schema(
        rename = "termsAndConditionURL",
        examples("https://issuer.example/terms")
    )]
    pub terms_and_condition_url: Option<String>,
    /// An absolute http or https URL; white space around it is dropped.
    #[schema(
        rename = "privacyNoticeURL",
        examples("https://issuer.example/privacy")
    )]
    pub privacy_notice_url: Option<String>,
    /// An absolute http or https URL; white space around it is dropped.
    #[schema(rename = "optOutURL", examples("https://issuer.example/opt-out"))]
    pub opt_out_url: Option<String>,
    /// Members to change; the others of the stored theme stay.
    pub preferred_theme: Option<PreferredTheme>,
}

/// Colours (`#RGB` or `#RRGGBB`), font families and sizes (`1px` to `999px`); further members are kept and echoed, 32
/// members at most.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct PreferredTheme {
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$", examples("#FFFFFF"))]
    pub background_color: Option<String>,
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
    pub widget_background_color: Option<String>,
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
    pub font_color: Option<String>,
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
    pub bar_graph_color: Option<String>,
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
    pub button_color: Option<String>,
    #[schema(pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
    pub button_text_color: Option<String>,
    #[schema(pattern = r"^[A-Za-z0-9 ,'\-]{1,100}$", examples("Mark Offc For MC"))]
    pub title_font_type: Option<String>,
    #[schema(pattern = r"^[A-Za-z0-9 ,'\-]{1,100}$")]
    pub sub_title_font_type: Option<String>,
    #[schema(pattern = r"^[A-Za-z0-9 ,'\-]{1,100}$")]
    pub paragraph_font_type: Option<String>,
    #[schema(pattern = r"^[A-Za-z0-9 ,'\-]{1,100}$")]
    pub button_text_font_type: Option<String>,
    #[schema(pattern = r"^[A-Za-z0-9 ,'\-]{1,100}$")]
    pub link_font_type: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,2}px$", examples("28px"))]
    pub title_font_size: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,2}px$")]
    pub sub_title_font_size: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,2}px$")]
    pub paragraph_font_size: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,2}px$")]
    pub button_text_font_size: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,2}px$")]
    pub link_font_size: Option<String>,
}

/// 1 to 500 user ids, each 36 characters of 0-9, a-f and hyphens.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 500)]
pub struct UserIds(pub Vec<String>);
