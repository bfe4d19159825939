//! Values in INI inventories: what is a Python literal becomes its value, all else is text.

use serde_json::{Map, Value};

use super::escape::escape;
use crate::yaml;

/// Brackets inside one another beyond this are text.
const DEPTH: usize = 100;

/// The value of a text: number, boolean, `None`, quoted text, list, tuple, set or map as Python writes them; else the text
/// itself. Sets and tuples become lists.
pub(super) fn value(text: &str) -> Value {
    let reader = Reader { rest: text.trim_start_matches([' ', '\t']), json: false };
    reader.all().unwrap_or_else(|| Value::from(text))
}

/// The list or map that a text is, as Python or JSON writes it.
pub(crate) fn collection(text: &str) -> Option<Value> {
    Reader { rest: text, json: true }.all().filter(|value| value.is_array() || value.is_object())
}

/// Reads literals off the front of a text. Whatever is not a literal gives `None`.
struct Reader<'a> {
    rest: &'a str,
    /// Whether JSON's `true`, `false` and `null` are understood.
    json: bool,
}

impl Reader<'_> {
    /// The value that the whole text is.
    fn all(mut self) -> Option<Value> {
        let value = self.whole()?;
        self.skip_blanks();
        self.rest.is_empty().then_some(value)
    }

    /// A value, or several with commas between them, which are a tuple.
    fn whole(&mut self) -> Option<Value> {
        let first = self.one(0)?;
        if !self.takes(",") {
            return Some(first);
        }
        let mut items = vec![first];
        self.skip_blanks();
        while !self.rest.is_empty() {
            items.push(self.one(0)?);
            if !self.takes(",") {
                break;
            }
            self.skip_blanks();
        }
        Some(Value::Array(items))
    }

    fn one(&mut self, depth: usize) -> Option<Value> {
        self.skip_blanks();
        if depth > DEPTH {
            return None;
        }
        let depth = depth + 1;
        match self.rest.chars().next()? {
            '[' => self.items("[", "]", depth).map(|(items, _)| Value::Array(items)),
            '(' => match self.items("(", ")", depth)? {
                (mut items, false) if items.len() == 1 => items.pop(),
                (items, _) => Some(Value::Array(items)),
            },
            '{' => self.map_or_set(depth),
            '-' | '+' => self.signed(),
            '0'..='9' => self.number(false),
            '.' if self.takes("...") => Some(Value::from("...")),
            '.' => self.number(false),
            _ => self.word().or_else(|| self.texts().map(Value::from)),
        }
    }

    /// What stands between two brackets, and whether there was a comma at the end.
    fn items(&mut self, open: &str, close: &str, depth: usize) -> Option<(Vec<Value>, bool)> {
        let mut items = Vec::new();
        let mut comma = false;
        self.takes(open);
        while !self.takes(close) {
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.one(depth)?);
            comma = self.takes(",");
        }
        Some((items, comma))
    }

    /// What stands between braces: the first entry shows which of both it is.
    fn map_or_set(&mut self, depth: usize) -> Option<Value> {
        self.takes("{");
        let (mut map, mut set) = (Map::new(), Vec::new());
        let mut comma = true;
        while !self.takes("}") {
            if !comma {
                return None;
            }
            let item = self.one(depth)?;
            if self.takes(":") {
                map.insert(key(item)?, self.one(depth)?);
            } else if !set.contains(&item) {
                set.push(item);
            }
            comma = self.takes(",");
        }
        match (map.is_empty(), set.is_empty()) {
            (_, true) => Some(Value::Object(map)),
            (true, false) => Some(Value::Array(set)),
            (false, false) => None,
        }
    }

    fn word(&mut self) -> Option<Value> {
        let words = [("True", Value::from(true)), ("False", Value::from(false)), ("None", Value::Null)];
        let json = [("true", Value::from(true)), ("false", Value::from(false)), ("null", Value::Null)];
        let json = if self.json { &json[..] } else { &[] };
        for (word, value) in words.iter().chain(json).cloned() {
            if self.takes_word(word) {
                return Some(value);
            }
        }
        let before = self.rest;
        if self.takes_word("set") && self.takes("(") && self.takes(")") {
            return Some(Value::Array(Vec::new()));
        }
        self.rest = before;
        None
    }

    fn signed(&mut self) -> Option<Value> {
        let negative = self.rest.starts_with('-');
        self.rest = &self.rest[1..];
        self.skip_blanks();
        self.number(negative)
    }

    fn number(&mut self, negative: bool) -> Option<Value> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let exponent_sign = matches!(byte, b'+' | b'-')
                && matches!(bytes[..end].last(), Some(b'e' | b'E'))
                && !self.rest[..end].starts_with("0x")
                && !self.rest[..end].starts_with("0X");
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || exponent_sign) {
                break;
            }
            end += 1;
        }
        let (digits, rest) = self.rest.split_at(end);
        if rest.starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        self.rest = rest;
        integer(digits, negative).or_else(|| float(digits, negative))
    }

    /// One or more quoted texts, which are joined. Bytes are joined with bytes only.
    fn texts(&mut self) -> Option<String> {
        let (mut text, bytes) = self.text()?;
        loop {
            let before = self.rest;
            self.skip_blanks();
            match self.text() {
                Some((more, more_bytes)) if more_bytes == bytes => text += &more,
                Some(_) => return None,
                None => {
                    self.rest = before;
                    return Some(text);
                }
            }
        }
    }

    /// A quoted text, and whether it is marked as bytes.
    fn text(&mut self) -> Option<(String, bool)> {
        let quote_at = self.rest.find(['"', '\''])?;
        let prefix = self.rest[..quote_at].to_ascii_lowercase();
        let (raw, bytes) = match prefix.as_str() {
            "" | "u" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "rb" | "br" => (true, true),
            _ => return None,
        };
        let mut rest = &self.rest[quote_at..];
        let quote = &rest[..1];
        let triple = quote.repeat(3);
        let quote = if rest.starts_with(&triple) { triple.as_str() } else { quote };
        rest = &rest[quote.len()..];
        let mut text = String::new();
        loop {
            if let Some(behind) = rest.strip_prefix(quote) {
                self.rest = behind;
                return (!bytes || text.is_ascii()).then_some((text, bytes));
            }
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            match c {
                '\\' if raw => {
                    let escaped = rest.chars().next()?;
                    rest = &rest[escaped.len_utf8()..];
                    text.extend(['\\', escaped]);
                }
                '\\' => rest = take_escape(rest, bytes, &mut text)?,
                '\0' => return None,
                c => text.push(c),
            }
        }
    }

    fn takes(&mut self, what: &str) -> bool {
        self.skip_blanks();
        let found = self.rest.strip_prefix(what);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.rest.strip_prefix(word);
        let found =
            found.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_\"'".contains(c)));
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// Blanks, and comments, each of which goes to the end of its line. Between brackets there may be several lines.
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\x0C', '\n', '\r']);
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }
}

