//! When a command is run.

use std::fmt;

use super::field::{Field, UNITS};
use crate::argument_schema::text_argument;

/// Names for schedules, and what they mean.
const NAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The times at which a command is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At these minutes, hours, days of the month, months and days of the week.
    Times(Box<[Field; 5]>),
    /// Once, when the host has booted.
    Reboot,
}

impl Schedule {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "@reboot" {
            return Ok(Self::Reboot);
        }
        let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, times)| *times);
        if named.is_none() && text.starts_with('@') {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            return Err(format!("`{text}` is no schedule: there are {} and @reboot", names.join(", ")));
        }
        let words: Vec<&str> = named.unwrap_or(text).split_whitespace().collect();
        let Ok(words) = <[&str; 5]>::try_from(words) else {
            return Err(format!(
                "`{text}` is no schedule: minute, hour, day, month and day of the week, as `30 4 * * *`"
            ));
        };
        let mut fields = [const { Field::Every }; 5];
        for ((field, word), unit) in fields.iter_mut().zip(words).zip(&UNITS) {
            *field = Field::parse(word, unit)?;
        }
        Ok(Self::Times(Box::new(fields)))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reboot => f.write_str("@reboot"),
            Self::Times(fields) => {
                let [minute, hour, day, month, weekday] = &**fields;
                write!(f, "{minute} {hour} {day} {month} {weekday}")
            }
        }
    }
}

text_argument!(Schedule, Schedule::parse);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_five_fields_or_a_name() {
        for (text, written) in [
            ("30 4 * * *", "30 4 * * *"),
            (" */5  1-3 * Jan mon-fri ", "*/5 1-3 * Jan mon-fri"),
            ("@weekly", "0 0 * * 0"),
            ("@reboot", "@reboot"),
        ] {
            assert_eq!(Schedule::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(
            Schedule::parse("61 * * * *").unwrap_err(),
            "`61` is no minute: it is a number from 0 to 59"
        );
        assert!(Schedule::parse("* * * *").unwrap_err().contains("minute, hour, day"));
        assert!(Schedule::parse("@often").unwrap_err().contains("@hourly"));
    }
}
