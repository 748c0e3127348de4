//! `transactions import`: files in, months out, and nothing twice.

mod killed;

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run, text, write};
use crate::support::gateway::{TestClient, consumer_key, test_key, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use issuer_gateway::footprint::Month;
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::store::Store;
use issuer_gateway::transactions::read;
use issuer_gateway::vault::{Kek, Keks, Vault};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

on_both!(
    blocking:
    a_file_is_imported_once,
    clearing_files_are_imported_and_told_apart,
    rejects_hold_no_card_numbers,
    a_dry_run_writes_nothing,
    an_issuer_and_a_day_can_be_chosen,
);

const HEADER: &str = "transactionId,cardNumber,mcc,amountValue,amountCurrencyCode,date,indicator,countryISOCode,merchantName";

/// A database with cardholders, and a folder for files.
struct Scene {
    database: TestDatabase,
    dir: tempfile::TempDir,
    config: PathBuf,
    /// Of issuer `demo`: card number and user id.
    holders: Vec<(String, String)>,
}

impl Scene {
    /// With so many cardholders of issuer `demo`, and one of `compat`.
    fn new(backend: Backend, count: usize) -> Self {
        let database = TestDatabase::empty(backend);
        let dir = tempfile::tempdir().unwrap();
        let config = ready(&database, dir.path(), |_| {});
        let (_running, base_url) = Running::serve(&config, &[]);
        let client = TestClient::new(
            &base_url,
            &consumer_key("demo"),
            "issuer-signing",
            Some("issuer-encryption"),
        );
        let enrol = |_| {
            let enrolment = sample::enrolment("534403");
            let id = user_id(&client.enrol(&enrolment));
            (enrolment["cardNumber"].as_str().unwrap().to_owned(), id)
        };
        Self {
            holders: (0..count).map(enrol).collect(),
            database,
            dir,
            config,
        }
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        write(self.dir.path(), name, content)
    }

    fn import(&self, file: &Path, more: &[&str]) -> Output {
        run(&[&self.arguments(file), more].concat())
    }

    fn arguments<'a>(&'a self, file: &'a Path) -> [&'a str; 5] {
        let config = text(&self.config);
        ["--config", config, "transactions", "import", text(file)]
    }

    /// Everything that is stored of the cardholders, in clear.
    fn months(&self) -> String {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = Store::open(&self.database.url(), 2);
            let kek = std::fs::read_to_string(test_key("kek.key")).unwrap();
            let kek = Kek::from_base64(kek.trim()).unwrap();
            let vault = Vault::open(&store, Keks::new(kek, vec![])).await.unwrap();
            let mut all = String::new();
            for (_, id) in &self.holders {
                let id = CardholderId::parse(id).unwrap();
                let first = Month::new(2000, 1).unwrap();
                let issuer = IssuerId(1);
                let found = read::cardholder((&store, &vault), issuer, &id, first).await;
                // When they were written is no part of what counts.
                let found = found.unwrap().map(|found| (found.ledger, found.months));
                writeln!(all, "{found:#?}").unwrap();
            }
            all
        })
    }

    /// Purchases of the cardholders, one after the other, in the last months.
    fn purchases(&self, count: usize) -> String {
        let today = chrono::Utc::now().date_naive();
        let mut csv = format!("{HEADER}\n");
        for number in 0..count {
            let (card, _) = &self.holders[number % self.holders.len()];
            let date = today - chrono::Days::new(u64::try_from(number % 300).unwrap());
            let (euros, cents) = (number % 90 + 1, number % 100);
            writeln!(
                csv,
                "tx-{number},{card},5411,{euros}.{cents:02},EUR,{date},CL,SWE,ICA Maxi"
            )
            .unwrap();
        }
        csv
    }
}

/// The count that stands before the words in a summary; 0 if they are not there.
#[track_caller]
fn count(summary: &str, words: &str) -> u64 {
    let line = summary
        .lines()
        .find(|line| line.trim_end().ends_with(words));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}

fn a_file_is_imported_once(backend: Backend) {
    let scene = Scene::new(backend, 3);
    let file = scene.write("may.csv", &scene.purchases(100));
    let first = scene.import(&file, &[]).ok();
    assert_eq!(count(&first, "stored and scored"), 100, "{first}");
    assert_eq!(count(&first, "records, csv"), 100);
    let months = scene.months();
    assert_eq!(
        months.matches("ICA Maxi").count() + months.matches("Merchant(****)").count(),
        100
    );
    let marks = || scene.database.count("transaction_imports");
    assert_eq!(marks(), 0);

    // The same again, and under another name.
    let second = scene.import(&file, &[]).ok();
    assert_eq!(count(&second, "stored before"), 100, "{second}");
    let renamed = scene.dir.path().join("again.csv");
    std::fs::rename(&file, &renamed).unwrap();
    let third = scene.import(&renamed, &[]).ok();
    assert_eq!(count(&third, "stored before"), 100);
    assert_eq!(scene.months(), months);

    let audited = scene.database.texts(
        "SELECT actor || ' ' || outcome || ' ' || detail AS t FROM audit_entries \
         WHERE action = 'transactions.import' ORDER BY at",
    );
    assert_eq!(audited.len(), 3);
    let sha = first.lines().find_map(|line| line.strip_prefix("SHA-256 "));
    for part in [
        "operator tester accepted",
        "format=csv",
        "scored=100",
        sha.unwrap(),
    ] {
        assert!(audited[0].contains(part), "{part}: {}", audited[0]);
    }
    let cards: Vec<&str> = scene
        .holders
        .iter()
        .map(|(card, _)| card.as_str())
        .collect();
    scene.database.assert_no_canary(&cards);
    scene
        .database
        .assert_no_canary(&["ICA Maxi", "may.csv", "tx-1"]);
}

