//! Issuers that change their certificates while their servers call.

use super::{Installation, Node, ORIGIN, Operator};
use crate::rotation::deployment::Deployment;
use crate::support::gateway::{consumer_key, issuer_toml};
use crate::support::until;
use issuer_gateway::client::identity::Identity;
use issuer_gateway::client::{Client, Operation, sample};
use issuer_gateway::issuers::declaration;
use issuer_gateway::keys::rotation::{generate, self_signed};
use issuer_gateway::keys::source::read_certificate;
use issuer_gateway::oauth1::{SignatureMethod, SigningKey};
use issuer_gateway::payload::{
    DecryptionKey, EnvelopeKind, Fingerprint, KeyRing, KeyState, Recipient,
};
use issuer_gateway::store::audit::AuditDraft;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use serde_json::Value;
use std::fs;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, RwLock};

/// Pairs of keys that an issuer takes in turn. Making an RSA key takes a good part of a second
/// under load, so there are as many as can tell the former, the present and the next one apart; the
/// certificates are new in every round.
const PAIRS: usize = 3;

/// What an issuer signs with, and what it reads answers with.
struct Pair {
    signing: PKey<Private>,
    encryption: PKey<Private>,
}

impl Pair {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public_key(&self.encryption).unwrap()
    }
}

/// What the servers of an issuer hold at one moment.
#[derive(Clone)]
pub(super) struct Keys {
    /// Requests are encrypted to it.
    pub(super) gateway: X509,
    signing: PKey<Private>,
    /// Open answers.
    decryption: Vec<PKey<Private>>,
}

impl Keys {
    fn client(&self, issuer: &str) -> Client {
        let key = |(number, key): (usize, &PKey<Private>)| {
            let state = match number {
                0 => KeyState::Primary,
                _ => KeyState::Active,
            };
            DecryptionKey::new(key.clone(), None, Vec::new(), state).unwrap()
        };
        let ring = self.decryption.iter().enumerate().map(key).collect();
        let identity = Identity {
            base_url: ORIGIN.to_owned(),
            signing: SigningKey::from_private_key(self.signing.clone(), consumer_key(issuer))
                .unwrap(),
            gateway: Recipient::from_certificate(&self.gateway).unwrap(),
            decryption: Some(KeyRing::new(ring).unwrap()),
            tls_ca: None,
        };
        Client::new(identity).unwrap()
    }
}

pub(super) struct Issuer {
    pub(super) name: &'static str,
    pub(super) range: &'static str,
    pairs: Vec<Pair>,
    keys: Mutex<Keys>,
    client: RwLock<Arc<Client>>,
    /// Every enrolment that was accepted, by whichever server.
    pub(super) enrolled: Mutex<Vec<Value>>,
}

impl Issuer {
    pub(super) fn new(name: &'static str, range: &'static str, original: &Deployment) -> Self {
        let pair = |_| Pair {
            signing: generate(2_048).unwrap(),
            encryption: generate(2_048).unwrap(),
        };
        let pairs: Vec<Pair> = (0..PAIRS).map(pair).collect();
        let keys = Keys {
            gateway: read_certificate(&original.path("gateway-cert.pem")).unwrap(),
            signing: pairs[0].signing.clone(),
            decryption: vec![pairs[0].encryption.clone()],
        };
        Self {
            name,
            range,
            pairs,
            client: RwLock::new(Arc::new(keys.client(name))),
            keys: Mutex::new(keys),
            enrolled: Mutex::default(),
        }
    }

    fn pair(&self, round: usize) -> &Pair {
        &self.pairs[round % PAIRS]
    }

    /// A client with the keys of this moment, for one call.
    pub(super) fn client(&self) -> Arc<Client> {
        self.client.read().unwrap().clone()
    }

    /// Gives the issuer's servers other keys, and waits until no call with the former ones is under
    /// way. One change after the other, so that there are no calls with still older ones either.
    fn change(&self, change: impl FnOnce(&mut Keys)) {
        let mut keys = self.keys.lock().unwrap();
        change(&mut keys);
        let client = Arc::new(keys.client(self.name));
        let former = std::mem::replace(&mut *self.client.write().unwrap(), client);
        let former = {
            let weak = Arc::downgrade(&former);
            drop(former);
            weak
        };
        until("no call with the former keys is under way", || {
            former.strong_count() == 0
        });
    }
}

/// Changes the keys of every issuer, of all at the same time.
pub(super) fn change_all(issuers: &[Issuer], change: impl Fn(&Issuer, &mut Keys) + Sync) {
    std::thread::scope(|scope| {
        for issuer in issuers {
            let change = &change;
            scope.spawn(move || issuer.change(|keys| change(issuer, keys)));
        }
    });
}

