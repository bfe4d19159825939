//! Text arguments whose content check mode may not know.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::script::marks;
use crate::system::Content;

/// A text that goes into a file or to a command's standard input. Other arguments are plain strings; an unknown value there
/// makes the whole call unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Content);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(if marks::has_unknown(&text) { Content::Unknown } else { Content::Known(text.into_bytes()) }))
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-unknown": true })
    }
}