/// The key of a map: Python has numbers as they are, JSON shows them as text.
fn key(value: Value) -> Option<String> {
    match value {
        Value::String(key) => Some(key),
        Value::Number(_) | Value::Bool(_) | Value::Null => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Takes in an escape, of which the backslash is taken already, and gives what follows it.
fn take_escape<'a>(rest: &'a str, bytes: bool, text: &mut String) -> Option<&'a str> {
    let letter = rest.chars().next()?;
    let (c, behind) = match letter {
        '0'..='7' => {
            let octal = rest.chars().take(3).take_while(|c| c.is_digit(8)).count();
            (char::from_u32(u32::from_str_radix(&rest[..octal], 8).ok()?)?, &rest[octal..])
        }
        // A character by its name would need the names of all.
        'N' if !bytes => return None,
        'x' => escape(rest)?,
        'u' | 'U' if !bytes => escape(rest)?,
        _ => escape(rest).filter(|_| !matches!(letter, 'u' | 'U')).unwrap_or_else(|| {
            text.push('\\');
            (letter, &rest[letter.len_utf8()..])
        }),
    };
    text.push(c);
    Some(behind)
}

fn integer(digits: &str, negative: bool) -> Option<Value> {
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)))
        .unwrap_or((&lower, 10));
    // After the prefix Python allows an underscore, as between digits.
    let parts: Vec<&str> = match (radix, digits.strip_prefix('_')) {
        (10, _) | (_, None) => digits.split('_').collect(),
        (_, Some(digits)) => digits.split('_').collect(),
    };
    let right = parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(radix)));
    let digits = parts.concat();
    if !right || (radix == 10 && digits.starts_with('0') && digits.bytes().any(|byte| byte != b'0')) {
        return None;
    }
    match i128::from_str_radix(&digits, radix) {
        Ok(value) => Some(yaml::number_of(if negative { -value } else { value })),
        Err(_) if radix == 10 => Some(Value::from(format!("{}{digits}", if negative { "-" } else { "" }))),
        Err(_) => None,
    }
}

