//! What the database holds of a case.

use super::acts::Scene;
use super::reference::{Known, Record, State};
use crate::support::{Backend, TestDatabase};

/// All of it, read at once. Where nothing that is asked for may be, it is not looked at: that
/// nobody has half of anything is asserted of the whole database in the end.
pub fn state(database: &TestDatabase, scene: &Scene) -> State {
    let hex = |column: &str| match database.backend {
        Backend::Sqlite => format!("hex({column})"),
        Backend::Postgres => format!("encode({column}, 'hex')"),
    };
    let [one, other] = [0, 1].map(|number| scene.issuer_id(number).0);
    let of_issuers = format!("issuer_id IN ({one}, {other})");
    let app_id = scene.app_id.0;
    let (key, message) = (hex("key_hash"), hex("message_hash"));
    let (name, email) = (hex("name"), hex("email"));
    let sql = format!(
        "SELECT 'nonce|' || issuer_id || '|' || nonce AS t FROM oauth_nonces WHERE {of_issuers} \
         UNION ALL SELECT 'key|' || issuer_id || '|' || {key} || '|' || {message} \
         FROM opened_keys WHERE {of_issuers} \
         UNION ALL SELECT 'user|' || issuer_id || '|' || user_id || '|' || status || '|' \
         || enrolment_epoch || '|' || {name} FROM users WHERE {of_issuers} \
         UNION ALL SELECT 'record|' || klaim_id || '|' || user_id || '|' || coalesce({email}, '') \
         FROM directory_users WHERE app_id = {app_id} \
         UNION ALL SELECT 'said|' || issuer_id || ' ' || action || ' ' || coalesce(reason, '-') \
         || '|' || count(*) FROM audit_entries WHERE {of_issuers} \
         GROUP BY issuer_id, action, reason"
    );
    let mut state = State::default();
    for row in database.texts(&sql) {
        let row: Vec<&str> = row.split('|').collect();
        add(&mut state, &row, scene);
    }
    state
}

fn add(state: &mut State, row: &[&str], scene: &Scene) {
    match row {
        ["nonce", issuer, nonce] => {
            let nonce = (issuer.parse().unwrap(), (*nonce).to_owned());
            state.nonces.insert(nonce);
        }
        ["key", issuer, key, message] => {
            let holder = (issuer.parse().unwrap(), hash(message));
            state.keys.insert(hash(key), holder);
        }
        ["user", issuer, user_id, status, epoch, name] => {
            let mut asked = scene.users.iter();
            let asked = asked.find(|(_, id, _)| id.as_str() == *user_id);
            let (_, _, card) = asked.expect("somebody's enrolment was asked for");
            let known = Known {
                active: *status == "ACTIVE",
                epoch: epoch.parse().unwrap(),
                name: hex::decode(name).unwrap(),
                card: card.clone(),
            };
            let key = (issuer.parse().unwrap(), (*user_id).to_owned());
            state.users.insert(key, known);
        }
        ["record", id, user_id, email] => {
            let email = (!email.is_empty()).then(|| u8::from_str_radix(email, 16).unwrap());
            let user_id = (*user_id).to_owned();
            state
                .records
                .insert((*id).to_owned(), Record { user_id, email });
        }
        ["said", said, times] => {
            let times = times.parse().unwrap();
            state.trail.insert((*said).to_owned(), times);
        }
        other => panic!("{other:?}"),
    }
}

fn hash(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}
