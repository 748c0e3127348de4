//! Requests and answers of the users API (cce-api.md, part B; spec decision 6).

use utoipa::ToSchema;

/// A refusal, or word of success.
#[derive(ToSchema)]
pub struct Message {
    /// What happened.
    pub message: String,
    /// The fields that broke their rules, and the rules.
    pub details: Option<Vec<String>>,
}

/// What of a user is set; what is not sent stays as it is, `null` clears what may be cleared.
#[derive(ToSchema)]
pub struct DirectoryRecordChange {
    /// A name to sign in with.
    #[schema(examples("updatedUser"))]
    pub username: Option<String>,
    /// The display name.
    #[schema(examples("tester"))]
    pub name: Option<String>,
    /// Unique within the app, without regard to case.
    #[schema(examples("updated-user@example.com"))]
    pub email: Option<String>,
    /// The app's own id of the user, unique within the app.
    #[schema(examples("testUserId"))]
    pub user_id: Option<String>,
    /// Any members, up to 16 KiB and 8 levels; replaced as a whole, returned as sent.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<()>,
}

/// A user.
#[derive(ToSchema)]
pub struct DirectoryRecord {
    /// Word of success.
    pub message: Option<String>,
    /// The app's id of the user, like `user_id`.
    pub id: String,
    /// The app's id of the user.
    pub user_id: String,
    /// Our id: creation time in milliseconds, underscore, 5 characters. It never changes.
    #[schema(examples("1753306133860_A36dL"))]
    pub klaim_id: String,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// As it was sent.
    #[schema(value_type = Object)]
    pub metadata: (),
    /// Milliseconds since 1970 UTC.
    pub created_at: i64,
    /// `api`
    pub acquisition_source: String,
    /// `0`
    pub credit_balance: i64,
}

/// A whole record.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DirectoryReplacement {
    /// The last name.
    #[schema(examples("Renn"))]
    pub last_name: String,
    /// The first name.
    #[schema(examples("David"))]
    pub first_name: String,
    /// Unique within the app, without regard to case.
    #[schema(examples("david.renn@uw.edu"))]
    pub email: String,
}

/// A whole record with its number.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct NumberedDirectoryRecord {
    /// The last name.
    pub last_name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The number of the record.
    pub id: i64,
}
