//! `oauth_timestamp` against the clock.

use super::super::recorded::Recorded;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use crate::oauth1::Authorization;
use chrono::DateTime;

/// Zones differ by multiples of this, in seconds.
const QUARTER_HOUR: u64 = 900;
/// A clock that is right but for its zone may be this far off, in seconds.
const SLACK: u64 = 60;

pub(super) fn examine(
    walk: &mut Walk,
    call: &Recorded,
    authorization: &Authorization<'_>,
    window: i64,
) {
    let timestamp = authorization.timestamp();
    let Some(now) = call.at else {
        walk.not_checked(
            StepId::Timestamp,
            format!("{timestamp}: it is not known when the call came"),
        );
        return;
    };
    let off = timestamp.saturating_sub(now.timestamp());
    let distance = off.unsigned_abs();
    let found = match DateTime::from_timestamp(timestamp, 0) {
        Some(moment) => format!(
            "{timestamp}, which is {}",
            moment.format("%Y-%m-%d %H:%M:%S UTC")
        ),
        None => timestamp.to_string(),
    };
    if u64::try_from(window).is_ok_and(|window| distance <= window) {
        walk.passed(StepId::Timestamp, found);
        return;
    }
    let (side, code) = match off > 0 {
        true => ("ahead of", "timestamp.clock_ahead"),
        false => ("behind", "timestamp.clock_behind"),
    };
    let cause = if timestamp < 10_000_000 {
        Cause::new(
            "timestamp.not_since_1970",
            format!("oauth_timestamp is {timestamp}: this is not the time since 1970."),
            "Send the seconds since 1970-01-01 00:00 UTC.",
        )
    } else if timestamp > 100_000_000_000 {
        milliseconds(&timestamp.to_string())
    } else {
        let quarters = (distance + QUARTER_HOUR / 2) / QUARTER_HOUR;
        let rest = distance.abs_diff(quarters * QUARTER_HOUR);
        if rest <= SLACK && (2..=14 * 4).contains(&quarters) {
            Cause::new(
                "timestamp.time_zone",
                format!(
                    "The timestamp is {} {side} the gateway's clock: the client took its local \
                     time for UTC.",
                    span(quarters * QUARTER_HOUR)
                ),
                "Send the seconds since 1970-01-01 00:00 UTC, whatever the zone.",
            )
        } else {
            Cause::new(
                code,
                format!("The client's clock is {distance} seconds {side} the gateway's."),
                "Set the client's clock (NTP), and sign right before sending.",
            )
        }
    };
    let expected = format!(
        "{} (the gateway's clock), {window} seconds more or less",
        now.timestamp()
    );
    walk.failed(StepId::Timestamp, found, expected, cause);
}

/// The time in a smaller unit.
pub(super) fn milliseconds(found: &str) -> Cause {
    let unit = match found.len() {
        0..=14 => "milliseconds",
        15..=17 => "microseconds",
        _ => "nanoseconds",
    };
    Cause::new(
        "timestamp.milliseconds",
        format!("oauth_timestamp is in {unit}."),
        "Send whole seconds since 1970 (10 digits).",
    )
}

fn span(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
    match minutes {
        0 => format!("{hours} h"),
        _ => format!("{hours} h {minutes} min"),
    }
}
