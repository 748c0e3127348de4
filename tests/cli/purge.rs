//! `audit purge`: old entries go behind keyed anchors, whoever is killed, and `audit verify` stays
//! 0.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run, text};
use crate::serve::client;
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::{Store, now};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const DAY: i64 = 86_400_000_000;

/// A database with a configuration, and the folder that both are used from.
struct Place {
    database: TestDatabase,
    config: PathBuf,
    dir: tempfile::TempDir,
}

impl Place {
    fn new(backend: Backend) -> Self {
        let database = TestDatabase::empty(backend);
        let dir = tempfile::tempdir().unwrap();
        Self {
            config: ready(&database, dir.path(), |_| {}),
            database,
            dir,
        }
    }

    fn audit(&self, command: &str, more: &[&str]) -> Output {
        let args = ["--config", text(&self.config), "audit", command];
        run(&[&args[..], more].concat())
    }

    /// Arguments that purge what is older than a year.
    fn year(&self) -> [&str; 6] {
        let config = text(&self.config);
        [
            "--config",
            config,
            "audit",
            "purge",
            "--older-than-days",
            "365",
        ]
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a chain of so many entries, each so many days old; returns its name.
    fn old_entries(&self, count: usize, days: i64) -> String {
        let drafts = (0..count).map(|_| {
            let at = now() - days * DAY;
            AuditDraft::accepted(at, "client!key", "user.enrol")
        });
        self.entries(drafts.collect())
    }

    /// Writes a chain of these entries; returns its name.
    fn entries(&self, drafts: Vec<AuditDraft>) -> String {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = Store::open(&self.database.url(), 1);
        for some in drafts.chunks(500) {
            runtime.block_on(store.record_all(some.to_vec())).unwrap();
        }
        store.heads().all().remove(0).chain
    }

    fn entries_of(&self, chain: &str) -> i64 {
        let of = format!("audit_entries WHERE chain = '{chain}'");
        self.database.count(&of)
    }

    /// Follows the trail until `until` holds; returns what the export said.
    fn follow(&self, holds: impl Fn(&str) -> bool) -> String {
        let (to, state) = (self.file("audit.jsonl"), self.file("audit.state"));
        let args = [
            "--config",
            text(&self.config),
            "audit",
            "export",
            "--follow",
        ];
        let files = ["--to", text(&to), "--state", text(&state)];
        let read = || fs::read_to_string(&to).unwrap_or_default();
        let before = read().len();
        let mut running = Running::start(&[&args[..], &files].concat(), &[]);
        // Its own entry comes out in any case.
        until("all is exported", || {
            read().len() > before && holds(&read())
        });
        assert!(running.signal("TERM").success());
        running.written("stderr")
    }
}

fn lines_of(chain: &str, exported: &str) -> usize {
    let of = format!(r#""chain":"{chain}""#);
    exported.lines().filter(|line| line.contains(&of)).count()
}

fn a_year_stays_and_the_rest_goes(backend: Backend) {
    let place = Place::new(backend);
    let (mut running, base_url) = Running::serve(&place.config, &[]);
    let old = place.old_entries(30, 400);
    let recent = place.old_entries(30, 300);
    client(&base_url).enrol(&sample::enrolment("534403"));

    // Without a cut-off, or with one that is no time.
    assert_eq!(place.audit("purge", &[]).code, Some(2));
    let output = place.audit("purge", &["--before", "soon"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("2025-12-31"), "{}", output.stderr);
    place
        .audit("purge", &["--before", "2999-01-01"])
        .refused(&["in the future"]);
    place
        .audit("purge", &["--older-than-days", "364"])
        .refused(&[
            "--older-than-days 364: entries of",
            "10.5.1",
            "--keep-less-than-a-year",
        ]);
    place
        .audit("purge", &["--older-than-days", "4294967295"])
        .refused(&["--older-than-days 4294967295: reaches back too far"]);

    // Beside a running node.
    let said = place
        .audit("purge", &["--older-than-days", "365", "--dry-run"])
        .ok();
    assert!(said.contains("29 entries of 1 chain"), "{said}");
    assert!(said.contains("Nothing was changed"), "{said}");
    assert_eq!(place.entries_of(&old), 30);
    let said = place.audit("purge", &["--older-than-days", "365"]).ok();
    assert!(said.contains("29 entries of 1 chain"), "{said}");
    assert_eq!((place.entries_of(&old), place.entries_of(&recent)), (1, 30));
    let said = place.audit("verify", &[]).ok();
    let told = "Before them 29 entries of 1 chain were purged; keyed anchors vouch for it.";
    assert!(said.contains(told), "{said}");
    let entries = place.database.texts(
        "SELECT outcome || ' ' || detail AS t FROM audit_entries WHERE action = 'audit.purge' \
         ORDER BY at",
    );
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries[0].starts_with("accepted before=20"), "{entries:?}");
    assert!(
        entries[1].ends_with(" entries=29 chains=1 gaps=0"),
        "{entries:?}"
    );

    // A node that starts behind the purge, and a shorter time.
    assert!(running.signal("TERM").success());
    let (mut running, _) = Running::serve(&place.config, &[]);
    place
        .audit(
            "purge",
            &["--older-than-days", "0", "--keep-less-than-a-year"],
        )
        .ok();
    assert_eq!(place.entries_of(&recent), 1);
    place.audit("verify", &[]).ok();
    assert!(running.signal("TERM").success());
    let (mut running, _) = Running::serve(&place.config, &[]);
    assert!(running.signal("TERM").success());
    place.audit("verify", &[]).ok();
    let status = run(&["--config", text(&place.config), "vault", "status"]).ok();
    assert!(status.contains("audit_purges"), "{status}");
    for command in [&["rotate"][..], &["reseal"], &["verify"]] {
        let args = ["--config", text(&place.config), "vault"];
        run(&[&args[..], command].concat()).ok();
    }
    place.audit("verify", &[]).ok();
    if backend == Backend::Sqlite {
        let copy = place.file("copy.db");
        run(&["--config", text(&place.config), "backup", text(&copy)]).ok();
    }
}

fn a_forged_purge_is_found_and_nothing_more_goes(backend: Backend) {
    let place = Place::new(backend);
    // The keys of the vault come with the first start.
    let (mut running, _) = Running::serve(&place.config, &[]);
    assert!(running.signal("TERM").success());
    let chain = place.old_entries(10, 400);
    place.database.execute(&format!(
        "INSERT INTO audit_purges SELECT chain, seq, hash, at, at, at, 1, hash FROM audit_entries \
         WHERE chain = '{chain}' AND seq = 4; \
         DELETE FROM audit_entries WHERE chain = '{chain}' AND seq <= 4"
    ));
    let told =
        format!("BROKEN chain {chain}: the keyed anchor of its purge up to entry 4 is forged");
    let verified = place.audit("verify", &[]);
    assert_eq!(verified.code, Some(1));
    assert!(verified.stdout.contains(&told), "{}", verified.stdout);
    let purged = place.audit("purge", &["--older-than-days", "365"]);
    assert_eq!(purged.code, Some(1));
    assert!(purged.stdout.contains(&told), "{}", purged.stdout);
    assert!(
        purged.stdout.contains("nothing was purged"),
        "{}",
        purged.stdout
    );
    assert_eq!(place.entries_of(&chain), 6);
    let refused = place.database.texts(
        "SELECT reason AS t FROM audit_entries WHERE action = 'audit.purge' AND outcome = 'refused'",
    );
    assert_eq!(refused, ["trail-broken"]);
}

/// So that it does not end before something is done to it.
const SLOWLY: [&str; 4] = ["--batch", "10", "--rows-per-second", "500"];

fn a_killed_purge_goes_on(backend: Backend) {
    let place = Place::new(backend);
    let chain = place.old_entries(4_000, 400);
    let args = place.year();
    for left in [3_900, 3_500] {
        let purging = Running::start(&[&args[..], &SLOWLY].concat(), &[]);
        until("some are gone", || place.entries_of(&chain) < left);
        purging.kill();
        assert!(place.entries_of(&chain) > 1);
        let said = place.audit("verify", &[]).ok();
        assert!(said.contains("were purged; keyed anchors vouch"), "{said}");
    }
    run(&args).ok();
    assert_eq!(place.entries_of(&chain), 1);
    place.audit("verify", &[]).ok();
}

fn an_export_says_what_it_never_had(backend: Backend) {
    let place = Place::new(backend);
    let state = place.file("audit.state");
    let first = place.old_entries(5, 400);
    place.follow(|exported| lines_of(&first, exported) == 5);

    // What was not exported is kept.
    let second = place.old_entries(7, 400);
    let exported = ["--older-than-days", "365", "--exported-state", text(&state)];
    let said = place.audit("purge", &exported).ok();
    assert!(said.contains("4 entries of 1 chain"), "{said}");
    assert!(said.contains("Kept: 1 chain has entries"), "{said}");
    assert_eq!(
        (place.entries_of(&first), place.entries_of(&second)),
        (1, 7)
    );
    let said = place.audit("verify", &["--expect", text(&state)]).ok();
    assert!(!said.contains("was purged"), "{said}");

    // Without the state it goes, and the export says so.
    place.audit("purge", &["--older-than-days", "365"]).ok();
    let said = place.follow(|exported| lines_of(&second, exported) == 1);
    let told =
        format!("warning: chain {second}: entries 1 to 6 were purged before they were exported");
    assert!(said.contains(&told), "{said}");
    assert!(!said.contains(&first), "{said}");
    // It says it once.
    let said = place.follow(|exported| lines_of(&second, exported) == 1);
    assert!(!said.contains("warning"), "{said}");
    let missing = ["--older-than-days", "365", "--exported-state", "nowhere"];
    place
        .audit("purge", &missing)
        .refused(&["nowhere: no such file"]);

    // A damaged state is called what it is.
    let damaged = place.file("damaged.state");
    fs::write(&damaged, "{}\n").unwrap();
    let damaged = text(&damaged);
    let told = format!("--exported-state {damaged}: it is no witness");
    let purging = ["--older-than-days", "365", "--exported-state", damaged];
    place.audit("purge", &purging).refused(&[&told]);
    let told = format!("--expect {damaged}: it is no witness");
    let expecting = ["--expect", damaged];
    place.audit("verify", &expecting).refused(&[&told]);
}

fn a_purge_says_which_declared_gaps_went(backend: Backend) {
    let place = Place::new(backend);
    let gap = |days: i64, lost: i64| AuditDraft {
        subject: Some(format!("lost {lost}")),
        detail: Some(format!("confirmed={lost}:00 found=0:")),
        ..AuditDraft::accepted(now() - days * DAY, "client!key", "audit.gap")
    };
    place.entries(vec![gap(400, 3), gap(300, 4)]);
    assert_eq!(place.audit("verify", &[]).code, Some(3));
    place.audit("verify", &["--known-gaps", "2"]).ok();
    let said = place.audit("purge", &["--older-than-days", "365"]).ok();
    assert!(said.contains("1 entry of 1 chain from before"), "{said}");
    let told = "1 declared gap went: lower --known-gaps by 1.";
    assert!(said.contains(told), "{said}");
    assert_eq!(place.audit("verify", &[]).code, Some(3));
    let said = place.audit("verify", &["--known-gaps", "1"]).ok();
    let told = "Before them 1 entry of 1 chain was purged";
    assert!(said.contains(told), "{said}");
    let details = "SELECT detail AS t FROM audit_entries WHERE action = 'audit.purge' ORDER BY seq";
    let details = place.database.texts(details);
    let told = " entries=1 chains=1 gaps=1";
    assert!(details[1].ends_with(told), "{details:?}");
}

fn a_break_that_a_purge_meets_on_its_way_is_recorded(backend: Backend) {
    let place = Place::new(backend);
    let chain = place.old_entries(4_000, 400);
    let args = place.year();
    let output = std::thread::scope(|scope| {
        let purging = scope.spawn(|| run(&[&args[..], &SLOWLY].concat()));
        until("some are gone", || place.entries_of(&chain) < 4_000);
        place.database.execute(&format!(
            "UPDATE audit_entries SET actor = 'another' WHERE chain = '{chain}' AND seq = 1500"
        ));
        purging.join().unwrap()
    });
    output.refused(&[&format!("chain {chain}: entry 1500 was edited")]);
    let left = place.entries_of(&chain);
    assert!((2_501..=2_510).contains(&left), "{left}");
    let refused = place.database.texts(
        "SELECT reason || detail AS t FROM audit_entries \
         WHERE action = 'audit.purge' AND outcome = 'refused'",
    );
    let told = format!(" entries={} gaps=0", 4_000 - left);
    assert!(refused[0].starts_with("trail-brokenbefore="), "{refused:?}");
    assert!(refused[0].ends_with(&told), "{refused:?}");
}

on_both!(blocking:
    a_year_stays_and_the_rest_goes,
    a_forged_purge_is_found_and_nothing_more_goes,
    a_killed_purge_goes_on,
    an_export_says_what_it_never_had,
    a_purge_says_which_declared_gaps_went,
    a_break_that_a_purge_meets_on_its_way_is_recorded,
);

/// The vault's keys are needed where something was purged, and only there.
#[test]
fn a_check_without_the_kek_says_what_it_lacks() {
    let place = Place::new(Backend::Sqlite);
    place.old_entries(5, 400);
    let without = without_kek(&place.config);
    let verify = || run(&["--config", text(&without), "audit", "verify"]);
    verify().ok();
    place.audit("purge", &["--older-than-days", "365"]).ok();
    verify().refused(&["entries were purged, and their anchors need the keys of the vault"]);
    place.audit("verify", &[]).ok();
}

/// A copy of the configuration whose KEK is another one.
fn without_kek(config: &Path) -> PathBuf {
    let other = config.with_file_name("other.kek");
    let kek = issuer_gateway::vault::Kek::generate().unwrap();
    fs::write(&other, kek.as_bytes()).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(config).unwrap();
    let lines = text.lines().map(|line| match line.starts_with("kek_file") {
        true => format!("kek_file = {:?}", other.display().to_string()),
        false => line.to_owned(),
    });
    let changed: Vec<String> = lines.collect();
    let copy = config.with_file_name("other.toml");
    fs::write(&copy, changed.join("\n")).unwrap();
    copy
}
