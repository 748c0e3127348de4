//! `http::users`.

use crate::directory::Refusal;
use crate::http::openapi::Operation;
use crate::http::openapi::schemas::{
    AppUser, AppUserChange, AppUserReplacement, Message, ReplacedAppUser,
};
use crate::http::users_error::UsersError;
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
    Operation::of_users_api("createAppUser", "Create a user")
        .description("By an app key. Without `user_id` an id is made.")
        .takes::<AppUserChange>(change())
        .answers_json::<AppUser>(StatusCode::CREATED, "Created.", user())
        .refuses(body())
        .refuses(conflicts())
}

/// `GET /users/{user_id}`
pub fn show() -> Operation {
    Operation::of_users_api("getAppUser", "Show a user")
        .parameter(user_id())
        .answers_json::<AppUser>(StatusCode::OK, "The user.", user())
        .refuses([UsersError::from(Refusal::NotFound)])
}

/// `PUT /users/{user_id}`
pub fn update() -> Operation {
    Operation::of_users_api("updateAppUser", "Update a user")
        .description(
            "By an app key, or by the user's own token. `{}` changes nothing. `user_id` changes with an app key only: \
             a token gets 401 for any other id.",
        )
        .parameter(user_id())
        .takes::<AppUserChange>(change())
        .answers_json::<AppUser>(StatusCode::OK, "Updated.", user())
        .refuses(body())
        .refuses([UsersError::from(Refusal::NotFound)])
        .refuses(conflicts())
}

/// `DELETE /users/{user_id}`
pub fn delete() -> Operation {
    Operation::of_users_api("deleteAppUser", "Delete a user")
        .parameter(user_id())
        .answers_json::<Message>(
            StatusCode::OK,
            "Deleted.",
            json!({"message": "delete resource successfully"}),
        )
        .refuses([UsersError::from(Refusal::NotFound)])
}

/// `GET /users?id=`
pub fn show_number() -> Operation {
    Operation::of_users_api("getNumberedAppUser", "Show a user by number")
        .description(ANONYMOUS)
        .or_anonymous()
        .parameter(number())
        .answers_json::<ReplacedAppUser>(StatusCode::OK, "The user.", replaced())
        .refuses([Refusal::InvalidId, Refusal::NotFound].map(UsersError::from))
}

/// `PUT /users?id=`
pub fn replace() -> Operation {
    Operation::of_users_api("replaceAppUser", "Replace a user by number")
        .description(&format!(
            "A number that is free makes a new record, unless the gateway is set to `strict`. {ANONYMOUS}"
        ))
        .or_anonymous()
        .parameter(number())
        .takes::<AppUserReplacement>(
            json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"}),
        )
        .answers_json::<ReplacedAppUser>(StatusCode::OK, "Replaced.", replaced())
        .answers_json::<ReplacedAppUser>(StatusCode::CREATED, "Created.", replaced())
        .refuses(body())
        .refuses([Refusal::InvalidId, Refusal::NotFound].map(UsersError::from))
        .refuses(conflicts())
}

fn body() -> [UsersError; 2] {
    let broken = Violation::invalid("email", "must be an e-mail address");
    [Refusal::Invalid(vec![broken]), Refusal::MediaType].map(UsersError::from)
}

fn conflicts() -> [UsersError; 2] {
    [Refusal::EmailTaken, Refusal::UserIdTaken].map(UsersError::from)
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
