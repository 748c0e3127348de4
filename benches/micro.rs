//! `make bench-micro`: what the parts of a request cost, one by one.
//!
//! ```sh
//! make bench-micro                              # all of them
//! cargo bench --features bundled --bench micro -- open   # those whose name contains "open"
//! ```

use anyhow::{Context, ensure};
use chrono::{NaiveDate, Utc};
use criterion::{Criterion, Throughput};
use issuer_gateway::client::sample;
use issuer_gateway::enrolment::rules::{self, IssuerRules};
use issuer_gateway::footprint::set::Mcc;
use issuer_gateway::footprint::{Country, Currency, Money, Purchase, Scorer, Verdict};
use issuer_gateway::ids::IssuerId;
use issuer_gateway::issuers::account_range::AccountRange;
use issuer_gateway::json;
use issuer_gateway::keys::source::{read_certificate, read_private_key};
use issuer_gateway::oauth1::{
    Authorization, Policy, PublicOrigin, Request, SignatureError, SignatureMethod, SigningKey,
    VerifyingKey,
};
use issuer_gateway::payload::{
    self, Accepted, DecryptionKey, Envelope, EnvelopeKind, FieldLevelHeaders, KeyRing, KeyState,
    Recipient,
};
use issuer_gateway::store::{DatabaseUrl, Store, migrations};
use issuer_gateway::unwrap::{Asker, Engine, MultiBuffer, Unwrapper, open_once};
use issuer_gateway::vault::{Kek, Keks, Place, SealedColumn, Vault};
use openssl::pkey::PKey;
use std::hint::black_box;
use std::path::PathBuf;
use tokio::runtime::Runtime;

const RANGE: &str = "534403";
const ORIGIN: &str = "https://gateway.bench.example";
const PATH: &str = "/issuers/users";
const ENVELOPES: [(&str, EnvelopeKind); 2] = [
    ("jwe", EnvelopeKind::Jwe),
    ("field-level", EnvelopeKind::FieldLevel),
];

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    open_and_seal(&mut criterion, &runtime)?;
    verify(&mut criterion)?;
    refuse(&mut criterion)?;
    rules(&mut criterion)?;
    vault(&mut criterion, &runtime)?;
    footprint(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// A file of tests/keys.
fn key_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/keys")
        .join(name)
}

fn clear() -> Vec<u8> {
    sample::enrolment(RANGE).to_string().into_bytes()
}

/// Opening has the RSA private operation in it, and the way to the thread that does it and back;
/// sealing a public one.
fn open_and_seal(criterion: &mut Criterion, runtime: &Runtime) -> anyhow::Result<()> {
    let private = read_private_key(&key_file("gateway.pem"))?;
    let key = DecryptionKey::new(private, None, Vec::new(), KeyState::Primary)?;
    let ring = KeyRing::new(vec![key])?;
    let recipient =
        Recipient::from_certificate(&*read_certificate(&key_file("gateway-cert.pem"))?)?;
    let unwrapper = Unwrapper::start(1, 16, Engine::choose(&MultiBuffer::Off)?)?;
    let clear = clear();
    for (name, kind) in ENVELOPES {
        criterion.bench_function(&format!("seal/{name}"), |bencher| {
            bencher.iter(|| black_box(payload::seal(kind, &recipient, &clear)));
        });
        let body = payload::seal(kind, &recipient, &clear)?;
        let open = || {
            let envelope = Envelope::parse(&body, &FieldLevelHeaders::default(), Accepted::ALL)?;
            let opened = open_once(&ring, (&unwrapper, Asker::default()), envelope, |_| true);
            anyhow::Ok(runtime.block_on(opened)?)
        };
        open()?;
        criterion.bench_function(&format!("open/{name}"), |bencher| {
            bencher.iter(|| black_box(open().is_ok()));
        });
    }
    Ok(())
}

/// From the raw header to a proven signature, body hash included.
fn verify(criterion: &mut Criterion) -> anyhow::Result<()> {
    let private = read_private_key(&key_file("issuer-signing.pem"))?;
    let public = PKey::public_key_from_pem(&private.public_key_to_pem()?)?;
    let verifying = VerifyingKey::from_public_key(public)?;
    let signing = SigningKey::from_private_key(private, "bench!0a".to_owned())?;
    let origins = [PublicOrigin::parse(ORIGIN)?];
    let body = clear();
    let request = Request {
        method: "POST",
        path: PATH,
        query: None,
        body: &body,
    };
    let url = format!("{ORIGIN}{PATH}");
    for method in [SignatureMethod::RsaSha256, SignatureMethod::RsaPss] {
        let now = Utc::now().timestamp();
        let header = signing.sign_at("POST", &url, &body, method, now, "abcdefgh12345678")?;
        let verify = || {
            let authorization = Authorization::parse(&header)?;
            let policy = Policy::default();
            authorization.verify(&request, &origins, &[&verifying], &policy, now)
        };
        verify()?;
        criterion.bench_function(&format!("verify/{}", method.name()), |bencher| {
            bencher.iter(|| black_box(verify()));
        });
    }
    Ok(())
}

