//! Between Rhai's values and JSON, and the value that check mode does not know.

use rhai::{Array, Dynamic, FLOAT, INT, Map};
use serde_json::{Number, Value};

use super::marks;
use crate::secrets;

/// A value that only a real run knows: a command's output in check mode.
///
/// Passing it on or rendering it gives unknown again; branching, looping or comparing on it ends the prediction.
#[derive(Clone, Debug)]
pub struct Unknown;

/// A value that must not be seen, by its number: it prints as `••••`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret(pub u32);

/// A script's value as JSON. An unknown value and a secret become their marks.
///
/// # Errors
/// The type's name, for values that are code or handles rather than data.
pub fn to_json(value: &Dynamic) -> Result<Value, String> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::Number(number.into()));
    }
    if let Ok(number) = value.as_float() {
        return Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| "a number without value".to_owned());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Value::String(letter.to_string()));
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().map(to_json).collect::<Result<_, _>>().map(Value::Array);
    }
    if let Ok(map) = value.as_map_ref() {
        return map
            .iter()
            .map(|(key, value)| Ok((key.to_string(), to_json(value)?)))
            .collect::<Result<_, String>>()
            .map(Value::Object);
    }
    if value.is::<Unknown>() {
        return Ok(Value::String(marks::UNKNOWN.to_owned()));
    }
    if let Some(Secret(number)) = value.clone().try_cast::<Secret>() {
        return Ok(Value::String(secrets::mark(number)));
    }
    if value.is_fnptr() {
        return Err("a closure".to_owned());
    }
    if let Some(range) = value.clone().try_cast::<std::ops::Range<INT>>() {
        return Ok(range.map(Value::from).collect());
    }
    if let Some(range) = value.clone().try_cast::<std::ops::RangeInclusive<INT>>() {
        return Ok(range.map(Value::from).collect());
    }
    Err(match value.type_name().rsplit("::").next() {
        Some(name) => format!("a value of type `{name}`"),
        None => "a value that is not data".to_owned(),
    })
}

/// JSON as a script's value. A text that is only the mark of an unknown value or a secret becomes that again.
pub fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => Dynamic::from_bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Dynamic::from_int(number),
            None => Dynamic::from_float(number.as_f64().unwrap_or(FLOAT::NAN)),
        },
        Value::String(text) if text == marks::UNKNOWN => Dynamic::from(Unknown),
        Value::String(text) => match secrets::number(text) {
            Some(number) => Dynamic::from(Secret(number)),
            None => text.as_str().into(),
        },
        Value::Array(items) => Dynamic::from_array(items.iter().map(from_json).collect::<Array>()),
        Value::Object(map) => Dynamic::from_map(
            map.iter().map(|(key, value)| (key.as_str().into(), from_json(value))).collect::<Map>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_both_ways() {
        let value = serde_json::json!({"a": [1, 2.5, null, true, "text"], "b": {"c": "d"}});
        assert_eq!(to_json(&from_json(&value)).unwrap(), value);
        assert!(to_json(&Dynamic::from(Unknown)).unwrap().as_str().is_some_and(marks::has_unknown));
        assert!(from_json(&to_json(&Dynamic::from(Unknown)).unwrap()).is::<Unknown>());
        assert!(from_json(&to_json(&Dynamic::from(Secret(3))).unwrap()).is::<Secret>());
    }

    #[test]
    fn code_is_not_data() {
        let closure = Dynamic::from(rhai::FnPtr::new("f").unwrap());
        assert_eq!(to_json(&closure).unwrap_err(), "a closure");
    }
}
