//! The arguments `merge` and `remove`.

use refrain_engine::module::Text;
use refrain_engine::system::Content;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::super::edited_file::Inputs;
use crate::argument_schema::argument_schema;

/// A map of values that go into a document, secrets in their places.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    values: Map<String, Value>,
    inputs: Inputs,
}

impl Wanted {
    /// The values. Where something is unknown, they are not to be used.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// What is known of them.
    pub fn inputs(&self) -> Inputs {
        self.inputs
    }
}

/// Puts secrets in the places of their marks, and notes what can't be known or shown.
fn reveal(value: Value, inputs: &mut Inputs) -> Value {
    match value {
        Value::String(text) => {
            let text = Text::new(text);
            inputs.add(&text);
            match text.content {
                Content::Known(bytes) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
                Content::Unknown => Value::Null,
            }
        }
        Value::Array(items) => items.into_iter().map(|item| reveal(item, inputs)).collect(),
        Value::Object(map) => Value::Object(reveal_all(map, inputs)),
        other => other,
    }
}

fn reveal_all(map: Map<String, Value>, inputs: &mut Inputs) -> Map<String, Value> {
    map.into_iter()
        .map(|(key, value)| {
            let key = match reveal(Value::String(key), inputs) {
                Value::String(key) => key,
                _ => String::new(),
            };
            (key, reveal(value, inputs))
        })
        .collect()
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut inputs = Inputs::default();
        let values = reveal_all(Map::deserialize(deserializer)?, &mut inputs);
        Ok(Self { values, inputs })
    }
}

argument_schema!(Wanted, { "type": "object", "x-unknown": true, "x-secret": true });

/// Paths of keys.
#[derive(Clone, Debug, Default)]
pub struct Removals(Vec<Vec<String>>);

impl Removals {
    /// The paths, each at least one key long.
    pub fn paths(&self) -> &[Vec<String>] {
        &self.0
    }
}

fn path(value: Value) -> Option<Vec<String>> {
    let keys: Vec<String> = match value {
        Value::String(text) => text.split('.').map(str::to_owned).collect(),
        Value::Array(keys) => {
            keys.into_iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    (!keys.is_empty() && keys.iter().all(|key| !key.is_empty())).then_some(keys)
}

impl<'de> Deserialize<'de> for Removals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let paths = match Value::deserialize(deserializer)? {
            Value::Array(paths) => paths,
            one => vec![one],
        };
        let paths = paths.into_iter().map(path).collect::<Option<_>>();
        paths.map(Self).ok_or_else(|| D::Error::custom("a path is a text like `a.b`, or an array of keys"))
    }
}

argument_schema!(Removals, { "type": ["string", "array"] });

#[cfg(test)]
mod tests {
    use refrain_engine::script::marks::UNKNOWN;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unknown_is_found_wherever_it_hides() {
        let wanted = |value: Value| serde_json::from_value::<Wanted>(value).unwrap();
        assert!(wanted(json!({"a": [{"b": "x"}]})).inputs().known);
        assert!(!wanted(json!({"a": [{"b": UNKNOWN}]})).inputs().known);
        assert!(!wanted(json!({ UNKNOWN: 1 })).inputs().known);
    }

    #[test]
    fn paths_have_dots_or_are_arrays() {
        let paths = |value: Value| serde_json::from_value::<Removals>(value).map(|removals| removals.0);
        assert_eq!(paths(json!("a.b")).unwrap(), [vec!["a", "b"]]);
        assert_eq!(paths(json!(["a", ["b.c", "d"]])).unwrap(), [vec!["a"], vec!["b.c", "d"]]);
        assert!(paths(json!(["a..b"])).is_err());
        assert!(paths(json!([[]])).is_err());
        assert!(paths(json!(1)).is_err());
    }
}
