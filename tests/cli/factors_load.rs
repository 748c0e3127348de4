//! `factors load`: what operators load is validated whole, recorded, and scored with by running
//! nodes.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run, text, write};
use crate::support::gateway::{TestClient, consumer_key};
use crate::support::{Backend, TestDatabase, until};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

on_both!(blocking: a_running_node_scores_with_what_is_loaded, a_file_is_loaded_whole_or_not_at_all,
    a_set_of_an_operators_own_stands_beside_the_gateways);

/// A database, a configuration, and a folder for files.
struct Operator {
    database: TestDatabase,
    dir: tempfile::TempDir,
    config: PathBuf,
}

impl Operator {
    fn new(backend: Backend) -> Self {
        let database = TestDatabase::empty(backend);
        let dir = tempfile::tempdir().unwrap();
        let config = ready(&database, dir.path(), |_| {});
        Self {
            database,
            dir,
            config,
        }
    }

    fn factors(&self, args: &[&str]) -> Output {
        run(&[&["--config", text(&self.config), "factors"], args].concat())
    }

    fn load(&self, name: &str, content: &str) -> Output {
        let file = write(self.dir.path(), name, content);
        self.factors(&["load", text(&file)])
    }
}

fn a_running_node_scores_with_what_is_loaded(backend: Backend) {
    let operator = Operator::new(backend);
    let (_running, base_url) = Running::serve(&operator.config, &[]);
    let client = TestClient::new(&base_url, &consumer_key("demo"), "issuer-signing", None);
    let url = format!("{base_url}/supported-currencies");
    let knows = |code: &str| {
        let answer = client.send_to("GET", &url, Vec::new());
        let list: Value = serde_json::from_slice(&answer.body).unwrap();
        list.as_array()
            .unwrap()
            .contains(&json!({"currencyCode": code}))
    };
    assert!(!knows("CLP") && !knows("CRC"));
    let long = "date,currency,per_eur\n2026-10-01,CLP,1105.5\n2026-10-02,CLP,1100\n2024-04-02,AUD,1.6522\n";
    let told = operator.load("rates.csv", long).ok();
    assert!(
        told.contains("rates.csv: 3 rows of rates, 2 of them new or changed"),
        "{told}"
    );
    until("the node scores in CLP", || knows("CLP"));
    let again = operator.load("other-name.csv", long).ok();
    assert!(
        again.contains("loaded already: load ")
            && again.contains(", rates.csv, by operator tester"),
        "{again}"
    );

    // The European Central Bank's file as it is.
    let wide =
        "Date,USD,JPY,CRC,CYP,\n2026-10-05,1.2,175.1,590.25,N/A,\n2026-10-02,1.1,N/A,591,N/A,\n";
    let told = operator.load("eurofxref-hist.csv", wide).ok();
    assert!(
        told.contains("5 rows of rates, 5 of them new or changed"),
        "{told}"
    );
    until("the node scores in CRC", || knows("CRC"));

    let score = |arguments: &[&str]| {
        let purchase = [
            "score",
            "--mcc",
            "5411",
            "--amount",
            "10000",
            "--currency",
            "CLP",
            "--date",
            "2026-10-03",
            "--country",
            "SWE",
        ];
        operator.factors(&[&purchase, arguments].concat())
    };
    score(&[]).refused(&["UNSUPPORTED_CURRENCY"]);
    let sum = score(&["--loaded"]).ok();
    assert!(sum.contains("10000 CLP / 1100 = "), "{sum}");
    let corrected = "date,currency,per_eur\n2026-10-02,CLP,1000\n";
    operator.load("corrected.csv", corrected).ok();
    assert!(score(&["--loaded"]).ok().contains("10000 CLP / 1000 = "));
    // What was replaced can come back, by its own file.
    let first = text(&operator.dir.path().join("rates.csv")).to_owned();
    operator.factors(&["load", "--again", &first]).ok();
    assert!(score(&["--loaded"]).ok().contains("10000 CLP / 1100 = "));

    let shown = operator.factors(&["show", "--loaded"]).ok();
    for part in [
        "2026-10-05",
        "rates.csv, ",
        ", operator tester",
        "eurofxref-hist.csv",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let audited = "SELECT count(*) AS n FROM audit_entries WHERE action = 'factors.load' AND outcome = 'accepted'";
    assert_eq!(operator.database.number(audited), 4);
}

fn a_file_is_loaded_whole_or_not_at_all(backend: Backend) {
    let operator = Operator::new(backend);
    let bad = "date,currency,per_eur\n2026-10-01,CLP,1105.5\n2026-13-01,CLP,-4\n";
    operator.load("rates.csv", bad).refused(&[
        "nothing is loaded",
        "rates.csv, line 3, column date: must be a day",
        "rates.csv, line 3, column per_eur: must be a number",
    ]);
    let price =
        "country,carrier,from_date,price,currency,source\nCHL,petrol,2026-01-01,1300,CLP,ENAP\n";
    operator
        .load("prices.csv", price)
        .refused(&["prices.csv, column currency: CLP has no exchange rate"]);
    operator
        .load("other.csv", "a,b\n1,2\n")
        .refused(&["other.csv, line 1: must be the header of rates, cpi, prices or grid"]);
    let folder = text(operator.dir.path()).to_owned();
    operator
        .factors(&["load", &folder])
        .refused(&["a folder needs --set ID"]);
    operator
        .factors(&["load", "missing.csv"])
        .refused(&["missing.csv"]);
    assert_eq!(operator.database.count("factor_loads"), 0);
    for (name, content) in [
        (
            "a.csv",
            "month,cpi_u,to_usd2022,to_eur2023,status\n2026-06,330,0.886833,0.9,published\n",
        ),
        ("b.csv", "country,year,g_co2e_per_kwh\nSWE,2025,20\n"),
        ("c.csv", "date,currency,per_eur\n2026-10-01,CLP,1105.5\n"),
        ("prices.csv", price),
    ] {
        operator.load(name, content).ok();
    }
    let kinds = operator
        .database
        .texts("SELECT kind AS t FROM factor_loads ORDER BY load_id");
    assert_eq!(kinds, ["cpi", "grid", "rates", "prices"]);
}

fn a_set_of_an_operators_own_stands_beside_the_gateways(backend: Backend) {
    let operator = Operator::new(backend);
    let set = operator.dir.path().join("set");
    fs::create_dir(&set).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for name in [
        "emission_factors.csv",
        "adjustments.csv",
        "regional_factors.csv",
        "mcc.csv",
        "areas.csv",
        "carriers.csv",
        "vat.csv",
    ] {
        fs::copy(data.join(name), set.join(name)).unwrap();
    }
    let folder = text(&set).to_owned();
    let load = |id: &str| operator.factors(&["load", "--set", id, &folder]);
    assert_eq!(load("ig-2027.1").code, Some(2));
    assert_eq!(load("Own").code, Some(2));
    let areas = fs::read_to_string(set.join("areas.csv")).unwrap();
    let broken = areas.replacen("groceries,101", "groceries,99", 1);
    fs::write(set.join("areas.csv"), broken).unwrap();
    load("own-1").refused(&["nothing is loaded", "areas.csv, line 2, column code"]);
    assert_eq!(operator.database.count("factor_loads"), 0);

    let named = areas.replacen("Food & Drink,Groceries", "Food & Drink,Daily shopping", 1);
    fs::write(set.join("areas.csv"), named).unwrap();
    let told = load("own-1").ok();
    assert!(
        told.contains("factor set own-1 is loaded")
            && told.contains("not part of a set, and not loaded: vat.csv"),
        "{told}"
    );
    assert!(load("own-1").ok().contains("loaded already"));
    fs::write(set.join("areas.csv"), &areas).unwrap();
    load("own-1").refused(&[
        "factor set own-1 exists with other files",
        "choose another id",
    ]);

    let shown = operator.factors(&["show", "--set", "own-1"]).ok();
    assert!(
        shown.contains("factor set own-1") && shown.contains("factor sets: ig-2026.1, own-1"),
        "{shown}"
    );
    let groceries = [
        "show",
        "--set",
        "own-1",
        "--mcc",
        "5411",
        "--country",
        "SWE",
    ];
    let shown = operator.factors(&groceries).ok();
    assert!(shown.contains("Daily shopping"), "{shown}");

    // An issuer can take a set that is there, and no other.
    let dir = operator.dir.path();
    let issuer = |set: &str| {
        let file = crate::issuer::one("new", "[\"400000\"]", &format!("factor_set = \"{set}\""));
        let file = write(dir, "new.toml", &file);
        run(&[
            "--config",
            text(&operator.config),
            "issuer",
            "apply",
            text(&file),
        ])
    };
    issuer("own-2").refused(&["issuer new: factor_set: there is no factor set own-2"]);
    issuer("Own!").refused(&["issuer new: factor_set: must be the id of a factor set"]);
    issuer("own-1").ok();
    let show = run(&["--config", text(&operator.config), "issuer", "show", "new"]).ok();
    assert!(show.contains("factor set            own-1"), "{show}");
    // A file that names none leaves it.
    let file = crate::issuer::one("new", "[\"400000\"]", "time_zone = \"Europe/Stockholm\"");
    let file = write(dir, "new.toml", &file);
    run(&[
        "--config",
        text(&operator.config),
        "issuer",
        "apply",
        text(&file),
    ])
    .ok();
    let show = run(&["--config", text(&operator.config), "issuer", "show", "new"]).ok();
    for part in [
        "factor set            own-1",
        "time zone             Europe/Stockholm",
    ] {
        assert!(show.contains(part), "{part}: {show}");
    }
    let file = crate::issuer::one("new", "[\"400000\"]", "time_zone = \"Stockholm\"");
    let file = write(dir, "new.toml", &file);
    run(&[
        "--config",
        text(&operator.config),
        "issuer",
        "apply",
        text(&file),
    ])
    .refused(&["issuer new: time_zone: must be an IANA name"]);
}
