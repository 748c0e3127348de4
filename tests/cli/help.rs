//! `--help` is good enough to work from.

use crate::process::run;

#[test]
fn every_command_says_what_it_does() {
    let cases: [(&[&str], &[&str]); 29] = [
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
            &[
                "out of one folder",
                "--dir",
                "--port",
                "--demo",
                "8080",
                "--seed <FILE>",
                "INSECURE",
                "--no-console",
                "reset",
            ],
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
        (
            &["audit", "purge"],
            &[
                "keyed anchor",
                "--before <TIME>",
                "--older-than-days",
                "--dry-run",
                "--exported-state",
                "--keep-less-than-a-year",
                "10.5.1",
                "checks the whole trail",
            ],
        ),
        (
            &["client"],
            &["Play an issuer server", "enrol", "alias: enroll", "update"],
        ),
        (
            &["client", "enrol"],
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
            &["client", "explain"],
            &[
                "HAR",
                "curl -v",
                "raw HTTP",
                "Nothing is sent",
                "exit status is 1",
                "--body",
                "--at",
                "--json",
                "--sandbox",
                "--consumer-key",
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
                "applying it twice changes nothing more",
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
        (
            &["vault"],
            &[
                "status",
                "reseal",
                "alias: rewrap",
                "split-kek",
                "rotate-kek",
            ],
        ),
        (
            &["vault", "reseal"],
            &[
                "newest data key",
                "Resumable",
                "--batch",
                "--rows-per-second",
            ],
        ),
        (
            &["vault", "split-kek"],
            &["custodian", "0600", "--new", "vault.kek"],
        ),
        (
            &["vault", "rotate-kek"],
            &["vault.further_keks", "every node"],
        ),
        (
            &["transactions", "rescore"],
            &["--to", "--stale", "--issuer", "Resumable", "90 days"],
        ),
        (
            &["factors"],
            &["show", "score", "load", "factor sets behind scores"],
        ),
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
fn former_names_of_commands_go_on_working() {
    for (former, today) in [
        (["client", "enroll"], ["client", "enrol"]),
        (["vault", "rewrap"], ["vault", "reseal"]),
    ] {
        let help = |command: [&str; 2]| run(&[command[0], command[1], "--help"]).ok();
        assert_eq!(help(former), help(today));
        assert!(help(today).contains(&today.join(" ")), "{}", help(today));
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
