//! Text arguments that may be written as numbers or booleans.

use refrain_engine::module::Text;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::argument_schema::argument_schema;

/// A text that goes into a file. A number is written as it is, a boolean as `true` or `false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalarText(pub Text);

impl<'de> Deserialize<'de> for ScalarText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(Text::new(text))),
            value @ (Value::Bool(_) | Value::Number(_)) => Ok(Self(Text::new(value.to_string()))),
            _ => Err(D::Error::custom("it has to be a string, a number or a bool")),
        }
    }
}

argument_schema!(ScalarText, { "type": ["string", "number", "boolean"], "x-unknown": true, "x-secret": true });
