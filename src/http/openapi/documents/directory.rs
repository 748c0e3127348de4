//! Documents of the endpoints in `http::directory`.

use crate::directory::DirectoryRefusal;
use crate::http::directory_error::DirectoryError;
use crate::http::openapi::Operation;
use crate::http::openapi::schemas::{
    DirectoryRecord, DirectoryRecordChange, DirectoryReplacement, Message, NumberedDirectoryRecord,
};
use crate::violation::Violation;
use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// Who needs no key.
const ANONYMOUS: &str = "Without a key only on a loopback listener, for the app that is marked anonymous, and for calls to `localhost` \
     or a loopback address that nothing forwarded.";

/// `POST /users`
pub fn create() -> Operation {
    Operation::of_directory("createAppUser", "Create a user")
        .description("By an app key. Without `user_id` an id is made.")
        .takes::<DirectoryRecordChange>(change())
        .answers_json::<DirectoryRecord>(StatusCode::CREATED, "Created.", user())
        .refuses(body())
        .refuses(conflicts())
}

/// `GET /users/{user_id}`
pub fn show() -> Operation {
    Operation::of_directory("getAppUser", "Show a user")
        .parameter(user_id())
        .answers_json::<DirectoryRecord>(StatusCode::OK, "The user.", user())
        .refuses([DirectoryError::from(DirectoryRefusal::NotFound)])
}

/// `PUT /users/{user_id}`
pub fn update() -> Operation {
    Operation::of_directory("updateAppUser", "Update a user")
        .description(
            "By an app key, or by the user's own token. `{}` changes nothing. `user_id` changes with an app key only: \
             a token gets 401 for any other id.",
        )
        .parameter(user_id())
        .takes::<DirectoryRecordChange>(change())
        .answers_json::<DirectoryRecord>(StatusCode::OK, "Updated.", user())
        .refuses(body())
        .refuses([DirectoryError::from(DirectoryRefusal::NotFound)])
        .refuses(conflicts())
}

/// `DELETE /users/{user_id}`
pub fn delete() -> Operation {
    Operation::of_directory("deleteAppUser", "Delete a user")
        .parameter(user_id())
        .answers_json::<Message>(
            StatusCode::OK,
            "Deleted.",
            json!({"message": "delete resource successfully"}),
        )
        .refuses([DirectoryError::from(DirectoryRefusal::NotFound)])
}

/// `GET /users?id=`
pub fn show_number() -> Operation {
    Operation::of_directory("getNumberedAppUser", "Show a user by number")
        .description(ANONYMOUS)
        .or_anonymous()
        .parameter(number())
        .answers_json::<NumberedDirectoryRecord>(StatusCode::OK, "The user.", replaced())
        .refuses(
            [DirectoryRefusal::InvalidId, DirectoryRefusal::NotFound].map(DirectoryError::from),
        )
}

/// `PUT /users?id=`
pub fn replace() -> Operation {
    Operation::of_directory("replaceAppUser", "Replace a user by number")
        .description(&format!(
            "A number that is free makes a new record, unless the gateway is set to `strict`. {ANONYMOUS}"
        ))
        .or_anonymous()
        .parameter(number())
        .takes::<DirectoryReplacement>(
            json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"}),
        )
        .answers_json::<NumberedDirectoryRecord>(StatusCode::OK, "Replaced.", replaced())
        .answers_json::<NumberedDirectoryRecord>(StatusCode::CREATED, "Created.", replaced())
        .refuses(body())
        .refuses([DirectoryRefusal::InvalidId, DirectoryRefusal::NotFound].map(DirectoryError::from))
        .refuses(conflicts())
}

fn body() -> [DirectoryError; 3] {
    let broken = Violation::invalid("email", "must be an e-mail address");
    [
        DirectoryRefusal::Invalid(vec![broken]),
        DirectoryRefusal::MediaType,
        DirectoryRefusal::ContentEncoding("gzip"),
    ]
    .map(DirectoryError::from)
}

fn conflicts() -> [DirectoryError; 2] {
    [DirectoryRefusal::EmailTaken, DirectoryRefusal::UserIdTaken].map(DirectoryError::from)
}

fn user_id() -> Parameter {
    ParameterBuilder::new()
        .name("user_id")
        .parameter_in(ParameterIn::Path)
        .description(Some("The app's current id of the user."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(json!("testUserId")))
        .build()
}

fn number() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some("The number of the record: 1 to 9007199254740991."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
        .example(Some(json!(1)))
        .build()
}

fn change() -> Value {
    json!({"username": "updatedUser", "email": "updated-user@example.com", "metadata": {"test": "field"}})
}

fn user() -> Value {
    json!({
        "message": "fetch resource successfully", "id": "testUserId", "user_id": "testUserId",
        "klaim_id": "1753306133860_A36dL", "username": "updatedUser", "name": "tester",
        "email": "updated-user@example.com", "metadata": {"test": "field"}, "created_at": 1_753_306_133_860_i64,
        "acquisition_source": "api", "credit_balance": 0
    })
}

fn replaced() -> Value {
    json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu", "id": 1})
}
