//! What the tests enrol.

use crate::support::TestDatabase;
use issuer_gateway::ids::{CardholderId, ClientId, IssuerId};
use issuer_gateway::payload::{EnvelopeForm, FieldLevelForm};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::cardholders::SealedProfile;
use issuer_gateway::store::issuers::{Envelopes, IssuerDeclaration, ProfileColumns, Responses};
use issuer_gateway::store::writer::{Act, CardholderUpdate, Commit, NewCard, NewCardholder, Nonce};
use issuer_gateway::store::{Finder, Store, Writer, now};
use issuer_gateway::vault::{Kek, Keks, Place, SealedColumn, Vault, VaultKeys};
use zeroize::Zeroizing;

pub const ISSUER: IssuerId = IssuerId(1);
pub const PAN: &str = "5344035555555557";

/// A KEK of which a test needs several handles: its text.
pub struct TestKek(pub Zeroizing<String>);

impl TestKek {
    pub fn random() -> Self {
        Self(Kek::generate().unwrap())
    }

    pub fn kek(&self) -> Kek {
        Kek::from_base64(&self.0).unwrap()
    }

    pub fn id(&self) -> String {
        self.kek().id().to_owned()
    }

    /// The only KEK that is at hand.
    pub fn alone(&self) -> Keks {
        self.and(&[])
    }

    /// It wraps, and `further` ones unwrap as well.
    pub fn and(&self, further: &[&Self]) -> Keks {
        Keks::new(self.kek(), further.iter().map(|one| one.kek()).collect())
    }
}

/// Store, vault and one writer on a database.
pub struct Rig {
    pub store: Store,
    pub vault: Vault,
    pub kek: TestKek,
    pub finder: Finder,
    pub writer: Writer,
}

impl Rig {
    pub async fn new(database: &TestDatabase) -> Self {
        let kek = TestKek::random();
        let store = Store::open(&database.url(), 4);
        let vault = Vault::open(&store, kek.alone()).await.unwrap();
        Self {
            vault,
            kek,
            finder: finder(&store),
            writer: writer(database),
            store,
        }
    }

    /// A user whose values are the place's name, sealed, with the card `pan`.
    pub fn user(&self, issuer_id: IssuerId, pan: &str) -> NewCardholder {
        sealed_user(&self.vault.current(), issuer_id, pan)
    }
}

/// The same, sealed with any keys.
pub fn sealed_user(keys: &VaultKeys, issuer_id: IssuerId, pan: &str) -> NewCardholder {
    let user_id = CardholderId::random();
    let seal = |column, text: &str| {
        let place = Place {
            owner: issuer_id.into(),
            row_id: user_id.as_str(),
            column,
            month: None,
        };
        keys.seal(place, text.as_bytes()).unwrap()
    };
    let index = keys.pan_index(issuer_id, pan);
    let email_index = keys.email_index(issuer_id, "johnn.dooe@gmail.com");
    let card = seal(SealedColumn::Card, pan);
    let at = now();
    NewCardholder {
        issuer_id,
        enrolment_epoch: 1,
        profile: SealedProfile {
            name: Some(seal(SealedColumn::CardholderName, "Johnn Dooe").bytes),
            email: Some(seal(SealedColumn::CardholderEmail, "johnn.dooe@gmail.com").bytes),
            phone: None,
            billing_address: Some(
                seal(SealedColumn::CardholderBillingAddress, "83 Mayfair Street").bytes,
            ),
            locale: Some(seal(SealedColumn::CardholderLocale, "en-US").bytes),
            email_index: Some(email_index.bytes.to_vec()),
            email_index_key: Some(email_index.key_version),
        },
        seal_key: card.key_version,
        card: NewCard {
            last_four: pan[pan.len() - 4..].to_owned(),
            pan_index: index.bytes.to_vec(),
            pan_index_key: index.key_version,
            former_pan_index: keys.former_pan_index(issuer_id, pan).map(Into::into),
            card: card.bytes,
        },
        scoring_window: (at - 1, at),
        created_at: at,
        user_id,
    }
}

pub fn writer(database: &TestDatabase) -> Writer {
    Writer::start(&database.url(), 2, 1_000, Backlog::default()).unwrap()
}

pub fn finder(store: &Store) -> Finder {
    Finder::start(store, 2, 1_000, Backlog::default()).unwrap()
}

pub fn nonce(issuer_id: IssuerId, value: &str) -> Option<Nonce> {
    Some(Nonce {
        issuer_id,
        value: value.to_owned(),
        expires_at: now() + 600_000_000,
    })
}

pub fn fresh_nonce(issuer_id: IssuerId) -> Option<Nonce> {
    nonce(issuer_id, CardholderId::random().as_str())
}

pub fn draft(action: &str) -> AuditDraft {
    AuditDraft {
        request_id: Some("request".to_owned()),
        origin: Some("192.0.2.1".to_owned()),
        ..AuditDraft::accepted(now(), "client!key", action)
    }
}

/// A signed enrolment with a nonce of its own.
pub fn enrol(user: NewCardholder) -> Commit {
    Commit {
        nonce: fresh_nonce(user.issuer_id),
        audit: AuditDraft {
            issuer_id: Some(user.issuer_id),
            subject: Some(user.user_id.as_str().to_owned()),
            ..draft("user.enrol")
        },
        opening: None,
        sealed_under: None,
        act: Act::Enrol(Box::new(user)),
    }
}

/// A signed update with a nonce of its own.
pub fn update(update: CardholderUpdate) -> Commit {
    Commit {
        nonce: fresh_nonce(update.issuer_id),
        audit: draft("user.update"),
        opening: None,
        sealed_under: None,
        act: Act::Update(Box::new(update)),
    }
}

/// An update that changes name and locale alone.
pub fn new_name(issuer_id: IssuerId, user_id: &CardholderId, name: &[u8]) -> CardholderUpdate {
    CardholderUpdate {
        issuer_id,
        user_id: user_id.clone(),
        profile: SealedProfile {
            name: Some(name.to_vec()),
            locale: Some(b"sv-SE".to_vec()),
            ..SealedProfile::default()
        },
        seal_key: 1,
        updated_at: now(),
    }
}

/// A signed request that was refused.
pub fn record(issuer_id: IssuerId, value: &str) -> Commit {
    Commit {
        nonce: nonce(issuer_id, value),
        act: Act::Record,
        audit: draft("user.enrol").refused("INVALID_FPAN"),
        opening: None,
        sealed_under: None,
    }
}

pub fn declaration(client_id: &str, ranges: &[&str]) -> IssuerDeclaration {
    IssuerDeclaration {
        client_id: ClientId::parse(client_id).unwrap(),
        name: "Programme".to_owned(),
        profile: ProfileColumns {
            customer_id: None,
            email: "programme@example.com".to_owned(),
            currency_code: "USD".to_owned(),
            country_code: "USA".to_owned(),
            country_name: "United States".to_owned(),
            terms_and_condition_url: None,
            privacy_notice_url: None,
            opt_out_url: None,
            theme: None,
        },
        donation: true,
        responses: Responses::Mirror,
        unicode_names: false,
        rsa_pss: true,
        envelopes: Envelopes::Both,
        field_level_headers: false,
        accept_expired_signing: false,
        answers: EnvelopeForm::FieldLevel(FieldLevelForm::default()),
        self_service_ranges: None,
        time_zone: chrono_tz::UTC,
        factor_set: None,
        dashboard: None,
        account_ranges: ranges.iter().map(|r| (*r).to_owned()).collect(),
        certificates: Vec::new(),
    }
}
