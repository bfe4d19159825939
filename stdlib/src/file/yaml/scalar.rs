//! Scalars of YAML: what they mean, and how they are written.
//!
//! YAML 1.1 and 1.2 disagree about what `yes`, `010` or `1:30` are, and it is the program that reads the file who decides.
//! So such a scalar equals nothing, and a text that looks like one is written in quotes.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Marks what can't be compared: it equals only what is written the same way.
const OPAQUE: char = '\0';

/// A value that equals nothing but itself.
pub fn opaque(text: &str) -> Value {
    Value::String(format!("{OPAQUE}{text}"))
}

/// What some reader may take for something else than a text.
static DOUBTFUL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
        (?i:y|n|yes|no|on|off|true|false|null|[-+]?\.inf|\.nan) | ~ | = | << | # names
        [-+]?0b[01_]+ | [-+]?0o?[0-9_]+ | [-+]?0x[0-9a-fA-F_]+ | # binary, octal, hexadecimal
        [-+]?(?:[0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)? | # decimal
        [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+ | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]* | # base 60
        [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)? # dates and times
        )$",
    )
    .expect("a constant expression is valid")
});

/// The value of a scalar without quotes.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if !DOUBTFUL.is_match(text) {
        return Value::from(text);
    }
    integer(text).or_else(|| float(text)).unwrap_or_else(|| opaque(text))
}

/// An integer that all readers read alike.
fn integer(text: &str) -> Option<Value> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().map(Value::from);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let usual =
        digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.strip_prefix('+').unwrap_or(text);
    usual.then(|| {
        number.parse::<i64>().map(Value::from).or_else(|_| number.parse::<u64>().map(Value::from)).ok()
    })?
}

/// A number with a point that all readers read alike: an exponent has its sign.
fn float(text: &str) -> Option<Value> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let usual = digits(whole.strip_prefix(['-', '+']).unwrap_or(whole))
        && digits(fraction)
        && exponent.is_none_or(|exponent| exponent.starts_with(['-', '+']));
    usual.then(|| text.parse::<f64>().ok().map(Value::from))?
}

/// The quotes that a text has, or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// Those that it needs.
    AsNeeded,
    /// Single ones, where they are enough.
    Single,
    /// Double ones.
    Double,
}

/// A scalar on one line. Between brackets, more has to be quoted.
pub fn write(value: &Value, quotes: Quotes, in_brackets: bool) -> String {
    let Value::String(text) = value else { return value.to_string() };
    match quotes {
        Quotes::AsNeeded if is_plain(text, in_brackets) => text.clone(),
        Quotes::Single if text.chars().all(is_printable) => format!("'{}'", text.replace('\'', "''")),
        _ => double_quoted(text),
    }
}

fn is_printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

/// Whether a text needs no quotes.
fn is_plain(text: &str, in_brackets: bool) -> bool {
    let starts_well = match text.chars().next() {
        None => false,
        Some('-') => {
            text[1..].chars().next().is_some_and(|next| !next.is_whitespace()) && !text.starts_with("---")
        }
        Some(first) => !"?:,[]{}#&*!|>'\"%@` ".contains(first) && !text.starts_with("..."),
    };
    let misread = text.ends_with([':', ' '])
        || text.contains(": ")
        || text.contains(" #")
        || (in_brackets && text.contains([',', '[', ']', '{', '}', ':', '#']));
    starts_well && !misread && text.chars().all(is_printable) && !DOUBTFUL.is_match(text)
}

fn double_quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if is_printable(letter) {
            out.push(letter);
        } else {
            // Writing to a string can't fail. All of these are in the basic plane.
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        }
    }
    out
}

/// The lines of a text that is best written as a block, and what stands in front of them.
pub fn literal(text: &str) -> Option<(&'static str, std::str::Lines<'_>)> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let fits = body.contains('\n') || body.len() < text.len();
    let clean = !body.is_empty()
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.chars().all(|letter| letter == '\n' || is_printable(letter));
    let header = if body.len() < text.len() { "|" } else { "|-" };
    (fits && clean).then(|| (header, body.lines()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_all_readers_agree_on_is_known() {
        for (text, value) in [
            ("true", json!(true)),
            ("~", json!(null)),
            ("12", json!(12)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("0", json!(0)),
            ("0x1F", json!(31)),
            ("1.5", json!(1.5)),
            ("1.5e+3", json!(1500.0)),
            ("10.0.0.1", json!("10.0.0.1")),
            ("8080:80", json!("8080:80")),
            ("00:1b:2c", json!("00:1b:2c")),
            ("1.2.3", json!("1.2.3")),
            ("yes please", json!("yes please")),
            (".", json!(".")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn what_they_disagree_on_equals_nothing() {
        for text in
            ["yes", "Off", "y", "010", "0o17", "1_000", "22:22", "1e3", "2001-01-01", "0b1", ".inf", "="]
        {
            assert_eq!(plain(text), opaque(text), "{text}");
            assert_eq!(write(&json!(text), Quotes::AsNeeded, false), format!("{text:?}"));
        }
    }

    #[test]
    fn texts_are_quoted_where_they_would_be_misread() {
        let written = |text: &str, in_brackets| write(&json!(text), Quotes::AsNeeded, in_brackets);
        for text in ["a", "a b", "http://x/y", "-v", "/etc", "é", "a#b", "a:b", "$HOME", "(x)"] {
            assert_eq!(written(text, false), text);
        }
        for text in [
            "", " a", "a ", "a: b", "a:", "a #b", "- a", "-", "---", "#a", "*a", "@a", "{a", "true", "1",
            "a\tb",
        ] {
            assert_eq!(written(text, false), json!(text).to_string(), "{text}");
        }
        assert_eq!(written("a,b", true), "\"a,b\"");
        assert_eq!(written("\u{7f}\u{85}\u{feff}", false), "\"\\u007f\\u0085\\ufeff\"");
        assert_eq!(write(&json!("it's"), Quotes::Single, false), "'it''s'");
        assert_eq!(write(&json!("a\nb"), Quotes::Single, false), "\"a\\nb\"");
    }

    #[test]
    fn longer_texts_are_blocks() {
        let block = |text| literal(text).map(|(header, lines)| (header, lines.collect::<Vec<_>>().join("/")));
        assert_eq!(block("a\nb\n"), Some(("|", "a/b".to_owned())));
        assert_eq!(block("a\n\nb"), Some(("|-", "a//b".to_owned())));
        assert_eq!(block("a\n"), Some(("|", "a".to_owned())));
        for text in ["a", "", "\n", " a\nb", "\na", "a\n\n", "a\tb\nc\r\n"] {
            assert_eq!(block(text), None, "{text:?}");
        }
    }
}
