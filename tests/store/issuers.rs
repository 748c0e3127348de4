//! Issuers: declared, changed, removed, and never with overlapping ranges.

use crate::fixture::{PAN, Rig, declaration, draft, enrol};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::join_all;
use issuer_gateway::ids::{ClientId, IssuerId};
use issuer_gateway::payload::{Encoding, EnvelopeForm, FieldLevelForm, OaepDigest};
use issuer_gateway::store::Store;
use issuer_gateway::store::issuers::{
    ApplyError, CertificatePurpose, Envelopes, IssuerCertificate, IssuerChange, IssuerStatus,
    Removal, Responses,
};

on_both!(
    declarations_come_back_as_they_were_made,
    applying_twice_changes_nothing,
    a_node_loads_what_is_newer_than_what_it_has,
    overlapping_ranges_are_refused,
    ranges_move_between_issuers,
    two_operators_at_once_never_overlap,
    loading_while_others_apply_sees_whole_changes,
    donation_on_after_off_raises_the_epoch,
    states_change_and_issuers_without_users_go,
);

fn certificate(purpose: CertificatePurpose, fingerprint: &str) -> IssuerCertificate {
    IssuerCertificate {
        purpose,
        fingerprint: fingerprint.to_owned(),
        consumer_key: String::new(),
        pem: "-----BEGIN CERTIFICATE-----".to_owned(),
        not_before: Some(1),
        not_after: None,
    }
}

fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

async fn declarations_come_back_as_they_were_made(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    assert_eq!(store.registry_version().await, Ok(0));
    let mut full = declaration("full", &["534403", "518145", "5424"]);
    full.profile.customer_id = Some("144136".to_owned());
    full.profile.terms_and_condition_url = Some("https://example.com/terms".to_owned());
    full.profile.privacy_notice_url = Some("https://example.com/privacy".to_owned());
    full.profile.opt_out_url = Some("https://example.com/out".to_owned());
    full.profile.theme = Some("{}".to_owned());
    full.responses = Responses::DashboardsOnly;
    full.unicode_names = true;
    full.rsa_pss = false;
    full.envelopes = Envelopes::FieldLevel;
    full.field_level_headers = true;
    full.accept_expired_signing = true;
    full.answers = EnvelopeForm::FieldLevel(FieldLevelForm {
        encoding: Encoding::Base64Url,
        digest: OaepDigest::Sha512,
        headers: None,
    });
    full.self_service_ranges = Some(vec!["2".to_owned(), "55".to_owned()]);
    full.time_zone = chrono_tz::Asia::Kolkata;
    full.factor_set = Some("own-1".to_owned());
    full.certificates = vec![
        certificate(CertificatePurpose::Signing, "aa"),
        certificate(CertificatePurpose::Signing, "bb"),
        certificate(CertificatePurpose::Encryption, "cc"),
    ];
    let mut bare = declaration("bare", &[]);
    bare.envelopes = Envelopes::Jwe;
    bare.self_service_ranges = Some(Vec::new());
    bare.answers = EnvelopeForm::Jwe;
    let applied = store
        .apply_issuers(vec![full.clone(), bare.clone()], draft("issuer.apply"))
        .await;
    let applied = applied.unwrap();
    assert!(applied.iter().all(|a| a.change == IssuerChange::Created));
    let registry = store.load_registry().await.unwrap();
    assert_eq!(registry.version, 1);
    let declared: Vec<_> = registry
        .issuers
        .iter()
        .map(|i| i.declared.clone())
        .collect();
    assert_eq!(declared, [full, bare]);
    for (issuer, applied) in registry.issuers.iter().zip(&applied) {
        assert_eq!(issuer.issuer_id, applied.issuer_id);
        assert_eq!(
            (issuer.status, issuer.enrolment_epoch),
            (IssuerStatus::Active, 1)
        );
    }
}

