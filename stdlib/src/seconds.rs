//! Spans of time as arguments.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::argument_schema::argument_schema;

/// A number of seconds, whole or not, more than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub Duration);

struct Number;

impl Visitor<'_> for Number {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, more than 0")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Seconds, E> {
        if number == 0 {
            return Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self));
        }
        Ok(Seconds(Duration::from_secs(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Seconds, E> {
        let whole = u64::try_from(number)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))?;
        self.visit_u64(whole)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Seconds, E> {
        match Duration::try_from_secs_f64(number) {
            Ok(duration) if !duration.is_zero() => Ok(Seconds(duration)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Float(number), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number)
    }
}

argument_schema!(Seconds, { "type": "number" });

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn time_goes_forward() {
        let parse = |value| serde_json::from_value::<Seconds>(value).map_err(|error| error.to_string());
        assert_eq!(parse(json!(2)), Ok(Seconds(Duration::from_secs(2))));
        assert_eq!(parse(json!(0.25)), Ok(Seconds(Duration::from_millis(250))));
        for wrong in [json!(0), json!(-1), json!(0.0), json!(-0.5), json!(1e300), json!("5")] {
            let error = parse(wrong).unwrap_err();
            assert!(error.ends_with("expected a number of seconds, more than 0"), "{error}");
        }
    }
}
