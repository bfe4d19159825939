//! Days, as `/etc/shadow` counts them: from 1970-01-01.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::argument_schema::argument_schema;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// The day that it is, UTC.
pub fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs() / SECONDS_OF_A_DAY).unwrap_or_default()
}

/// A day on which something ends, or that it never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// As the playbook has it.
    pub text: String,
    /// Absent for never.
    pub day: Option<i64>,
}

impl Expiry {
    fn parse(text: &str) -> Option<Self> {
        let day = if text == "never" { None } else { Some(day(text)?) };
        Some(Self { text: text.to_owned(), day })
    }
}

/// The day of a date, `2027-01-31`.
fn day(date: &str) -> Option<i64> {
    let digits = |text: &str, count: usize| {
        let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    if year < 1970 || !(1..=*lengths.get(before)?).contains(&day) {
        return None;
    }
    let leaps = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let years = (year - 1970) * 365 + leaps(year) - leaps(1970);
    Some(years + lengths[..before].iter().sum::<i64>() + day - 1)
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is neither a date, like 2027-01-31, nor `never`"))
        })
    }
}

argument_schema!(Expiry, { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("1970-12-31", Some(364)),
            ("2000-02-29", Some(11_016)),
            ("2000-03-01", Some(11_017)),
            ("2024-12-31", Some(20_088)),
            ("2027-01-31", Some(20_849)),
            ("2100-03-01", Some(47_541)),
            ("2023-02-29", None),
            ("2100-02-29", None),
            ("2027-13-01", None),
            ("2027-00-01", None),
            ("2027-01-00", None),
            ("2027-1-1", None),
            ("1969-12-31", None),
            ("+027-01-01", None),
            ("soon", None),
        ];
        for (date, expected) in cases {
            assert_eq!(day(date), expected, "{date}");
        }
        assert_eq!(Expiry::parse("never").unwrap().day, None);
        assert_eq!(Expiry::parse(""), None);
    }
}
