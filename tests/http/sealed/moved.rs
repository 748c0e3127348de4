//! Sealed values moved about by somebody who can write to the database.

use crate::on_both;
use crate::support::Backend;
use crate::support::at_rest::{open, sealed};
use crate::support::gateway::{TestGateway, user_id};
use issuer_gateway::client::sample;
use issuer_gateway::store::cardholders::{SealedCard, SealedCardholder};
use issuer_gateway::vault::{SealedColumn, VaultError};
use serde_json::json;

on_both!(a_moved_ciphertext_does_not_open, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let database = gateway.database.as_ref().unwrap();
    let client = gateway.client("demo");
    let update = json!({"name": {"firstName": "Jane", "lastName": "Doe"}, "locale": "en-US",
                        "phoneNumber": "+12025550123"});
    let [mine, other] = [(); 2].map(|()| {
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        assert_eq!(client.update(&id, &update).status, 200);
        id
    });
    let opened = |issuer: &str, id: &str, column: SealedColumn| {
        let (user, card) = sealed(&gateway, issuer, id);
        open(&gateway, issuer, id, column, &bytes(&user, &card, column))
    };
    let columns = [
        ("name", SealedColumn::CardholderName),
        ("email", SealedColumn::CardholderEmail),
        ("phone", SealedColumn::CardholderPhone),
        ("billing_address", SealedColumn::CardholderBillingAddress),
        ("locale", SealedColumn::CardholderLocale),
    ];
    // Another row's value, which says the same.
    for (name, column) in columns {
        let own = opened("demo", &mine, column).unwrap();
        assert_eq!(opened("demo", &other, column).unwrap(), own);
        database.execute(&format!(
            "UPDATE users SET {name} = (SELECT {name} FROM users WHERE user_id = '{other}') WHERE user_id = '{mine}'"
        ));
        assert_eq!(
            opened("demo", &mine, column),
            Err(VaultError::DoesNotOpen),
            "{name}"
        );
    }
    database.execute(&format!(
        "UPDATE cards SET card = (SELECT card FROM cards WHERE user_id = '{other}') WHERE user_id = '{mine}'"
    ));
    assert_eq!(
        opened("demo", &mine, SealedColumn::Card),
        Err(VaultError::DoesNotOpen)
    );

    // Another column of the same row. `other` was only read so far.
    let from_card = (
        "card",
        "(SELECT card FROM cards WHERE cards.user_id = users.user_id)",
    );
    for (index, (name, column)) in columns.into_iter().enumerate() {
        let (next, _) = columns[(index + 1) % columns.len()];
        for (from, value) in [(next, next), from_card] {
            let keep = sealed(&gateway, "demo", &other);
            let keep = hex::encode(bytes(&keep.0, &keep.1, column));
            database.execute(&format!(
                "UPDATE users SET {name} = {value} WHERE user_id = '{other}'"
            ));
            assert_eq!(
                opened("demo", &other, column),
                Err(VaultError::DoesNotOpen),
                "{name} from {from}"
            );
            let literal = match backend {
                Backend::Sqlite => format!("x'{keep}'"),
                Backend::Postgres => format!("'\\x{keep}'::bytea"),
            };
            database.execute(&format!(
                "UPDATE users SET {name} = {literal} WHERE user_id = '{other}'"
            ));
            assert!(opened("demo", &other, column).is_ok(), "{name}");
        }
    }

    // Both rows given to another issuer as they are.
    let basic = gateway.issuer_id("basic").0;
    for table in ["users", "cards"] {
        database.execute(&format!(
            "UPDATE {table} SET issuer_id = {basic} WHERE user_id = '{other}'"
        ));
    }
    for (name, column) in columns.into_iter().chain([("card", SealedColumn::Card)]) {
        assert_eq!(
            opened("basic", &other, column),
            Err(VaultError::DoesNotOpen),
            "{name}"
        );
    }
});

/// The sealed bytes of one column.
fn bytes(user: &SealedCardholder, card: &SealedCard, column: SealedColumn) -> Vec<u8> {
    let value = match column {
        SealedColumn::CardholderName => &user.profile.name,
        SealedColumn::CardholderEmail => &user.profile.email,
        SealedColumn::CardholderPhone => &user.profile.phone,
        SealedColumn::CardholderBillingAddress => &user.profile.billing_address,
        SealedColumn::CardholderLocale => &user.profile.locale,
        SealedColumn::Card => return card.card.clone(),
        other => unreachable!("{other:?} is no column of a cardholder"),
    };
    value.clone().unwrap()
}
