//! Card transactions, what becomes of them, and the score of a month (scoring.md 12.1; cce-api.md
//! 3.5).

use utoipa::ToSchema;

/// Card transactions of the issuer's cardholders.
#[derive(ToSchema)]
pub struct TransactionBatch {
    /// 1 to 5,000.
    #[schema(min_items = 1, max_items = 5000)]
    pub transactions: Vec<Transaction>,
}

/// A card transaction. Unknown members are ignored; `null` means "not sent". Exactly one of
/// `userid` and `cardNumber` is required.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Transaction {
    /// What the issuer calls it. The same id again, for the same user, is the same transaction.
    #[schema(examples("2f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f"))]
    pub transaction_id: String,
    /// The user's id.
    #[schema(rename = "userid")]
    pub user_id: Option<String>,
    /// The card's number. It finds the user, and is not stored with the transaction.
    pub card_number: Option<String>,
    /// The merchant category code (ISO 18245); leading zeros may be missing.
    #[schema(examples("5411"))]
    pub mcc: String,
    /// What was paid.
    pub amount: TransactionAmount,
    /// The local day of the purchase, `YYYY-MM-DD` or `DD-MM-YYYY`; or an instant with offset,
    /// which is on a day of the issuer's time zone.
    #[schema(examples("2026-01-15"))]
    pub date: String,
    /// `CL` cleared, `RFT` refund, `RV` reversal, `AT` authorisation (accepted and ignored).
    /// Amounts of refunds and reversals count negative, however they are sent.
    #[schema(pattern = "^(CL|RFT|RV|AT)$")]
    pub indicator: String,
    /// The merchant's country, ISO 3166-1 alpha-3; else the issuer's.
    #[schema(rename = "countryISOCode", examples("USA"))]
    pub country_iso_code: Option<String>,
    /// Of a reversal: the transaction that it takes back.
    pub original_transaction_id: Option<String>,
    /// The merchant's name, for the cardholder's page; stored encrypted.
    pub merchant_name: Option<String>,
    /// `MA` Mastercard, `OTH` another network, `NC` no card. Echoed.
    #[schema(pattern = "^(MA|OTH|NC)$")]
    pub card_brand: Option<String>,
}

/// An amount of money.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TransactionAmount {
    /// At most 10^9 either way, with no more decimal places than the currency has.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, examples(54.2))]
    pub value: f64,
    /// ISO 4217.
    #[schema(examples("USD"))]
    pub currency_code: String,
}

/// What became of each transaction, in the order of the request.
#[derive(ToSchema)]
pub struct TransactionOutcomes {
    /// One for each transaction.
    pub transactions: Vec<TransactionOutcome>,
}

/// What became of a transaction.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TransactionOutcome {
    /// As it was sent; `null` if it was no text that can be an id.
    #[schema(required)]
    pub transaction_id: Option<String>,
    /// `SUCCESS` or `FAILURE`.
    #[schema(pattern = "^(SUCCESS|FAILURE)$")]
    pub score_status: String,
    /// Grams of CO2e, negative for refunds; absent if it is not scored.
    #[schema(nullable = false)]
    pub carbon_emission_in_grams: Option<f64>,
    /// The same in avoirdupois ounces.
    #[schema(nullable = false)]
    pub carbon_emission_in_ounces: Option<f64>,
    /// `high`, `medium`, `low`, or `none` if it is not scored.
    #[schema(nullable = false, pattern = "^(high|medium|low|none)$")]
    pub confidence: Option<String>,
    /// Why it has no grams although it is stored.
    #[schema(nullable = false)]
    pub not_scored_reason: Option<String>,
    /// The spending area.
    #[schema(nullable = false)]
    pub category: Option<TransactionCategory>,
    /// `MCC`: by merchant category.
    #[schema(nullable = false, pattern = "^MCC$")]
    pub score_reference: Option<String>,
    /// The factor set of the score.
    #[schema(nullable = false, examples("ig-2026.1"))]
    pub factor_set: Option<String>,
    /// As it was sent.
    #[schema(nullable = false, pattern = "^(MA|OTH|NC)$")]
    pub card_brand: Option<String>,
    /// Of a failure: `INVALID_REQUEST_PARAMETER`, `INVALID_MCC` (it is stored, and scored once a
    /// set knows the code), `UNSUPPORTED_CURRENCY`, `PAYMENT_CARD_NOT_FOUND`,
    /// `TRANSACTION_CONFLICT`, `OUTSIDE_WINDOW`, `TOO_MANY_TRANSACTIONS`.
    #[schema(nullable = false)]
    pub error_code: Option<String>,
    /// Which field breaks which rule.
    #[schema(nullable = false)]
    pub error_description: Option<String>,
}

/// A spending area.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TransactionCategory {
    /// The main area.
    #[schema(examples("Food & Drink"))]
    pub main_category: String,
    /// The area.
    #[schema(examples("Groceries"))]
    pub sub_category: String,
    /// The merchant category's name.
    pub sector: String,
    /// The area's code.
    #[schema(pattern = "^[0-9]{3}$")]
    pub sector_code: String,
}

/// The score of a user's current month.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AggregateCarbonScore {
    /// A plain decimal: at most two places, no zeros at the end.
    #[schema(max_length = 10, pattern = "^-?[0-9]+([.][0-9]+)?$", examples("32.45"))]
    pub carbon_emission_in_grams: String,
    /// The month in English, a hyphen and the year.
    #[schema(
        max_length = 20,
        pattern = "^[a-z]+-[0-9]{4}$",
        examples("november-2020")
    )]
    pub aggregate_date: String,
}

/// The address of a user's web view.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Dashboard {
    /// To be loaded unchanged; `auth_token` is for nobody to parse.
    #[schema(
        min_length = 1,
        max_length = 5000,
        examples("https://view.bank.example/home/?auth_token=AQAA&lang=en-US")
    )]
    pub url: String,
    /// How long it opens views, in milliseconds.
    #[schema(min_length = 1, max_length = 10, examples("900000"))]
    pub expiry_in_millis: String,
}
