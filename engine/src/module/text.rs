//! Text arguments whose content check mode may not know, or nobody may see.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::script::{current, marks};
use crate::system::Content;

/// A text that goes into a file, to a command's standard input or into its environment. Other arguments are plain strings:
/// an unknown value there makes the whole call unknown, and a secret is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text itself, secrets in their places.
    pub content: Content,
    /// Whether a secret is in it: then it must not be shown, and neither must a difference in it.
    pub secret: bool,
}

impl Text {
    /// A text as scripts and templates have it: an unknown value or a secret in it is still a mark.
    pub fn new(text: String) -> Self {
        let revealed = current::secrets().and_then(|secrets| secrets.reveal(&text));
        let secret = revealed.is_some();
        if marks::has_unknown(&text) {
            return Self { content: Content::Unknown, secret };
        }
        Self { content: Content::Known(revealed.unwrap_or(text).into_bytes()), secret }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
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
        json_schema!({ "type": "string", "x-unknown": true, "x-secret": true })
    }
}
