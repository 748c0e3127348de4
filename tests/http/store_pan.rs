//! `vault.store_pan = false`: a card is found again, and nobody can read its number.

use crate::on_both;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::rotation::primary::begin_index_rotation;
use issuer_gateway::rotation::{self, Event, Limits, Misfit};
use issuer_gateway::vault::{Place, SealedColumn};
use std::num::NonZeroU32;

const LIMITS: Limits = Limits {
    batch: NonZeroU32::new(10).unwrap(),
    rows_per_second: None,
};

on_both!(
    a_number_that_is_not_stored_is_still_found,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.vault.store_pan = false;
        let mut running = TestGateway::start_with(&config);
        running.database = Some(database);
        let client = running.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        let again = client.enrol(&enrolment);
        let code = again
            .clear
            .as_ref()
            .unwrap()
            .pointer("/Errors/Error/0/ReasonCode");
        assert_eq!(code.unwrap(), "USER_ALREADY_EXISTS");

        let gateway = &running.gateway;
        let (store, vault) = (&gateway.store, &gateway.vault);
        let (issuer, user) = (running.issuer_id("demo"), CardholderId::parse(&id).unwrap());
        let stored = running.block_on(store.sealed_card(issuer, &user)).unwrap();
        let (sealed, (_, index)) = stored.unwrap();
        let keys = vault.current();
        let clear = keys
            .open_sealed(Place::of_issuer(issuer, &id, SealedColumn::Card), &sealed)
            .unwrap();
        let clear = String::from_utf8(clear.to_vec()).unwrap();
        let number = enrolment["cardNumber"].as_str().unwrap();
        assert!(
            clear.contains("cardholderName") && !clear.contains("cardNumber"),
            "{clear}"
        );
        assert!(!clear.contains(&number[..12]), "{clear}");
        assert_eq!(index, keys.pan_index(issuer, number).bytes);

        let mut none = |event: Event<'_>| assert!(!matches!(event, Event::Misfit { .. }));
        let verified = running.block_on(rotation::verify(store, vault, LIMITS, &mut none));
        assert_eq!(verified.unwrap().misfits, 0);
        let resealed = running.block_on(rotation::reseal(store, vault, LIMITS, &mut none));
        assert_eq!(resealed.unwrap().misfits, 0);

        // Another index key cannot be brought in: it says so, and the former one stays.
        running
            .block_on(begin_index_rotation(store, vault))
            .unwrap();
        let mut misfits = Vec::new();
        let mut note = |event: Event<'_>| {
            if let Event::Misfit { misfit, .. } = event {
                misfits.push(misfit.clone());
            }
        };
        let passed = running.block_on(rotation::reindex(store, vault, LIMITS, &mut note));
        let passed = passed.unwrap();
        assert_eq!((passed.misfits, passed.retired), (1, Vec::new()));
        assert!(
            matches!(misfits[..], [Misfit::NumberNotStored { .. }]),
            "{misfits:?}"
        );
        assert_eq!(
            client.enrol(&enrolment).status,
            400,
            "the card is still found"
        );
    }
);
