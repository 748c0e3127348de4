//! `GET /issuers/users/{userid}/aggregate-carbon-scores`: the grams of the current month
//! (cce-api.md 3.5, 7.3).

use super::read;
use crate::answer::Reply;
use crate::attempt::{Action, Attempt, Record};
use crate::call::Call;
use crate::enrolment::existing::existing_cardholder;
use crate::footprint::{Grams, Month};
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::refusal::Refusal;
use crate::violation::Violation;
use serde_json::json;

/// Longest text of the grams (cce-api.md 3.5).
const LONGEST: usize = 10;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The score of the cardholder `user_id` (as it stands in the path) in the current month of the
/// issuer's time zone.
///
/// # Errors
/// No such cardholder, or not an active one.
pub async fn aggregate(
    gateway: &Gateway,
    call: &Call<'_>,
    user_id: &str,
) -> Result<Reply, Refusal> {
    let subject = CardholderId::parse(user_id);
    let attempt = Attempt::begin(gateway, call, Action::ShowAggregate)?.about(subject.as_ref());
    let (month, grams) = match prepare(&attempt, subject).await {
        Ok(found) => found,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    attempt.commit(Record).await?;
    Ok(Reply::plain(&json!({
        "carbonEmissionInGrams": shown(grams),
        "aggregateDate": named(month),
    })))
}

async fn prepare(
    attempt: &Attempt<'_>,
    user_id: Option<CardholderId>,
) -> Result<(Month, Grams), Refusal> {
    attempt.require_active()?;
    let (gateway, issuer) = (attempt.gateway, attempt.issuer());
    let user_id = user_id.ok_or_else(|| vec![Violation::invalid("userid", CardholderId::RULE)])?;
    existing_cardholder(gateway, attempt.call, &issuer, &user_id).await?;
    let month = Month::of(issuer.local_date(attempt.call.now));
    let from = (&gateway.store, &gateway.vault);
    let sums = read::sums(from, issuer.id, &user_id, month).await?;
    let total = sums.total();
    let total = total.map_err(|_| Refusal::Internal("the sums of a month do not fit"))?;
    Ok((month, total.co2e))
}

/// A plain decimal of at most 10 characters: no zeros at the end, and fewer decimal places where it
/// would be longer (cce-api.md 7.3).
fn shown(grams: Grams) -> String {
    let exact = grams.decimal();
    let texts = (0..=2)
        .rev()
        .map(|places| exact.round_dp(places).normalize().to_string());
    let mut last = String::new();
    for text in texts {
        if text.len() <= LONGEST {
            return text;
        }
        last = text;
    }
    last
}

/// `november-2020`.
fn named(month: Month) -> String {
    let place = usize::try_from(month.month()).unwrap_or_default();
    let name = MONTHS
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    format!("{name}-{}", month.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_plain_and_short() {
        for (centigrams, text) in [
            (324_500, "3245"),
            (3_245, "32.45"),
            (3_240, "32.4"),
            (0, "0"),
            (-1_862_369, "-18623.69"),
            (123_456_789, "1234567.89"),
            (1_234_567_890, "12345678.9"),
            (12_345_678_950, "123456790"),
            (-1_234_567_850, "-12345678"),
            (-12_345_678_950, "-123456790"),
        ] {
            assert_eq!(shown(Grams::from_centigrams(centigrams)), text);
        }
        assert_eq!(named(Month::new(2020, 11).unwrap()), "november-2020");
        assert_eq!(named(Month::new(2027, 1).unwrap()), "january-2027");
    }
}
