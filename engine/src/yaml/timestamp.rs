//! Dates and times in YAML.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::constant_pattern::constant_pattern;

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    constant_pattern(
        r"(?x)^(?<year>[0-9]{4})-(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})
        (?<time>(?:[Tt]|[\ \t]+)(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<fraction>[0-9]*))?
        (?:[\ \t]*(?:(?<utc>Z)|(?<sign>[-+])(?<hours>[0-9]{1,2})(?::(?<minutes>[0-9]{2}))?))?)?$",
    )
});

/// Whether a text is written like a date or a time, whatever its numbers are.
pub(super) fn is_timestamp(text: &str) -> bool {
    TIMESTAMP.is_match(text)
}

/// A date as it is; a time spelled as Python's `str` does, which is what a template makes of it.
pub(super) fn timestamp(text: &str) -> Option<Value> {
    let found = TIMESTAMP.captures(text)?;
    let (year, month, day) = (number(&found, "year"), number(&found, "month"), number(&found, "day"));
    let is_date = year > 0 && (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if found.name("time").is_none() {
        return (is_date && date == text).then(|| Value::from(date));
    }
    let (hour, minute, second) = (number(&found, "hour"), number(&found, "minute"), number(&found, "second"));
    let is_time = hour < 24 && minute < 60 && second < 60;
    let zone = zone(&found)?;
    let fraction = fraction(&found);
    (is_date && is_time)
        .then(|| Value::from(format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}{zone}")))
}

/// The number that a group has matched, 0 if it has not.
fn number(found: &Captures<'_>, group: &str) -> u32 {
    found.name(group).and_then(|digits| digits.as_str().parse().ok()).unwrap_or(0)
}

/// Microseconds with their point, or nothing when they are zero.
fn fraction(found: &Captures<'_>) -> String {
    let digits = found.name("fraction").map_or("", |digits| digits.as_str());
    let micros: String = digits.chars().chain("000000".chars()).take(6).collect();
    if micros == "000000" { String::new() } else { format!(".{micros}") }
}

/// The distance from UTC as `+HH:MM`, or nothing. `None` if it makes no sense.
fn zone(found: &Captures<'_>) -> Option<String> {
    if found.name("utc").is_some() {
        return Some("+00:00".to_owned());
    }
    let Some(sign) = found.name("sign") else { return Some(String::new()) };
    match (number(found, "hours"), number(found, "minutes")) {
        (0, 0) => Some("+00:00".to_owned()),
        (hours @ 0..24, minutes @ 0..60) => Some(format!("{}{hours:02}:{minutes:02}", sign.as_str())),
        _ => None,
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}
