use super::*;
use crate::footprint::set::{Confidence, Mcc};
use crate::footprint::{Country, Currency, Money};
use crate::transactions::item::{Brand, Kind, Merchant, SourceId, Unscored};
use crate::transactions::stored::{ScoreOutcome, Scored, StoredScore, StoredTransaction};
use chrono::{Days, NaiveDate};
use proptest::option;
use proptest::prelude::*;

fn set() -> SetId {
    SetId::stored("ig-2026.1").unwrap()
}

fn source() -> impl Strategy<Value = SourceId> {
    prop_oneof![
        "[A-Za-z0-9_-]{1,100}".prop_map(|text| SourceId::parse(&text).unwrap()),
        any::<[u8; 16]>().prop_map(SourceId::Uuid),
        any::<[u8; 32]>().prop_map(SourceId::Clearing),
    ]
}

fn outcome(date: NaiveDate) -> impl Strategy<Value = ScoreOutcome> {
    let grams = -1_000_000_000_i64..1_000_000_000;
    let score = (
        grams.clone(),
        grams,
        0_usize..3,
        any::<bool>(),
        option::of(0_u64..400),
        option::of(0_i32..30),
    );
    prop_oneof![
        score.prop_map(move |(co2e, co2, class, stale, rates, months)| {
            ScoreOutcome::Grams(StoredScore {
                co2e: Grams::from_centigrams(co2e),
                co2: Grams::from_centigrams(co2),
                confidence: Confidence::ALL[class],
                stale,
                rates: rates.map(|age| date.checked_sub_days(Days::new(age)).unwrap()),
                consumer_prices: months.map(|age| Month::of(date).plus(-age)),
            })
        }),
        Just(ScoreOutcome::Category),
        Just(ScoreOutcome::Never(Unscored::Cash)),
        Just(ScoreOutcome::Never(Unscored::Transfer)),
        Just(ScoreOutcome::InvalidMcc),
        Just(ScoreOutcome::OutOfRange),
    ]
}

fn transaction() -> impl Strategy<Value = StoredTransaction> {
    let currencies: Vec<Currency> = Currency::all().collect();
    let countries: Vec<Country> = Country::all().collect();
    // A reversal may be later than the month that it stands in.
    let date = (0_u64..90).prop_map(|days| {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        first.checked_add_days(Days::new(days)).unwrap()
    });
    let kinds = vec![Kind::Purchase, Kind::Refund, Kind::Reversal];
    let parts = (
        (source(), date, 0_u16..10_000, -10_i64.pow(9)..10_i64.pow(9)),
        proptest::sample::select(currencies),
        proptest::sample::select(countries),
        proptest::sample::select(kinds),
        option::of(proptest::sample::select(Brand::ALL.to_vec())),
        option::of("[a-zé]{1,25}"),
        option::of(source()),
        (option::of(100_u16..1_000), -10_i64.pow(12)..10_i64.pow(12)),
    );
    parts.prop_flat_map(|parts| {
        let ((source, date, mcc, units), currency, country, kind, brand, merchant, original, area) =
            parts;
        outcome(date).prop_map(move |outcome| StoredTransaction {
            source: source.clone(),
            date,
            mcc: Mcc::new(mcc).unwrap(),
            amount: Money::from_minor_units(units, currency).unwrap(),
            country,
            kind,
            brand,
            merchant: merchant
                .as_deref()
                .map(|text| Merchant::parse(text).unwrap()),
            original: original.clone(),
            scored: Scored {
                area: area.0,
                spend_eur_cents: area.1,
                outcome,
            },
        })
    })
}

fn january(transactions: Vec<StoredTransaction>) -> StoredMonth {
    let mut month = StoredMonth::empty(Month::new(2026, 1).unwrap());
    for transaction in transactions {
        month.push(transaction).unwrap();
    }
    month
}

proptest! {
    #[test]
    fn a_month_is_read_as_it_was_written(all in proptest::collection::vec(transaction(), 0..12)) {
        let month = january(all);
        let bytes = encode_month(&set(), &month).unwrap();
        prop_assert_eq!(decode_month(month.month, &bytes), Ok((set(), month.clone())));
        let (read, sums, _) = decode_sums(&bytes).unwrap();
        prop_assert_eq!((read, sums), (set(), month.sums));
    }

    #[test]
    fn damaged_bytes_do_not_panic(
        all in proptest::collection::vec(transaction(), 1..4),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let month = january(all);
        let mut bytes = encode_month(&set(), &month).unwrap().to_vec();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        decode_month(month.month, &bytes).ok();
        bytes.truncate(place);
        prop_assert!(decode_month(month.month, &bytes).is_err());
    }

    #[test]
    fn a_ledger_is_read_as_it_was_written(
        ids in proptest::collection::vec((source(), 0_i32..14), 0..40),
        notice in option::of((any::<i64>(), any::<i64>(), any::<i64>())),
    ) {
        let mut ledger = Ledger::new(set());
        ledger.notice = notice.map(|(at, before, after)| Notice {
            at,
            former: SetId::stored("own-1").unwrap(),
            before: Grams::from_centigrams(before),
            after: Grams::from_centigrams(after),
        });
        let first = Month::new(2025, 11).unwrap();
        for (id, month) in &ids {
            ledger.note(first.plus(*month), id);
        }
        let bytes = encode_ledger(&ledger).unwrap();
        prop_assert_eq!(decode_ledger(&bytes), Ok(ledger.clone()));
        for (id, month) in &ids {
            prop_assert!(ledger.months_of(id).any(|found| found == first.plus(*month)));
        }
    }
}

#[test]
fn another_version_is_not_guessed_at() {
    let mut bytes = encode_month(&set(), &january(Vec::new())).unwrap().to_vec();
    bytes[0] = 2;
    assert_eq!(
        decode_month(Month::new(2026, 1).unwrap(), &bytes),
        Err(Unreadable)
    );
    let mut bytes = encode_ledger(&Ledger::new(set())).unwrap().to_vec();
    bytes[0] = 2;
    assert_eq!(decode_ledger(&bytes), Err(Unreadable));
}
