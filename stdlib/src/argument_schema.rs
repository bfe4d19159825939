//! What lint and the reference are told of an argument whose type reads itself.

/// Implements [`schemars::JsonSchema`] for such a type: `argument_schema!(HostPath, { "type": "string" })`.
macro_rules! argument_schema {
    ($type:ident $(< $parameter:ident >)?, $schema:tt) => {
        impl $(< $parameter >)? schemars::JsonSchema for $type $(< $parameter >)? {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

/// Has such a type read from a text by a function, whose error is a message: `text_argument!(HostPath, HostPath::new)`.
macro_rules! text_argument {
    ($type:ident, $read:path) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $read(&text).map_err(serde::de::Error::custom)
            }
        }

        $crate::argument_schema::argument_schema!($type, { "type": "string" });
    };
}

pub(crate) use argument_schema;
pub(crate) use text_argument;