async fn a_node_loads_what_is_newer_than_what_it_has(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    let apply = async |file| {
        let applied = store.apply_issuers(file, draft("issuer.apply")).await;
        applied.unwrap();
    };
    let changes = async |version| {
        let registry = store.load_changes(version).await.unwrap();
        let all = store.load_registry().await.unwrap();
        assert_eq!(registry.version, all.version);
        // What is loaded by itself is as it is among all.
        for issuer in &registry.issuers {
            assert!(all.issuers.contains(issuer));
        }
        let names = registry.issuers.iter();
        let names = names.map(|issuer| issuer.declared.client_id.to_string());
        (registry.version, names.collect::<Vec<_>>())
    };
    let mut a = declaration("a", &["5344", "2223"]);
    a.certificates = vec![
        certificate(CertificatePurpose::Signing, "bb"),
        certificate(CertificatePurpose::Encryption, "aa"),
    ];
    let (b, c) = (declaration("b", &["5501"]), declaration("c", &[]));
    apply(vec![a.clone(), b.clone(), c.clone()]).await;
    let all = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(changes(0).await, (1, all));
    assert_eq!(changes(1).await, (1, vec![]));

    a.name = "Another".to_owned();
    apply(vec![a, b, c]).await;
    assert_eq!(changes(1).await, (2, vec!["a".to_owned()]));
    let audit = || draft("issuer.change");
    store
        .set_issuer_status(&client("b"), IssuerStatus::Suspended, audit())
        .await
        .unwrap();
    store
        .set_donation(&client("a"), false, audit())
        .await
        .unwrap();
    store.remove_issuer(&client("c"), audit()).await.unwrap();
    assert_eq!(
        changes(2).await,
        (5, ["a", "b", "c"].map(str::to_owned).to_vec())
    );
    assert_eq!(changes(4).await, (5, vec!["c".to_owned()]));
}

async fn applying_twice_changes_nothing(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    let mut demo = declaration("demo", &["5344"]);
    demo.certificates = vec![certificate(CertificatePurpose::Signing, "aa")];
    store
        .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
        .await
        .unwrap();
    let before = store.load_registry().await.unwrap();
    let applied = store
        .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
        .await
        .unwrap();
    assert_eq!(applied[0].change, IssuerChange::Unchanged);
    assert_eq!(store.load_registry().await.unwrap(), before);

    demo.name = "Another".to_owned();
    demo.certificates = vec![certificate(CertificatePurpose::Signing, "bb")];
    demo.account_ranges = vec!["5424".to_owned(), "5344".to_owned(), "5424".to_owned()];
    let applied = store
        .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
        .await
        .unwrap();
    assert_eq!(applied[0].change, IssuerChange::Updated);
    let after = store.load_registry().await.unwrap();
    assert_eq!(after.version, before.version + 1);
    assert_eq!(after.issuers[0].issuer_id, before.issuers[0].issuer_id);
    demo.account_ranges.pop();
    assert_eq!(after.issuers[0].declared, demo);
    let twice = store
        .apply_issuers(vec![demo.clone(), demo], draft("issuer.apply"))
        .await;
    assert_eq!(
        twice.unwrap_err(),
        ApplyError::DeclaredTwice(client("demo"))
    );
}

async fn overlapping_ranges_are_refused(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    store
        .apply_issuers(
            vec![declaration("demo", &["534403"])],
            draft("issuer.apply"),
        )
        .await
        .unwrap();
    for range in ["534403", "5344", "53440312"] {
        // The whole file is refused, with the good issuer in it.
        let file = vec![
            declaration("good", &["2223"]),
            declaration("bad", &["9999", range]),
        ];
        let error = store
            .apply_issuers(file, draft("issuer.apply"))
            .await
            .unwrap_err();
        let text = error.to_string();
        for part in ["demo", "bad", "534403", range] {
            assert!(text.contains(part), "{text}: {part}");
        }
        assert_eq!(error.reason(), "account-range-overlap");
    }
    assert_eq!(database.count("issuers"), 1);
    assert_eq!(store.registry_version().await, Ok(1));
    let refused = "SELECT count(*) AS n FROM audit_entries \
        WHERE outcome = 'refused' AND reason = 'account-range-overlap'";
    assert_eq!(database.number(refused), 3);
}

async fn ranges_move_between_issuers(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    let file = vec![declaration("a", &["5344"]), declaration("b", &["2223"])];
    store
        .apply_issuers(file, draft("issuer.apply"))
        .await
        .unwrap();
    let swapped = vec![declaration("a", &["2223"]), declaration("b", &["5344"])];
    store
        .apply_issuers(swapped.clone(), draft("issuer.apply"))
        .await
        .unwrap();
    let registry = store.load_registry().await.unwrap();
    let declared: Vec<_> = registry.issuers.into_iter().map(|i| i.declared).collect();
    assert_eq!(declared, swapped);
}

async fn two_operators_at_once_never_overlap(backend: Backend) {
    let database = TestDatabase::new(backend);
    let stores: Vec<_> = (0..4).map(|_| Store::open(&database.url(), 1)).collect();
    let results = join_all(stores.iter().enumerate().map(|(number, store)| {
        let range = if number % 2 == 0 { "5344" } else { "534403" };
        store.apply_issuers(
            vec![declaration(&format!("i{number}"), &[range])],
            draft("issuer.apply"),
        )
    }))
    .await;
    assert_eq!(
        results.iter().filter(|r| r.is_ok()).count(),
        1,
        "{results:?}"
    );
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.reason(), "account-range-overlap");
    }
    assert_eq!(database.count("account_ranges"), 1);
}

