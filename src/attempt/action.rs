//! What an issuer's call tries to do, as the audit trail names it.

/// What an audit entry says was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `POST /issuers/users`
    EnrolCardholder,
    /// `POST /issuers/users` of a card whose user must register again
    ReEnrolCardholder,
    /// `PUT /issuers/users/{userid}`
    UpdateCardholder,
    /// `POST /issuers/user-deletions`; an accepted call leaves one entry for each user.
    DeleteCardholders,
    /// `POST /issuers/transactions`
    PostTransactions,
    /// `GET /issuers/users/{userid}/aggregate-carbon-scores`
    ShowAggregate,
    /// `GET /issuers/users/{userid}/dashboards`
    IssueDashboard,
    /// `GET /issuers`
    ShowIssuer,
    /// `PUT /issuers`
    ChangeIssuer,
    /// `GET /supported-merchant-categories`
    ListMerchantCategories,
    /// `GET /supported-currencies`
    ListCurrencies,
}

impl Action {
    /// The stable name in the audit trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::EnrolCardholder => "user.enrol",
            Self::ReEnrolCardholder => "user.re-enrol",
            Self::UpdateCardholder => "user.update",
            Self::DeleteCardholders => "user.delete",
            Self::PostTransactions => "transactions.post",
            Self::ShowAggregate => "score.show",
            Self::IssueDashboard => "dashboard.issue",
            Self::ShowIssuer => "issuer.show",
            Self::ChangeIssuer => "issuer.change",
            Self::ListMerchantCategories => "supported.merchant-categories",
            Self::ListCurrencies => "supported.currencies",
        }
    }

    /// Whether its calls carry an encrypted payload, and so need the queue of private operations
    /// as well as the writer's.
    pub(super) fn is_encrypted(self) -> bool {
        match self {
            Self::EnrolCardholder
            | Self::ReEnrolCardholder
            | Self::UpdateCardholder
            | Self::PostTransactions => true,
            Self::DeleteCardholders
            | Self::ShowAggregate
            | Self::IssueDashboard
            | Self::ShowIssuer
            | Self::ChangeIssuer
            | Self::ListMerchantCategories
            | Self::ListCurrencies => false,
        }
    }
}
