//! What can be scored: merchant categories and currencies.

use utoipa::ToSchema;

/// All merchant category codes that are known, by code.
#[derive(ToSchema)]
pub struct SupportedMerchantCategories(pub Vec<MerchantCategory>);

/// A merchant category code, and what it stands for.
#[derive(ToSchema)]
pub struct MerchantCategory {
    /// Four digits.
    #[schema(pattern = "^[0-9]{4}$", examples("5411"))]
    pub mcc: String,
    /// What it stands for.
    pub category: SpendingCategory,
}

/// What a merchant category stands for.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SpendingCategory {
    /// The group of spending areas.
    pub main_category: String,
    /// The spending area.
    pub sub_category: String,
    /// What merchants of the code sell.
    pub sector: String,
    /// The spending area's number.
    #[schema(pattern = "^[0-9]{3}$", examples("101"))]
    pub sector_code: String,
}

/// All currencies with an exchange rate, by code.
#[derive(ToSchema)]
pub struct SupportedCurrencies(pub Vec<SupportedCurrency>);

/// A currency with an exchange rate.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SupportedCurrency {
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", examples("SEK"))]
    pub currency_code: String,
}