async fn donation_on_after_off_raises_the_epoch(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    let mut demo = declaration("demo", &["5344"]);
    for (donation, epoch) in [(true, 1), (false, 1), (false, 1), (true, 2), (true, 2)] {
        demo.donation = donation;
        store
            .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
            .await
            .unwrap();
        let issuer = store.load_registry().await.unwrap().issuers.remove(0);
        assert_eq!(
            (issuer.declared.donation, issuer.enrolment_epoch),
            (donation, epoch)
        );
    }
}

async fn states_change_and_issuers_without_users_go(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let store = &rig.store;
    let demo = declaration("demo", &["5344"]);
    let applied = store
        .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
        .await
        .unwrap();
    let issuer_id = applied[0].issuer_id;
    let suspended = store
        .set_issuer_status(
            &client("demo"),
            IssuerStatus::Suspended,
            draft("issuer.set-status"),
        )
        .await;
    assert_eq!(suspended, Ok(true));
    let registry = store.load_registry().await.unwrap();
    assert_eq!(
        (registry.version, registry.issuers[0].status),
        (2, IssuerStatus::Suspended)
    );
    // Declaring it again is no way around the state.
    store
        .apply_issuers(vec![demo.clone()], draft("issuer.apply"))
        .await
        .unwrap();
    assert_eq!(
        store.load_registry().await.unwrap().issuers[0].status,
        IssuerStatus::Suspended
    );
    let unknown = store
        .set_issuer_status(
            &client("none"),
            IssuerStatus::Active,
            draft("issuer.set-status"),
        )
        .await;
    assert_eq!(unknown, Ok(false));
    let refused = "SELECT count(*) AS n FROM audit_entries \
                   WHERE outcome = 'refused' AND reason = 'issuer-unknown'";
    assert_eq!(database.number(refused), 1);

    rig.writer
        .commit(enrol(rig.user(issuer_id, PAN)))
        .await
        .unwrap();
    let remove = |id: &str| {
        let id = client(id);
        async move {
            store
                .remove_issuer(&id, draft("issuer.remove"))
                .await
                .unwrap()
        }
    };
    assert_eq!(remove("demo").await, Removal::HasCardholders);
    store
        .apply_issuers(vec![declaration("empty", &["2223"])], draft("issuer.apply"))
        .await
        .unwrap();
    assert_eq!(remove("empty").await, Removal::Removed);
    assert_eq!(remove("empty").await, Removal::Unknown);
    // Off board, but still known: its signed calls are answered, not taken for a stranger's.
    let removed = store.load_registry().await.unwrap().issuers.pop().unwrap();
    assert_eq!(removed.status, IssuerStatus::Removed);
    assert_eq!(removed.declared.account_ranges, Vec::<String>::new());
    assert_eq!(
        removed.declared.certificates,
        declaration("empty", &[]).certificates
    );
    // Its range is free again, and so is its name; the number is not.
    let file = vec![
        declaration("next", &["2223"]),
        declaration("empty", &["2224"]),
    ];
    let applied = store
        .apply_issuers(file, draft("issuer.apply"))
        .await
        .unwrap();
    assert!(
        applied
            .iter()
            .all(|a| a.change == IssuerChange::Created && a.issuer_id != issuer_id)
    );
    assert_ne!(applied[0].issuer_id, IssuerId(2));
}

async fn loading_while_others_apply_sees_whole_changes(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (writing, reading) = (
        Store::open(&database.url(), 1),
        Store::open(&database.url(), 1),
    );
    let apply = async {
        for number in 0..30 {
            let range = format!("54{number:02}");
            let file = vec![declaration(&format!("i{number}"), &[&range])];
            writing
                .apply_issuers(file, draft("issuer.apply"))
                .await
                .unwrap();
        }
    };
    let load = async {
        let mut version = 0;
        while version < 30 {
            let registry = reading.load_registry().await.unwrap();
            assert_eq!(
                i64::try_from(registry.issuers.len()).unwrap(),
                registry.version
            );
            assert!(
                registry
                    .issuers
                    .iter()
                    .all(|i| i.declared.account_ranges.len() == 1)
            );
            version = registry.version;
        }
    };
    tokio::join!(apply, load);
}
