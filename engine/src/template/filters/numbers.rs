//! Numbers and sizes.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("int", &["value", "default", "base"], integer),
    callable("float", &["value", "default"], |_, call| {
        let default = call.get("default").cloned().unwrap_or(Value::from(0.0));
        Ok(parse_float(call.value()?).map_or(default, Value::from))
    }),
    callable("abs", &["value"], |_, call| {
        let value = call.value()?;
        match i128::try_from(value.clone()) {
            Ok(whole) if value.is_integer() || value.kind() == ValueKind::Bool => Ok(small(whole.abs())),
            _ => Ok(Value::from(number(value)?.abs())),
        }
    }),
    callable("log", &["value", "base"], |_, call| {
        let (number, base) = (number(call.value()?)?, call.some("base").map(number).transpose()?);
        if number <= 0.0 {
            return Err(fail("only a number above zero has a logarithm"));
        }
        finite(match base {
            Some(10.0) => number.log10(),
            Some(base) => number.ln() / base.ln(),
            None => number.ln(),
        })
    }),
    callable("pow", &["value", "y"], |_, call| finite(number(call.value()?)?.powf(number(call.need("y")?)?))),
    callable("root", &["value", "base"], |_, call| {
        let base = call.some("base").map_or(Ok(2.0), number)?;
        let value = number(call.value()?)?;
        #[expect(clippy::float_cmp, reason = "the default, as given")]
        finite(if base == 2.0 { value.sqrt() } else { value.powf(1.0 / base) })
    }),
    callable("human_readable", &["value", "isbits", "unit"], human_readable),
    callable("human_to_bytes", &["value", "default_unit", "isbits"], human_to_bytes),
    callable("filesizeformat", &["value", "binary"], file_size),
];

fn number(value: &Value) -> Result<f64> {
    match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()),
        ValueKind::Bool => Ok(f64::from(u8::from(value.is_true()))),
        _ => Err(fail(format!("expected a number, got {}", python::type_name(value)))),
    }
}

fn finite(number: f64) -> Result<Value> {
    if number.is_nan() { Err(fail("there is no such number")) } else { Ok(Value::from(number)) }
}

/// `int()` of Python with a default: of a text in `base`, else of the number before the point.
fn integer(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let default = call.get("default").cloned().unwrap_or(Value::from(0));
    let base = u32::try_from(call.integer("base")?.unwrap_or(10)).unwrap_or(10);
    let parsed = match value.kind() {
        ValueKind::Number if value.is_integer() => return Ok(value.clone()),
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number => truncate(number(value)?),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            parse_int(text, base).or_else(|| parse_float(value).and_then(truncate))
        }
        _ => None,
    };
    Ok(parsed.map_or(default, small))
}

/// The engine's smallest kind of integer.
fn small(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

fn truncate(number: f64) -> Option<i128> {
    (number.is_finite() && number.abs() < 1e37).then(|| number.trunc() as i128)
}

fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefix = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find(|(prefix, known)| lower.starts_with(prefix) && (base == *known || base == 0));
    let (digits, base) = match prefix {
        Some((prefix, known)) => (&lower[prefix.len()..], known),
        None => (lower.as_str(), if base == 0 { 10 } else { base }),
    };
    if !(2..=36).contains(&base) || digits.starts_with(['_', '+', '-']) || digits.ends_with('_') {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(if negative { -number } else { number })
}

fn parse_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Number | ValueKind::Bool => number(value).ok(),
        ValueKind::String => {
            let text = value.as_str()?.trim();
            let plain = text.replace('_', "");
            let word = plain.trim_start_matches(['+', '-']).to_ascii_lowercase();
            let known = matches!(word.as_str(), "inf" | "infinity" | "nan");
            (known || word.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
                .then(|| plain.parse().ok())
                .flatten()
        }
        _ => None,
    }
}

/// The units from large to small, as powers of 1024.
const UNITS: [(char, i32); 9] =
    [('Y', 8), ('Z', 7), ('E', 6), ('P', 5), ('T', 4), ('G', 3), ('M', 2), ('K', 1), ('B', 0)];

fn human_readable(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let size = number(value)?;
    let unit = call.some("unit").map(python::text).transpose()?.map(|unit| unit.to_uppercase());
    let fits = |letter: char, power: i32| match &unit {
        Some(unit) => unit.starts_with(letter) && unit.chars().count() == 1,
        None => size >= 1024f64.powi(power),
    };
    let (letter, power) = UNITS.into_iter().find(|(letter, power)| fits(*letter, *power)).unwrap_or(('B', 0));
    let bits = call.flag("isbits", false);
    let suffix = match (power, bits) {
        (0, false) => "Bytes".to_owned(),
        (0, true) => "bits".to_owned(),
        (_, false) => format!("{letter}B"),
        (_, true) => format!("{letter}b"),
    };
    Ok(Value::from(format!("{:.2} {suffix}", size / 1024f64.powi(power))))
}

fn human_to_bytes(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let wrong = || fail(format!("`{text}` is not a size like `10 MB`"));
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let size: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let mut unit = text[digits..].trim().to_owned();
    if !unit.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(wrong());
    }
    if unit.is_empty() {
        unit = call.some("default_unit").map(python::text).transpose()?.unwrap_or_default();
    }
    let Some(first) = unit.chars().next() else { return Ok(whole(size)) };
    let letter = first.to_ascii_uppercase();
    let Some((_, power)) = UNITS.into_iter().find(|(known, _)| *known == letter) else {
        return Err(fail(format!(
            "unknown unit `{unit}` in `{text}`; it is one of Y, Z, E, P, T, G, M, K, B"
        )));
    };
    let bits = call.flag("isbits", false);
    if unit.len() > 1 && !spelled(&unit, letter, bits) {
        let (long, short) = if bits { ("bit", 'b') } else { ("byte", 'B') };
        return Err(fail(format!(
            "`{unit}` in `{text}` does not count {long}s; expected `{letter}{short}` or `{letter}`"
        )));
    }
    Ok(whole(size * 1024f64.powi(power)))
}

fn spelled(unit: &str, letter: char, bits: bool) -> bool {
    let words = [
        "byte",
        "kilobyte",
        "megabyte",
        "gigabyte",
        "terabyte",
        "petabyte",
        "exabyte",
        "zetabyte",
        "yottabyte",
    ];
    let at = "BKMGTPEZY".find(letter).unwrap_or(0);
    let word = if bits { words[at].replace("byte", "bit") } else { words[at].to_owned() };
    let short = format!("{letter}{}", if bits { 'b' } else { 'B' });
    unit.to_ascii_lowercase() == word || (letter != 'B' && unit == short)
}

/// Rounds half to even, as Python does.
fn whole(size: f64) -> Value {
    truncate(size.round_ties_even()).map_or_else(|| Value::from(size), small)
}

fn file_size(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let size = parse_float(call.value()?).ok_or_else(|| fail("expected a number"))?;
    let binary = call.flag("binary", false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if (size - 1.0).abs() < f64::EPSILON {
        return Ok(Value::from("1 Byte"));
    }
    if size < base {
        return Ok(Value::from(format!("{} Bytes", size.trunc())));
    }
    for (power, unit) in (2..).zip(&units[..7]) {
        if size < base.powi(power) {
            return Ok(Value::from(format!("{:.1} {unit}", base * size / base.powi(power))));
        }
    }
    Ok(Value::from(format!("{:.1} {}", base * size / base.powi(9), units[7])))
}
