//! The KEK from two custodians' shares.

use super::{Installation, assert_updates};
use crate::on_both;
use crate::process::{Running, run, text, write};
use crate::serve::client;
use crate::support::Backend;
use crate::support::gateway::{test_key, user_id};
use issuer_gateway::client::sample;
use issuer_gateway::vault::Kek;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The id that a command printed behind `KEK:`.
fn printed_id(output: &str) -> String {
    let line = output.lines().find_map(|line| line.strip_prefix("KEK:"));
    line.unwrap().trim().to_owned()
}

fn a_gateway_starts_from_two_shares(backend: Backend) {
    let mut at = Installation::new(backend);
    let (running, base_url) = Running::serve(&at.config, &[]);
    let user = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    at.stop(running);

    let (one, two) = (at.path("one.share"), at.path("two.share"));
    let printed = at.vault(&["split-kek", text(&one), text(&two)], &[]).ok();
    let kek = std::fs::read_to_string(test_key("kek.key")).unwrap();
    assert_eq!(printed_id(&printed), Kek::from_base64(&kek).unwrap().id());
    for share in [&one, &two] {
        let mode = std::fs::metadata(share).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = std::fs::read(&one).unwrap();
    let fresh = at.path("fresh.share");
    // Whichever of the two is there, nothing is overwritten and nothing is left behind.
    for (first, second) in [(&one, &fresh), (&fresh, &one), (&fresh, &fresh)] {
        at.vault(&["split-kek", text(first), text(second)], &[])
            .refused(&["exists"]);
        assert!(!fresh.exists());
    }
    assert_eq!(std::fs::read(&one).unwrap(), before);

    // One in a file beside the configuration, the other in the environment; in whichever order.
    let second = std::fs::read_to_string(&two).unwrap();
    let env = [("KEK_SHARE", second.as_str())];
    for shares in [
        r#"kek_shares = [{ file = "one.share" }, { env = "KEK_SHARE" }]"#,
        r#"kek_shares = [{ env = "KEK_SHARE" }, { file = "one.share" }]"#,
    ] {
        at.configure(shares);
        let (running, base_url) = Running::serve(&at.config, &env);
        assert_updates(&base_url, &user);
        at.stop(running);
    }

    // Wrong shares.
    at.serve_refused(&[], &["vault.kek: shares", "KEK_SHARE", "not set"]);
    let (other_one, other_two) = (at.path("other-1.share"), at.path("other-2.share"));
    let new = run(&[
        "vault",
        "split-kek",
        "--new",
        text(&other_one),
        text(&other_two),
    ])
    .ok();
    at.written += &new;
    let mistyped = second.replacen("share.1.2.", "share.1.1.", 1);
    write(at.dir.path(), "mistyped.share", &mistyped);
    write(at.dir.path(), "kek.share", &kek);
    let pair = |first: &str, second: &str| {
        format!(r#"kek_shares = [{{ file = "{first}" }}, {{ file = "{second}" }}]"#)
    };
    let wrong: [(String, &[&str]); 6] = [
        (
            pair("one.share", "one.share"),
            &["vault.kek: shares", "share 1 came twice"],
        ),
        (
            pair("one.share", "other-2.share"),
            &["vault.kek: shares", "two splits"],
        ),
        (
            pair("one.share", "mistyped.share"),
            &["mistyped.share", "checksum"],
        ),
        (
            pair("one.share", "kek.share"),
            &["kek.share", "not a KEK share"],
        ),
        (
            pair("one.share", "none.share"),
            &["vault.kek: shares", "none.share"],
        ),
        // A KEK, but not the one.
        (
            pair("other-1.share", "other-2.share"),
            &[&printed_id(&printed), &printed_id(&new)],
        ),
    ];
    for (vault, named) in wrong {
        at.configure(&vault);
        at.serve_refused(&[], named);
    }
    let shares = [&one, &two, &other_one, &other_two].map(PathBuf::as_path);
    at.assert_no_secret(&shares);
    at.assert_no_secret(&[&test_key("kek.key")]);
}

on_both!(blocking: a_gateway_starts_from_two_shares);
