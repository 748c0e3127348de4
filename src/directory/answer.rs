//! The JSON of a record as the documents print it.

use super::DirectoryRefusal;
use super::record::Record;
use serde::Serialize;
use serde_json::value::RawValue;

/// Klaim's message of every success, an update's as well (cce-api.md B2).
const FETCHED: &str = "fetch resource successfully";

#[derive(Serialize)]
struct RecordBody<'a> {
    message: &'a str,
    metadata: &'a RawValue,
    user_id: &'a str,
    klaim_id: &'a str,
    created_at: i64,
    acquisition_source: &'a str,
    credit_balance: u32,
    email: Option<&'a str>,
    name: Option<&'a str>,
    id: &'a str,
    username: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbered<'a> {
    last_name: &'a str,
    first_name: &'a str,
    email: &'a str,
    id: i64,
}

/// The members of B2, and `id` and `username` of B1. What is not set is `null`, metadata `{}`.
pub(super) fn profile(record: &Record) -> Result<Vec<u8>, DirectoryRefusal> {
    let metadata = record.metadata.as_deref().map_or("{}", String::as_str);
    write(&RecordBody {
        message: FETCHED,
        metadata: serde_json::from_str(metadata).map_err(|_| fault())?,
        user_id: &record.user_id,
        klaim_id: &record.klaim_id,
        created_at: record.created_at,
        acquisition_source: "api",
        credit_balance: 0,
        email: record.email.as_deref().map(String::as_str),
        name: record.name.as_deref().map(String::as_str),
        id: &record.user_id,
        username: record.username.as_deref().map(String::as_str),
    })
}

/// The members of B3; what is not set is an empty text, because the document knows only texts.
pub(super) fn numbered(record: &Record, number: i64) -> Result<Vec<u8>, DirectoryRefusal> {
    let (first_name, last_name) = record.name_parts();
    write(&Numbered {
        last_name,
        first_name,
        email: record.email.as_deref().map_or("", String::as_str),
        id: number,
    })
}

fn write(answer: &impl Serialize) -> Result<Vec<u8>, DirectoryRefusal> {
    serde_json::to_vec(answer).map_err(|_| fault())
}

fn fault() -> DirectoryRefusal {
    DirectoryRefusal::Internal("writing an answer")
}
