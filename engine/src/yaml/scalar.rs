//! What a scalar means in YAML 1.1, as PyYAML reads it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::timestamp::{is_timestamp, timestamp};
use crate::constant_pattern::constant_pattern;

static INTEGER: LazyLock<Regex> = LazyLock::new(|| {
    constant_pattern(
        r"(?x)^(?<sign>[-+]?)(?:0b(?<binary>[01_]+)|0x(?<hexadecimal>[0-9a-fA-F_]+)|(?<octal>0[0-7_]+)
        |(?<decimal>0|[1-9][0-9_]*)|(?<base60>[1-9][0-9_]*(?::[0-5]?[0-9])+))$",
    )
});

/// A point is needed, an exponent needs a sign, and what begins with the point has none.
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    constant_pattern(
        r"(?x)^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
        |(?<sign>[-+]?)(?<base60>[0-9][0-9_]*(?::[0-5]?[0-9])+)(?<fraction>\.[0-9_]*))$",
    )
});

/// The value of an unquoted scalar without a tag.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c)) => Value::from(text),
        _ => integer(text).or_else(|| float(text)).or_else(|| timestamp(text)).unwrap_or_else(|| text.into()),
    }
}

/// Whether an unquoted scalar is the text that is written.
pub(crate) fn is_text(text: &str) -> bool {
    !matches!(text, "<<" | "=") && !is_timestamp(text) && plain(text).as_str() == Some(text)
}

/// The value of a scalar with one of YAML's own tags, by the tag's name; `None` if it is not what the tag says.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Value> {
    match tag {
        "str" => Some(Value::from(text)),
        "null" => Some(Value::Null),
        "bool" => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => Some(Value::Bool(true)),
            "no" | "false" | "off" => Some(Value::Bool(false)),
            _ => None,
        },
        "int" => integer(text),
        "float" => float(text).or_else(|| text.replace('_', "").parse().ok().map(from_float)),
        "timestamp" => timestamp(text),
        _ => None,
    }
}

/// A whole number: decimal, octal after `0`, `0x`, `0b`, or in base 60 (`1:30`).
fn integer(text: &str) -> Option<Value> {
    let found = INTEGER.captures(text)?;
    let radix = |group, radix| Some((found.name(group)?.as_str().replace('_', ""), radix));
    let (digits, radix) = radix("binary", 2)
        .or_else(|| radix("hexadecimal", 16))
        .or_else(|| radix("octal", 8))
        .or_else(|| radix("decimal", 10))
        .unwrap_or_default();
    let magnitude = match found.name("base60") {
        Some(parts) => base_60(parts.as_str())?,
        None => match i128::from_str_radix(&digits, radix.max(2)) {
            Ok(magnitude) => magnitude,
            // Too many digits for any integer type.
            Err(_) if radix == 10 => return Some(Value::from(format!("{}{digits}", &found["sign"]))),
            Err(_) => return None,
        },
    };
    Some(from_integer(if &found["sign"] == "-" { -magnitude } else { magnitude }))
}

/// JSON's numbers end at 64 bits; what is larger keeps its digits as a text: a float would lose some of them.
pub(crate) fn from_integer(value: i128) -> Value {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Value::from(value),
        (_, Ok(value)) => Value::from(value),
        _ => Value::from(value.to_string()),
    }
}

/// `hours:minutes`, `hours:minutes:seconds` …
fn base_60(text: &str) -> Option<i128> {
    text.replace('_', "")
        .split(':')
        .try_fold(0, |value: i128, part| value.checked_mul(60)?.checked_add(part.parse().ok()?))
}

fn float(text: &str) -> Option<Value> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(from_float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(from_float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(from_float(f64::NAN)),
        _ => {}
    }
    let found = FLOAT.captures(text)?;
    let value = match found.name("base60") {
        None => text.replace('_', "").parse().ok()?,
        Some(parts) => {
            let fraction: f64 = format!("0{}", found["fraction"].replace('_', "")).parse().ok()?;
            #[allow(clippy::cast_precision_loss, reason = "a float is what was written")]
            let value = base_60(parts.as_str())? as f64 + fraction;
            if &found["sign"] == "-" { -value } else { value }
        }
    };
    Some(from_float(value))
}

/// JSON has no infinity and no NaN: they become what Python prints for them.
pub(crate) fn from_float(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::from("nan"),
        None => Value::from(if value > 0.0 { "inf" } else { "-inf" }),
    }
}
