//! Gateway keys, as the runbook says: added on every node, then promoted; the former one is
//! destroyed when nobody uses it any more.

use super::Installation;
use super::certificates::change_all;
use super::load::Load;
use crate::rotation::deployment::{Deployment, published, reloads};
use crate::support::gateway::test_key;
use crate::support::until;
use issuer_gateway::keys::rotation::{generate, self_signed};
use issuer_gateway::keys::source::read_certificate;
use issuer_gateway::payload::Fingerprint;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::fs;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// Keys that are taken in turn: enough that the one before, the present and the next one are never
/// the same. To make a hundred would take longer than all else; files, certificates and what the
/// nodes load are new each time.
const KEYS: usize = 4;

/// Calls that are answered while a configuration with a broken key lies on all nodes.
const CALLS_BESIDE_A_BROKEN_KEY: usize = 50;

/// A key that issuers may encrypt to.
struct Key {
    /// As the configuration names it.
    file: String,
    certificate: X509,
}

impl Key {
    fn kid(&self) -> String {
        let key = self.certificate.public_key().unwrap();
        Fingerprint::of_public_key(&key).unwrap().to_string()
    }
}

/// Makes so many new keys primary. The steps of neighbours go together: what brings the promotion
/// of one key brings the next one, and the end of the one before.
pub(super) fn rotate(installation: &Installation, load: &Load, times: usize) {
    let Installation {
        original, issuers, ..
    } = installation;
    let made: Vec<_> = (0..KEYS).map(|_| generate(2_048).unwrap()).collect();
    let mut keys = vec![Key {
        file: "gateway.pem".to_owned(),
        certificate: read_certificate(&original.path("gateway-cert.pem")).unwrap(),
    }];
    for primary in 0..=times {
        if primary == times / 2 {
            push_broken(installation, load);
        }
        // Every node has loaded the key that is to be primary, and nobody uses the one before the
        // present one any more.
        if primary >= 2 {
            fs::remove_file(original.path(&keys[primary - 2].file)).unwrap();
        }
        keys.push(write(original, primary + 1, &made[primary % KEYS]));
        declare(original, &keys, primary);
        bring(installation, &keys, primary);
        // One issuer takes what is new in the key sets at once, the others wait for the certificate
        // of the primary key.
        change_all(issuers, |issuer, its| {
            let early = usize::from(issuer.name == issuers[0].name);
            its.gateway = keys[primary + early].certificate.clone();
        });
    }
}

/// Writes a key with a new certificate into the operator's folder.
fn write(original: &Deployment, number: usize, key: &PKey<Private>) -> Key {
    let file = format!("gateway-{number}.pem");
    let certificate = self_signed(key, "issuer-gateway", 90).unwrap();
    let pem = key.private_key_to_pem_pkcs8().unwrap();
    fs::write(original.path(&file), pem).unwrap();
    let name = format!("gateway-{number}-cert.pem");
    fs::write(original.path(name), certificate.to_pem().unwrap()).unwrap();
    Key { file, certificate }
}

/// Edits the operator's configuration: those beside the primary key are active, and older ones
/// destroyed.
fn declare(original: &Deployment, keys: &[Key], primary: usize) {
    let mut tables = ArrayOfTables::new();
    for (number, key) in keys.iter().enumerate() {
        let state = match number {
            _ if number == primary => "primary",
            _ if number + 1 >= primary => "active",
            _ => "destroyed",
        };
        let mut table = Table::new();
        table.insert("file", value(&key.file));
        let certificate = key.file.replace(".pem", "-cert.pem");
        table.insert("certificate", value(certificate));
        table.insert("state", value(state));
        tables.push(table);
    }
    let mut document: DocumentMut = original.text().parse().unwrap();
    document["keys"]["gateway"] = Item::ArrayOfTables(tables);
    original.write(&document.to_string());
}

/// Brings keys and configuration to every node, and waits until each of them lists exactly those in
/// use.
fn bring(installation: &Installation, keys: &[Key], primary: usize) {
    let in_use = (primary.saturating_sub(1)..keys.len()).filter(|number| *number != primary);
    let expected: Vec<_> = std::iter::once(primary)
        .chain(in_use)
        .map(|number| keys[number].kid())
        .collect();
    for node in &installation.nodes {
        node.deployment.follow(&installation.original);
    }
    until("every node has loaded the gateway keys", || {
        let mut nodes = installation.nodes.iter();
        nodes.all(|node| published(&node.gateway) == expected)
    });
    for node in &installation.nodes {
        node.deployment.clean_up(&installation.original);
    }
}

/// Brings a configuration to every node whose new primary key has only half arrived, waits until it
/// is refused, lets the callers go on for a while, and takes it back.
fn push_broken(installation: &Installation, load: &Load) {
    let Installation {
        original, nodes, ..
    } = installation;
    let whole = fs::read_to_string(test_key("gateway.pem")).unwrap();
    let state = r#"state = "primary""#;
    for node in nodes {
        let before = published(&node.gateway);
        assert_eq!(
            reloads(&node.gateway, "failure"),
            0,
            "nothing was refused yet"
        );
        fs::write(
            node.deployment.path("broken.pem"),
            &whole[..whole.len() / 2],
        )
        .unwrap();
        let text = original.text().replace(state, r#"state = "active""#);
        node.deployment.write(&format!(
            "{text}\n[[keys.gateway]]\nfile = \"broken.pem\"\n{state}\n"
        ));
        until("the broken key is refused", || {
            reloads(&node.gateway, "failure") == 1
        });
        assert_eq!(published(&node.gateway), before);
    }
    load.wait_for(CALLS_BESIDE_A_BROKEN_KEY);
    for node in nodes {
        let loaded = reloads(&node.gateway, "success");
        node.deployment.follow(original);
        until("the mended configuration is loaded", || {
            reloads(&node.gateway, "success") > loaded
        });
    }
}