fn float(digits: &str, negative: bool) -> Option<Value> {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let right = |part: &str| {
        part.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let right_or_empty = |part: &str| part.is_empty() || right(part);
    let fine = right_or_empty(whole)
        && fraction.is_none_or(right_or_empty)
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty))
        && (fraction.is_some() || exponent.is_some())
        && exponent.is_none_or(|exponent| right(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let value: f64 = digits.replace('_', "").parse().ok().filter(|_| fine)?;
    Some(yaml::float_of(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literals_are_those_of_python() {
        // What `ast.literal_eval` makes of them, shown as JSON.
        let cases = [
            ("5", json!(5)),
            (" 5 # a comment", json!(5)),
            ("-5", json!(-5)),
            ("- 5", json!(-5)),
            ("--5", json!("--5")),
            ("0755", json!("0755")),
            ("00", json!(0)),
            ("0o755", json!(493)),
            ("0x_1F", json!(31)),
            ("0b1_1", json!(3)),
            ("1_000", json!(1000)),
            ("1__0", json!("1__0")),
            ("_1", json!("_1")),
            ("12345678901234567890123", json!("12345678901234567890123")),
            ("1.10", json!(1.1)),
            ("1.2.3", json!("1.2.3")),
            ("192.0.2.1", json!("192.0.2.1")),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            (".", json!(".")),
            ("1e3", json!(1000.0)),
            ("01e1", json!(10.0)),
            ("1e", json!("1e")),
            ("1e999", json!("inf")),
            ("0x1e+1", json!("0x1e+1")),
            ("1+2", json!("1+2")),
            ("3j", json!("3j")),
            ("True", json!(true)),
            ("true", json!("true")),
            ("None", json!(null)),
            ("Nonesuch", json!("Nonesuch")),
            ("yes", json!("yes")),
            ("", json!("")),
            ("\"5\"", json!("5")),
            ("'it''s'", json!("its")),
            ("'a' # b", json!("a")),
            ("a # b", json!("a # b")),
            ("'a", json!("'a")),
            (r"'a\n\x41\u00e9\101\q'", json!("a\nAéA\\q")),
            (r"r'a\n'", json!("a\\n")),
            ("b'a'", json!("a")),
            ("b'a' 'b'", json!("b'a' 'b'")),
            ("f'a'", json!("f'a'")),
            ("'''a'b'''", json!("a'b")),
            (r"'\N{BULLET}'", json!(r"'\N{BULLET}'")),
            (r"'\ud800'", json!(r"'\ud800'")),
            ("[1, 'a', [True,],]", json!([1, "a", [true]])),
            ("[1 2]", json!("[1 2]")),
            ("[,]", json!("[,]")),
            ("[a]", json!("[a]")),
            ("(1)", json!(1)),
            ("(1,)", json!([1])),
            ("()", json!([])),
            ("80, 443", json!([80, 443])),
            ("80,", json!([80])),
            ("a,b", json!("a,b")),
            ("{'a': 1, 2: {'b': None}}", json!({ "a": 1, "2": { "b": null } })),
            ("{}", json!({})),
            ("{1, 2, 1}", json!([1, 2])),
            ("{'a': 1, 2}", json!("{'a': 1, 2}")),
            ("{[1]: 2}", json!("{[1]: 2}")),
            ("set()", json!([])),
            ("setup", json!("setup")),
            ("...", json!("...")),
            ("{{ x }}", json!("{{ x }}")),
            ("{\"a\": \"{{ x }}\"}", json!({ "a": "{{ x }}" })),
            ("5 6", json!("5 6")),
            ("$x", json!("$x")),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for open in ["[", "(", "{"] {
            let deep = open.repeat(50_000);
            assert_eq!(value(&deep), Value::from(deep));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"([\[\](){}'"\\,:#brxuN0-9eE._+-]|\PC){0,40}"#) {
            _ = value(&text);
        }
    }
}