/// What a signature that fails costs: with an ordinary query, and with the worst one that is taken.
fn refuse(criterion: &mut Criterion) -> anyhow::Result<()> {
    let private = read_private_key(&key_file("issuer-signing.pem"))?;
    let public = PKey::public_key_from_pem(&private.public_key_to_pem()?)?;
    let verifying = VerifyingKey::from_public_key(public)?;
    let signing = SigningKey::from_private_key(private, "bench!0a".to_owned())?;
    let origins = [PublicOrigin::parse(ORIGIN)?];
    let now = Utc::now().timestamp();
    let header = signing.sign_at(
        "GET",
        &format!("{ORIGIN}/elsewhere"),
        b"",
        SignatureMethod::RsaSha256,
        now,
        "abcdefgh12345678",
    )?;
    let hostile: Vec<String> = (0..32)
        .map(|n| format!("b{n}%2f=(+)~*!{n:05}%7e%7e%7e"))
        .collect();
    let hostile = hostile.join("&");
    for (name, query) in [("ordinary", "lang=en-US"), ("hostile", hostile.as_str())] {
        let request = Request {
            method: "GET",
            path: PATH,
            query: Some(query),
            body: b"",
        };
        let verify = || {
            let authorization = Authorization::parse(&header)?;
            let policy = Policy::default();
            authorization.verify(&request, &origins, &[&verifying], &policy, now)
        };
        ensure!(verify() == Err(SignatureError::SignatureInvalid), "{name}");
        criterion.bench_function(&format!("refuse/{name}-query"), |bencher| {
            bencher.iter(|| black_box(verify()));
        });
    }
    Ok(())
}

/// From decrypted text to a parsed enrolment.
fn rules(criterion: &mut Criterion) -> anyhow::Result<()> {
    let account_ranges = [AccountRange::parse(RANGE)?];
    let issuer = IssuerRules {
        donation: true,
        unicode_names: false,
        account_ranges: &account_ranges,
    };
    let clear = clear();
    let today = Utc::now().date_naive();
    let enrol = || {
        let object = json::parse_object(&clear).ok()?;
        rules::enrolment(&object, &issuer, today).ok()
    };
    ensure!(enrol().is_some(), "the sample breaks a rule");
    criterion.bench_function("rules/enrolment", |bencher| {
        bencher.iter(|| black_box(enrol()));
    });
    Ok(())
}

/// Blind indexes, and one sealed column.
fn vault(criterion: &mut Criterion, runtime: &Runtime) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("vault.db").display());
    let url = DatabaseUrl::parse(&url)?;
    migrations::run(&url)?;
    let kek = Keks::new(Kek::from_base64(&Kek::generate()?)?, Vec::new());
    let vault = runtime.block_on(Vault::open(&Store::open(&url, 1), kek))?;
    let vault = vault.current();
    let issuer_id = IssuerId(1);
    let card = sample::card_number(RANGE);
    criterion.bench_function("index/card-number", |bencher| {
        bencher.iter(|| black_box(vault.pan_index(issuer_id, black_box(&card))));
    });
    criterion.bench_function("index/e-mail", |bencher| {
        bencher.iter(|| black_box(vault.email_index(issuer_id, black_box("holder@example.com"))));
    });
    let place = Place {
        owner: issuer_id.into(),
        row_id: "32c7ea6e-6b2a-4f5b-9cf1-9f8f2f8e1a10",
        column: SealedColumn::CardholderBillingAddress,
        month: None,
    };
    let enrolment = sample::enrolment(RANGE);
    let address = enrolment.get("billingAddress").context("no address")?;
    let address = address.to_string().into_bytes();
    criterion.bench_function("column/seal", |bencher| {
        bencher.iter(|| black_box(vault.seal(place, &address)));
    });
    let sealed = vault.seal(place, &address)?;
    criterion.bench_function("column/open", |bencher| {
        bencher.iter(|| black_box(vault.open_sealed(place, &sealed.bytes)));
    });
    Ok(())
}

/// Name, category, minor units, currency, date and merchant's country of a purchase of each kind.
const PURCHASES: [(&str, &str, i64, &str, &str, &str); 4] = [
    ("spend-home", "5411", 5420, "USD", "2026-01-15", "USA"),
    (
        "spend-converted",
        "5411",
        25_000,
        "SEK",
        "2025-11-12",
        "SWE",
    ),
    ("fuel", "5541", 80_000, "SEK", "2026-04-13", "SWE"),
    ("not-scored", "6011", 20_000, "EUR", "2026-01-15", "DEU"),
];

/// One purchase of each kind, then a cardholder's mix: 70 % at home, 20 % converted, 8 % fuel, 2 %
/// not scored.
fn footprint(criterion: &mut Criterion) -> anyhow::Result<()> {
    let scorer = Scorer::builtin()?;
    let mut purchases = Vec::new();
    for (name, mcc, units, currency, date, country) in PURCHASES {
        let currency = Currency::from_alpha(currency).context(currency)?;
        let purchase = Purchase {
            mcc: Mcc::parse(mcc).context(mcc)?,
            amount: Money::from_minor_units(units, currency)?,
            date: date.parse::<NaiveDate>()?,
            country: Country::from_alpha3(country).context(country)?,
        };
        let verdict = scorer.score(&purchase).verdict;
        let expected = matches!(verdict, Verdict::Scored(_)) != (name == "not-scored");
        ensure!(expected, "{name} is {}", verdict.name());
        criterion.bench_function(&format!("score/{name}"), |bencher| {
            bencher.iter(|| black_box(scorer.score(black_box(&purchase))));
        });
        purchases.push(purchase);
    }
    let [home, converted, fuel, not_scored] = purchases.as_slice() else {
        anyhow::bail!("four kinds of purchases")
    };
    let mut mix = Vec::new();
    for (purchase, count) in [(home, 70), (converted, 20), (fuel, 8), (not_scored, 2)] {
        mix.extend(std::iter::repeat_n(*purchase, count));
    }
    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(u64::try_from(mix.len())?));
    group.bench_function("mix-of-100", |bencher| {
        bencher.iter(|| {
            for purchase in &mix {
                black_box(scorer.score(black_box(purchase)));
            }
        });
    });
    group.finish();
    Ok(())
}
