//! The error object (cce-api.md 3.10).

use utoipa::ToSchema;

/// Every problem that was found, one element each.
#[derive(ToSchema)]
pub struct Errors {
    /// The list.
    #[schema(rename = "Errors")]
    pub errors: ErrorList,
}

/// A wrapper that the published API has.
#[derive(ToSchema)]
pub struct ErrorList {
    /// At least one.
    #[schema(rename = "Error", min_items = 1)]
    pub error: Vec<ErrorElement>,
}

/// One problem.
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct ErrorElement {
    /// `Gateway` for signature and transport, the product's name for everything behind them.
    #[schema(min_length = 1, max_length = 100)]
    pub source: String,
    /// What clients should key on.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Z_]+$")]
    pub reason_code: String,
    /// What went wrong, in words that may change.
    #[schema(min_length = 10, max_length = 1000)]
    pub description: String,
    /// Whether the same request can succeed later.
    pub recoverable: bool,
    /// The field and the rule that it breaks, never the value that was sent; empty if there is
    /// nothing to say.
    #[schema(max_length = 5000)]
    pub details: String,
}
