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

pub(crate) use argument_schema;
