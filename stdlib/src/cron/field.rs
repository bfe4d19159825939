//! One field of a schedule: which minutes, hours, days.

use std::fmt;

/// What a field is about: its lowest and highest value, and names for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The word for it in messages.
    pub word: &'static str,
    low: u8,
    high: u8,
    /// Of the first values.
    names: &'static [&'static str],
}

/// The fields of a schedule, in their order.
pub const UNITS: [Unit; 5] = [
    Unit { word: "minute", low: 0, high: 59, names: &[] },
    Unit { word: "hour", low: 0, high: 23, names: &[] },
    Unit { word: "day of the month", low: 1, high: 31, names: &[] },
    Unit {
        word: "month",
        low: 1,
        high: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // Sunday is 0 and 7.
    Unit {
        word: "day of the week",
        low: 0,
        high: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// The values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// All: `*`.
    Every,
    /// These, sorted.
    Some {
        /// As it was written.
        text: String,
        /// What that means.
        values: Vec<u8>,
    },
}

impl Field {
    /// Reads a field: values, names, ranges and steps, with commas between them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, unit: &Unit) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Every);
        }
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(part_values(part, unit).ok_or_else(|| {
                format!("`{part}` is no {}: it is a number from {} to {}", unit.word, unit.low, unit.high)
            })?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(Self::Some { text: text.to_owned(), values })
    }

    /// The values, unless they are all.
    pub fn values(&self) -> Option<&[u8]> {
        match self {
            Self::Every => None,
            Self::Some { values, .. } => Some(values),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Some { text, .. } => f.write_str(text),
        }
    }
}

fn part_values(part: &str, unit: &Unit) -> Option<Vec<u8>> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
        None => (part, 1),
    };
    let (low, high) = match range.split_once('-') {
        _ if range == "*" => (unit.low, unit.high),
        Some((low, high)) => (value(low, unit)?, value(high, unit)?),
        // Programs differ in what a step behind a single value means.
        None if step != 1 => return None,
        None => (value(range, unit)?, value(range, unit)?),
    };
    (low <= high).then(|| (low..=high).step_by(step.into()).collect())
}

fn value(text: &str, unit: &Unit) -> Option<u8> {
    let named = unit.names.iter().position(|name| text.eq_ignore_ascii_case(name));
    let named = named.and_then(|index| u8::try_from(index).ok()).map(|index| index + unit.low);
    named.or_else(|| number(text)).filter(|value| (unit.low..=unit.high).contains(value))
}

fn number(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, unit: usize) -> Option<Vec<u8>> {
        Field::parse(text, &UNITS[unit]).ok().map(|field| field.values().unwrap_or_default().to_vec())
    }

    #[test]
    fn fields_are_values_ranges_and_steps() {
        assert_eq!(Field::parse("*", &UNITS[0]), Ok(Field::Every));
        assert_eq!(values("*/20", 0), Some(vec![0, 20, 40]));
        assert_eq!(values("50,5-9/2,7", 0), Some(vec![5, 7, 9, 50]));
        assert_eq!(values("Jan,mar-may", 3), Some(vec![1, 3, 4, 5]));
        assert_eq!(values("mon-fri", 4), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(values("sun,7", 4), Some(vec![0, 7]));
        for (text, unit) in [
            ("60", 0),
            ("0", 2),
            ("", 0),
            ("1,", 0),
            ("5-1", 0),
            ("*/0", 0),
            ("3/5", 0),
            ("-1", 0),
            ("+1", 0),
            ("jan", 4),
        ] {
            assert_eq!(values(text, unit), None, "{text}");
        }
    }
}
