//! `--help` is good enough to work from.

use crate::process::run;

#[test]
fn every_command_says_what_it_does() {
    let cases: [(&[&str], &[&str]); 25] = [
        (
            &[],
            &[
                "end-to-end encrypted",
                "sandbox",
                "serve",
                "client",
                "issuer",
                "migrate",
                "--config",
                "ISSUER_GATEWAY_CONFIG",
            ],
        ),
        (&["serve"], &["Run the gateway", "--config"]),
        (
            &["sandbox"],
            &["out of one folder", "--dir", "--port", "--demo", "8080"],
        ),
        (&["migrate"], &["migrations"]),
        (
            &["backup"],
            &[
                "while nodes serve",
                "0600",
                "nothing is overwritten",
                "PostgreSQL",
            ],
        ),
        (
            &["audit", "verify"],
            &["audit.witness", "--expect", "CHAIN:SEQ:HASH", "lost tail"],
        ),
        (&["client"], &["Play an issuer server", "enroll", "update"]),
        (
            &["client", "enroll"],
            &[
                "POST /issuers/users",
                "--envelope",
                "jwe",
                "fle",
                "--signature",
                "rsa-pss",
                "--verbose",
                "--sandbox",
                "--base-url",
                "--consumer-key",
                "--signing-key",
                "--gateway-certificate",
                "--decryption-key",
                "--tls-ca",
            ],
        ),
        (
            &["client", "update"],
            &["PUT /issuers/users/{userid}", "USER_ID"],
        ),
        (
            &["keys"],
            &["generate", "list", "fingerprint", "rotate", "check"],
        ),
        (
            &["issuer"],
            &["apply", "list", "show", "set-status", "remove"],
        ),
        (
            &["issuer", "apply"],
            &[
                "TOML",
                "applying it twice changes nothing",
                "validated whole",
            ],
        ),
        (&["issuer", "list"], &["List all issuers"]),
        (&["issuer", "show"], &["account ranges"]),
        (
            &["issuer", "set-status"],
            &["INACTIVE", "ACTIVE", "SUSPENDED", "TERMINATED"],
        ),
        (
            &["issuer", "set-donation"],
            &["must enrol again", "issuer apply", "on or off"],
        ),
        (&["issuer", "remove"], &["off board"]),
        (&["vault"], &["status", "split-kek", "rotate-kek"]),
        (
            &["vault", "split-kek"],
            &["custodian", "0600", "--new", "vault.kek_shares"],
        ),
        (
            &["vault", "rotate-kek"],
            &["vault.further_keks", "Every node"],
        ),
        (&["factors"], &["show", "score", "What scores are made of"]),
        (
            &["factors", "show"],
            &[
                "--set",
                "--kind",
                "rates|prices|grid|cpi",
                "--mcc",
                "--country",
                "checksums",
                "Needs no configuration",
            ],
        ),
        (
            &["factors", "score"],
            &[
                "--mcc",
                "--amount",
                "--currency",
                "--date",
                "--country",
                "negative for a refund",
                "Nothing is stored",
            ],
        ),
        (&["user", "show"], &["last four digits", "--issuer"]),
        (&["user", "set-status"], &["ACTIVE or INACTIVE", "at once"]),
    ];
    for (command, named) in cases {
        let mut args = command.to_vec();
        args.push("--help");
        let help = run(&args).ok();
        for name in named {
            assert!(
                help.contains(name),
                "{args:?} does not mention {name}:\n{help}"
            );
        }
    }
}

#[test]
fn wrong_usage_is_exit_status_2() {
    for args in [
        &["serv"][..],
        &["sandbox", "--prot", "1"],
        &["client"],
        &["issuer", "set-status", "a", "GONE"],
        &[],
    ] {
        let output = run(args);
        assert_eq!(output.code, Some(2), "{args:?}");
        assert!(
            output.stderr.contains("Usage") || output.stderr.contains("--help"),
            "{}",
            output.stderr
        );
    }
}
