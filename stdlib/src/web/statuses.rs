//! Statuses of answers as arguments.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::argument_schema::argument_schema;

/// The statuses that are expected of an answer: a number or an array of them. Those of success, 200 to 299, where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses(Vec<u16>);

impl Statuses {
    /// Whether a status is one of them.
    pub fn has(&self, status: u16) -> bool {
        if self.0.is_empty() { (200..300).contains(&status) } else { self.0.contains(&status) }
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let statuses = match Value::deserialize(deserializer)? {
            Value::Array(statuses) => statuses,
            one => vec![one],
        };
        let number = |status: &Value| {
            status
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (100..600).contains(status))
        };
        let numbers = statuses.iter().map(number).collect::<Option<Vec<u16>>>();
        numbers.map(Self).ok_or_else(|| D::Error::custom("a status is a number from 100 to 599"))
    }
}

argument_schema!(Statuses, { "type": ["integer", "array"], "items": { "type": "integer", "minimum": 100, "maximum": 599 } });
