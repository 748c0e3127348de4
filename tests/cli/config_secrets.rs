//! No message about a configuration quotes a value of it: it may be a password.

use crate::config_file::Sections;
use crate::process::{run, run_with, text, write};

#[test]
fn a_password_in_the_database_url_is_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    for database in [
        "url = \"postgres://gateway:pAssw0rdCanary@127.0.0.1:1/gateway\"",
        "url = \"postgres://gateway:pAssw0rdCanary@127.0.0.1:1/gateway?nonsense=1\"",
        "url = \"postgres://gateway:pAssw0rdCanary@[::1\"",
        "url = \"postgres://127.0.0.1:1/gateway\"\nmigrate_url = \"postgres://gateway:pAssw0rdCanary@127.0.0.1:1/gateway\"",
    ] {
        let mut sections = Sections::new("");
        sections.database = database.to_owned();
        let config = sections.write(dir.path());
        for command in ["serve", "migrate"] {
            let output = run(&["--config", text(&config), command]);
            assert_eq!(output.code, Some(1), "{}", output.stderr);
            let written = output.stdout + &output.stderr;
            assert!(!written.contains("pAssw0rdCanary"), "{written}");
        }
    }
}

#[test]
fn a_configuration_that_does_not_parse_is_not_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let canary = "postgres://gateway:pAssw0rdCanary@127.0.0.1:1/gateway";
    let refused = |args: &[&str], env: &[(&str, &str)], named: &str| {
        let message = run_with(args, env, b"").refused(&[named]);
        assert!(!message.contains("Canary"), "{message}");
    };
    for (database, named) in [
        (format!("url = \"{canary}"), "line 5, column "),
        (format!("url = {canary}"), "line 5, column "),
        (format!("url = [\"{canary}\"]"), "database.url"),
        (
            format!("url = \"a\"\npool_size = \"{canary}\""),
            "database.pool_size",
        ),
        (
            format!("url = \"a\"\n[log]\nformat = \"{canary}\""),
            "log.format",
        ),
    ] {
        let mut sections = Sections::new("");
        sections.database = database;
        let config = sections.write(dir.path());
        for command in [
            &["serve"][..],
            &["migrate"],
            &["issuer", "list"],
            &["keys", "list"],
        ] {
            let args = [&["--config", text(&config)], command].concat();
            refused(&args, &[], named);
        }
    }
    // The environment is laid over the file, whole sections too.
    let config = Sections::new("sqlite:gateway.db").write(dir.path());
    let serve = ["--config", text(&config), "serve"];
    for (name, named) in [
        ("ISSUER_GATEWAY__DATABASE", "database"),
        ("ISSUER_GATEWAY__DATABASE__POOL_SIZE", "database.pool_size"),
        ("ISSUER_GATEWAY__SERVER__LISTEN", "server.listen"),
        ("ISSUER_GATEWAY__LOG__FORMAT", "log.format"),
    ] {
        refused(&serve, &[(name, canary)], named);
    }
    // So are the issuers.
    for (issuers, named) in [
        ("[[issuer]]\nname = \"pAssw0rdCanary", "line 2, column "),
        ("issuer = \"pAssw0rdCanary\"", "line 1, column "),
        (
            "[[issuer]]\nclient_id = \"a\"\ndonation = \"pAssw0rdCanary\"",
            "issuer a",
        ),
    ] {
        let file = write(dir.path(), "issuers.toml", issuers);
        let args = ["--config", text(&config), "issuer", "apply", text(&file)];
        refused(&args, &[], named);
    }
}