/// The operator's file of issuers, with their certificates beside it.
pub(super) struct IssuersFile {
    dir: tempfile::TempDir,
}

impl IssuersFile {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// Applies a file with the certificates of these rounds.
    pub(super) fn apply(
        &self,
        operator: &Operator,
        issuers: &[Issuer],
        rounds: RangeInclusive<usize>,
    ) {
        let mut text = String::new();
        for issuer in issuers {
            let Issuer { name, range, .. } = issuer;
            let consumer_key = consumer_key(name);
            text.push_str(&issuer_toml(name, &[range], true));
            for round in rounds.clone() {
                let pair = issuer.pair(round);
                let signing = self.certificate(name, "signing", round, &pair.signing);
                let encryption = self.certificate(name, "encryption", round, &pair.encryption);
                text.push_str(&format!(
                    r#"
[[issuer.signing]]
consumer_key = "{consumer_key}"
certificate = "{signing}"
[[issuer.encryption]]
certificate = "{encryption}"
"#
                ));
            }
        }
        let declared = declaration::parse(&text, self.dir.path()).unwrap();
        let applying = operator
            .store
            .apply_issuers(declared, AuditDraft::local("issuer.apply"));
        operator.run(applying).unwrap();
    }

    /// The name of a certificate's file, which is made if it is not there yet.
    fn certificate(&self, issuer: &str, use_: &str, round: usize, key: &PKey<Private>) -> String {
        let name = format!("{issuer}-{use_}-{round}.pem");
        let file = self.dir.path().join(&name);
        if !file.exists() {
            // A validity begins with a whole second: of those that begin in the same one the last
            // to end is the newest.
            let days = 90 + u32::try_from(round).unwrap();
            let certificate = self_signed(key, issuer, days).unwrap();
            fs::write(file, certificate.to_pem().unwrap()).unwrap();
        }
        name
    }
}

/// What a node may seal an issuer's answers to, the newest first.
fn encryption_keys(node: &Node, issuer: &Issuer) -> Vec<Fingerprint> {
    let issuers = node.gateway.gateway.registry.issuers();
    let loaded = issuers
        .iter()
        .find(|loaded| loaded.client_id.as_str() == issuer.name);
    let certificates = loaded.unwrap().encryption.iter();
    certificates
        .map(|certificate| certificate.recipient.fingerprint())
        .collect()
}

fn wait_for(installation: &Installation, rounds: &[usize]) {
    until("every node has loaded the issuers' certificates", || {
        installation.nodes.iter().all(|node| {
            installation.issuers.iter().all(|issuer| {
                let expected = rounds.iter().map(|round| issuer.pair(*round).fingerprint());
                encryption_keys(node, issuer) == expected.collect::<Vec<_>>()
            })
        })
    });
}

/// Rotates the certificates of all issuers, so many times.
pub(super) fn rotate(installation: &Installation, rounds: usize) {
    let operator = Operator::new(&installation.original);
    let Installation {
        issuers_file,
        issuers,
        ..
    } = installation;
    for round in 1..=rounds {
        change_all(issuers, |issuer, keys| {
            keys.decryption.push(issuer.pair(round).encryption.clone());
        });
        // Adds the new ones, and removes those that nobody has used since the last round.
        issuers_file.apply(&operator, issuers, round - 1..=round);
        wait_for(installation, &[round, round - 1]);
        change_all(issuers, |issuer, keys| {
            keys.signing = issuer.pair(round).signing.clone();
            keys.decryption.remove(0);
        });
    }
    issuers_file.apply(&operator, issuers, rounds..=rounds);
    wait_for(installation, &[rounds]);
    for issuer in issuers {
        assert_eq!(refused_with_former_keys(installation, issuer, rounds), 401);
    }
}

/// The status of a call that is signed with the certificate before the last one.
fn refused_with_former_keys(installation: &Installation, issuer: &Issuer, last: usize) -> u16 {
    let mut keys = issuer.keys.lock().unwrap().clone();
    keys.signing = issuer.pair(last - 1).signing.clone();
    let client = keys.client(issuer.name);
    let clear = sample::enrolment(issuer.range).to_string();
    let mut request = client
        .prepare(
            &Operation::Enrol,
            EnvelopeKind::Jwe,
            SignatureMethod::RsaSha256,
            clear.as_bytes(),
        )
        .unwrap();
    request.url = installation.nodes[0].url(&request.url);
    client.send(&request).unwrap().status
}