fn clearing_files_are_imported_and_told_apart(backend: Backend) {
    let scene = Scene::new(backend, 1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ipm");
    // Nobody has enrolled the cards of these files: all of it is counted, nothing stored.
    let mut told = Vec::new();
    for name in ["ebcdic", "latin1_blocked"] {
        let file = scene.dir.path().join(name);
        std::fs::copy(folder.join(format!("{name}.ipm")), &file).unwrap();
        let summary = scene.import(&file, &[]).ok();
        assert_eq!(count(&summary, "records, ipm"), 67, "{summary}");
        assert_eq!(
            count(&summary, "no active cardholder has the card or the id"),
            60
        );
        assert_eq!(
            count(&summary, "headers, trailers and fees: no transactions"),
            3
        );
        assert_eq!(count(&summary, "of a kind that is not known"), 3);
        assert_eq!(count(&summary, "cards of no active issuer"), 1);
        told.push(
            summary
                .lines()
                .take(4)
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(told[0], told[1]);

    // A card that is enrolled, in a copy of the file.
    let card = &scene.holders[0].0;
    let of_card = || {
        let mut bytes = std::fs::read(folder.join("latin1.ipm")).unwrap();
        let known = b"5344035555555557";
        for at in 0..bytes.len() - known.len() {
            if bytes[at..].starts_with(known) {
                bytes[at..at + known.len()].copy_from_slice(card.as_bytes());
            }
        }
        bytes
    };
    let plain = of_card();
    let mut blocked = Vec::new();
    for block in plain.chunks(1_012) {
        blocked.extend(block);
        blocked.resize(blocked.len().next_multiple_of(1_014), 0x40);
    }
    let written = |name: &str, bytes: &[u8]| {
        let file = scene.dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    // 20 of them; one is in Kuwaiti dinars, of which the compiled-in data have no rate.
    let import = |file: &Path| {
        let told = scene.import(file, &[]);
        assert_eq!(told.code, Some(1), "{}", told.stderr);
        assert_eq!(
            count(&told.stdout, "in a currency without a rate"),
            1,
            "{}",
            told.stdout
        );
        told.stdout
    };
    let first = import(&written("one.ipm", &plain));
    let unscored = "stored; cash, transfers and other categories that are not scored";
    let stored = (count(&first, "stored and scored"), count(&first, unscored));
    assert_eq!(stored, (16, 3), "{first}");
    let months = scene.months();
    // The same messages in another framing count once.
    let second = import(&written("two.ipm", &blocked));
    assert_eq!(count(&second, "stored before"), 19, "{second}");
    assert_eq!(scene.months(), months);

    // A cut file fails, and says where; what was whole is done.
    let whole = std::fs::read(folder.join("ebcdic.ipm")).unwrap();
    let cut = written("cut.ipm", &whole[..whole.len() - 10]);
    let refused = scene.import(&cut, &[]);
    assert!(
        refused.stdout.contains("records, ipm"),
        "{}",
        refused.stdout
    );
    refused.refused(&["cut.ipm: message 67: the file ends within the message"]);
}

fn rejects_hold_no_card_numbers(backend: Backend) {
    let scene = Scene::new(backend, 1);
    let card = &scene.holders[0].0;
    let today = chrono::Utc::now().date_naive();
    let future = today + chrono::Days::new(3);
    let old = today - chrono::Months::new(30);
    let rows = [
        format!("a,{card},5411,1,EUR,{today},CL,SWE,Shop"),
        format!("a,{card},5411,2,EUR,{today},CL,SWE,Shop"),
        format!("b,{card},5411,1,CLP,{today},CL,SWE,Shop"),
        format!("c,{card},5411,1,EUR,{future},CL,SWE,Shop"),
        format!("d,{card},5411,1,EUR,{old},CL,SWE,Shop"),
        format!("{card},{card},541100,1,EUR,{today},CL,SWE,Shop"),
        format!("e,{card}1,5411,1,EUR,{today},CL,SWE,Shop"),
        format!("f,{card},1234,1,EUR,{today},CL,SWE,Shop"),
        format!("g,5344030000000005,5411,1,EUR,{today},CL,SWE,Shop"),
        format!("h,4111111111111111,5411,1,EUR,{today},CL,SWE,Shop"),
        format!("i,{card},6011,1,EUR,{today},CL,SWE,Shop"),
        format!("j,{card},5411,1,EUR,{today},AT,SWE,Shop"),
    ];
    let file = scene.write("may.csv", &format!("{HEADER}\n{}\n", rows.join("\n")));
    let imported = scene.import(&file, &[]);
    assert_eq!(
        imported.code,
        Some(1),
        "{}\n{}",
        imported.stdout,
        imported.stderr
    );
    let summary = &imported.stdout;
    for (words, expected) in [
        ("stored and scored", 1),
        (
            "stored; cash, transfers and other categories that are not scored",
            1,
        ),
        ("stored; no category has their code", 1),
        ("another transaction of the cardholder has the id", 1),
        ("in a currency without a rate", 1),
        ("dated later than tomorrow", 1),
        ("before the cardholder's window", 1),
        ("with a fault", 2),
        ("no active cardholder has the card or the id", 1),
        ("cards of no active issuer", 1),
        ("authorisations: nothing was cleared", 1),
    ] {
        assert_eq!(count(summary, words), expected, "{words}: {summary}");
    }
    let rejects = scene.dir.path().join("may.csv.rejects.csv");
    let mode = std::fs::metadata(&rejects).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let told = std::fs::read_to_string(&rejects).unwrap();
    let last = &card[12..];
    let expected = format!(
        "number,transactionId,lastFour,reason,detail\n\
         3,a,{last},conflict,\"another transaction of the cardholder has the id\"\n\
         4,b,{last},unsupported-currency,\"in a currency without a rate\"\n\
         5,c,{last},future,\"dated later than tomorrow\"\n\
         7,************{last},{last},malformed,\"mcc must be 1 to 4 digits\"\n\
         8,e,{}1,malformed,\"cardNumber must be exactly 16 digits\"\n",
        &card[13..]
    );
    assert_eq!(told, expected);
    for written in [summary, &imported.stderr, &told] {
        assert!(!written.contains(card.as_str()), "{written}");
    }
    // A file that was put right leaves no rejects.
    let file = scene.write("may.csv", &format!("{HEADER}\n{}\n", rows[0]));
    scene.import(&file, &[]).ok();
    assert!(!rejects.exists());
}

fn a_dry_run_writes_nothing(backend: Backend) {
    let scene = Scene::new(backend, 2);
    let file = scene.write("may.csv", &scene.purchases(40));
    let before = scene.database.dump();
    let told = scene.import(&file, &["--dry-run"]).ok();
    assert_eq!(count(&told, "stored and scored"), 40, "{told}");
    assert!(told.contains("a dry run: nothing was written"));
    assert_eq!(scene.database.dump(), before);
    scene.import(&file, &[]).ok();
    let told = scene.import(&file, &["--dry-run"]).ok();
    assert_eq!(count(&told, "stored before"), 40, "{told}");
    let bad = scene.write("bad.csv", &format!("{HEADER}\na,b,c\n"));
    let told = scene.import(&bad, &["--dry-run"]);
    assert_eq!(
        (told.code, count(&told.stdout, "with a fault")),
        (Some(1), 1)
    );
    assert!(!scene.dir.path().join("bad.csv.rejects.csv").exists());
}

fn an_issuer_and_a_day_can_be_chosen(backend: Backend) {
    let scene = Scene::new(backend, 1);
    let (card, id) = &scene.holders[0];
    let today = chrono::Utc::now().date_naive();
    let yesterday = today.pred_opt().unwrap();
    let rows = [
        format!("a,{card},5411,1,EUR,{today},CL,SWE,Shop"),
        format!("b,{card},5411,1,EUR,{yesterday},CL,SWE,Shop"),
        format!("c,2223000000000007,5411,1,EUR,{today},CL,SWE,Shop"),
    ];
    let file = scene.write("may.csv", &format!("{HEADER}\n{}\n", rows.join("\n")));
    let since = today.to_string();
    let told = scene
        .import(&file, &["--issuer", "demo", "--since", &since])
        .ok();
    for words in [
        "stored and scored",
        "before the date of --since",
        "of other issuers than --issuer",
    ] {
        assert_eq!(count(&told, words), 1, "{words}: {told}");
    }
    scene
        .import(&file, &["--issuer", "nobody"])
        .refused(&["no issuer nobody"]);
    scene
        .import(&file, &["--format", "ipm"])
        .refused(&["is no message of a clearing file"]);
    scene
        .import(scene.dir.path(), &[])
        .refused(&["not a regular file"]);
    let none = scene.write("none.txt", "hello\n");
    scene
        .import(&none, &[])
        .refused(&["none.txt", "neither CSV"]);

    // By the cardholder's id: only one issuer may be meant.
    let header = HEADER.replace("cardNumber", "userid");
    let row = format!("d,{id},5411,1,EUR,{today},CL,SWE,Shop");
    let file = scene.write("users.csv", &format!("{header}\n{row}\n"));
    let told = scene.import(&file, &[]);
    assert_eq!(
        (told.code, count(&told.stdout, "with a fault")),
        (Some(1), 1)
    );
    let told = scene.import(&file, &["--issuer", "demo"]).ok();
    assert_eq!(count(&told, "stored and scored"), 1, "{told}");
}
