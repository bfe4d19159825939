//! The methods of Python's strings, maps and lists.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Kwargs, Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::fail;
use super::filters::text;
use super::python;

type Result<T> = std::result::Result<T, Error>;

const STRING: [&str; 43] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isspace",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
    "encode",
    "istitle",
];
const MAP: [&str; 5] = ["get", "items", "keys", "values", "copy"];
const LIST: [&str; 3] = ["index", "count", "copy"];

/// The methods that any value has.
pub(super) fn names() -> Vec<&'static str> {
    STRING.into_iter().chain(MAP).chain(LIST).collect()
}

/// The engine's callback for methods that it does not have itself.
pub(super) fn call(_: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value> {
    let (args, named) = match args.split_last() {
        Some((last, rest)) if last.is_kwargs() => (rest, Some(Kwargs::try_from(last.clone())?)),
        _ => (args, None),
    };
    if let Some(missing) = args.iter().find(|arg| arg.is_undefined()) {
        return Err(python::undefined(missing));
    }
    let call = Method { args, named, name: method };
    match value.kind() {
        ValueKind::Undefined => Err(python::undefined(value)),
        ValueKind::String => string(value.as_str().unwrap_or_default(), &call),
        ValueKind::Map => map(value, &call),
        ValueKind::Seq | ValueKind::Iterable => list(value, &call),
        ValueKind::Number if !value.is_integer() && method == "is_integer" => {
            Ok(Value::from(f64::try_from(value.clone())?.fract() == 0.0))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

struct Method<'a> {
    args: &'a [Value],
    named: Option<Kwargs>,
    name: &'a str,
}

impl Method<'_> {
    /// An argument by position or name.
    fn arg(&self, at: usize, name: &str) -> Option<Value> {
        let named = || self.named.as_ref().filter(|named| named.has(name))?.peek::<Value>(name).ok();
        self.args.get(at).cloned().or_else(named)
    }

    fn need(&self, at: usize, name: &str) -> Result<Value> {
        self.arg(at, name)
            .ok_or_else(|| fail(format!("method `{}`: its argument `{name}` is missing", self.name)))
    }

    fn text(&self, at: usize, name: &str) -> Result<String> {
        let value = self.need(at, name)?;
        value.as_str().map(str::to_owned).ok_or_else(|| {
            fail(format!("method `{}`: expected a string, got {}", self.name, python::type_name(&value)))
        })
    }

    fn optional_text(&self, at: usize, name: &str) -> Result<Option<String>> {
        match self.arg(at, name) {
            Some(value) if !value.is_none() => self.text(at, name).map(Some),
            _ => Ok(None),
        }
    }

    fn integer(&self, at: usize, name: &str) -> Result<Option<i64>> {
        match self.arg(at, name).filter(|value| !value.is_none()) {
            Some(value) => i64::try_from(value).map(Some),
            None => Ok(None),
        }
    }

    /// One text or several, as `startswith` takes them.
    fn texts(&self) -> Result<Vec<String>> {
        let value = self.need(0, "prefix")?;
        if python::is_list(&value) {
            return python::items(&value)?.iter().map(python::text).collect();
        }
        self.text(0, "prefix").map(|text| vec![text])
    }

    fn width(&self) -> Result<(usize, char)> {
        let width = self.integer(0, "width")?.unwrap_or(0);
        let fill = self.optional_text(1, "fillchar")?.and_then(|fill| fill.chars().next()).unwrap_or(' ');
        Ok((usize::try_from(width).unwrap_or(0).min(1 << 20), fill))
    }
}

fn string(text: &str, call: &Method<'_>) -> Result<Value> {
    if let Some(answer) = question(text, call.name) {
        return Ok(Value::from(answer));
    }
    Ok(match call.name {
        "upper" => Value::from(text.to_uppercase()),
        "lower" | "casefold" => Value::from(text.to_lowercase()),
        "capitalize" => Value::from(text::capitalize(text)),
        "title" => Value::from(title(text)),
        "swapcase" => Value::from(text.chars().map(swap).collect::<String>()),
        "strip" | "lstrip" | "rstrip" => Value::from(strip(text, call)?),
        "split" => Value::from(match call.optional_text(0, "sep")? {
            Some(separator) => text::split(text, &separator, call.integer(1, "maxsplit")?.unwrap_or(-1))?,
            None => text::split_blanks(text, call.integer(1, "maxsplit")?.unwrap_or(-1)),
        }),
        "rsplit" => Value::from(rsplit(text, call)?),
        "splitlines" => {
            Value::from(splitlines(text, call.arg(0, "keepends").is_some_and(|keep| keep.is_true())))
        }
        "partition" | "rpartition" => partition(text, call)?,
        "replace" => {
            let (old, new) = (call.text(0, "old")?, call.text(1, "new")?);
            match call.integer(2, "count")?.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => Value::from(text.replacen(&old, &new, count)),
                None => Value::from(text.replace(&old, &new)),
            }
        }
        "startswith" => {
            let text = part(text, call)?;
            Value::from(call.texts()?.iter().any(|prefix| text.starts_with(prefix.as_str())))
        }
        "endswith" => {
            let text = part(text, call)?;
            Value::from(call.texts()?.iter().any(|suffix| text.ends_with(suffix.as_str())))
        }
        "removeprefix" => {
            let prefix = call.text(0, "prefix")?;
            Value::from(text.strip_prefix(prefix.as_str()).unwrap_or(text))
        }
        "removesuffix" => {
            let suffix = call.text(0, "suffix")?;
            Value::from(text.strip_suffix(suffix.as_str()).unwrap_or(text))
        }
        "join" => {
            let items = python::items(&call.need(0, "iterable")?)?;
            if let Some(other) = items.iter().find(|item| item.as_str().is_none()) {
                return Err(fail(format!(
                    "method `join`: expected strings, got {}",
                    python::type_name(other)
                )));
            }
            Value::from(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(text))
        }
        "count" => {
            let part = call.text(0, "sub")?;
            let empty = part.is_empty();
            Value::from(if empty { text.chars().count() + 1 } else { text.matches(part.as_str()).count() })
        }
        "find" | "rfind" | "index" | "rindex" => find(text, call)?,
        "center" => {
            let (width, fill) = call.width()?;
            Value::from(text::center(text, width, fill))
        }
        "ljust" | "rjust" => {
            let (width, fill) = call.width()?;
            let pad: String = std::iter::repeat_n(fill, width.saturating_sub(text.chars().count())).collect();
            Value::from(if call.name == "ljust" { format!("{text}{pad}") } else { format!("{pad}{text}") })
        }
        "zfill" => {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            let pad = call.width()?.0.saturating_sub(text.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(pad)))
        }
        "expandtabs" => Value::from(expand_tabs(text, call.integer(0, "tabsize")?.unwrap_or(8))),
        "encode" => Value::from_bytes(text.as_bytes().to_vec()),
        "format" => {
            let mut args = call.args.to_vec();
            args.extend(call.named.clone().map(Value::from));
            Value::from(format(FormatStyle::StrFormat, text, &args)?)
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

/// The methods that only ask: `isdigit` and the like.
fn question(text: &str, name: &str) -> Option<bool> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    Some(match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => text.is_ascii(),
        "isdecimal" | "isdigit" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(char::is_whitespace),
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
        "isupper" => text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
        "istitle" => text.chars().any(char::is_alphabetic) && title(text) == text,
        "isidentifier" => {
            all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_numeric())
        }
        _ => return None,
    })
}

/// `str.title`: upper case behind anything that is not a letter.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = !c.is_alphabetic();
    }
    out
}

fn swap(c: char) -> char {
    let mut other: Box<dyn Iterator<Item = char>> =
        if c.is_uppercase() { Box::new(c.to_lowercase()) } else { Box::new(c.to_uppercase()) };
    match (other.next(), other.next()) {
        (Some(swapped), None) => swapped,
        _ => c,
    }
}

fn strip(text: &str, call: &Method<'_>) -> Result<String> {
    let characters = call.optional_text(0, "chars")?;
    let gone = |c: char| characters.as_ref().map_or(c.is_whitespace(), |characters| characters.contains(c));
    Ok(match call.name {
        "lstrip" => text.trim_start_matches(gone),
        "rstrip" => text.trim_end_matches(gone),
        _ => text.trim_matches(gone),
    }
    .to_owned())
}

fn rsplit(text: &str, call: &Method<'_>) -> Result<Vec<String>> {
    let most = call.integer(1, "maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let Some(separator) = call.optional_text(0, "sep")? else {
        let Some(most) = most else { return Ok(text::split_blanks(text, -1)) };
        let mut parts = Vec::new();
        let mut rest = text.trim_end();
        while !rest.is_empty() {
            match rest.rfind(char::is_whitespace).filter(|_| parts.len() < most) {
                Some(at) => {
                    let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                    parts.push(rest[at + width..].to_owned());
                    rest = rest[..at].trim_end();
                }
                None => {
                    parts.push(rest.trim_start().to_owned());
                    break;
                }
            }
        }
        parts.reverse();
        return Ok(parts);
    };
    if separator.is_empty() {
        return Err(fail("method `rsplit`: the separator is empty"));
    }
    let parts = most.map_or(usize::MAX, |most| most.saturating_add(1));
    let mut parts: Vec<String> = text.rsplitn(parts, separator.as_str()).map(str::to_owned).collect();
    parts.reverse();
    Ok(parts)
}

/// What Python ends lines at.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn splitlines(text: &str, keep: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(is_line_end) else {
            lines.push(rest.to_owned());
            break;
        };
        let width = rest[at..].chars().next().map_or(1, char::len_utf8);
        let end = at + if rest[at..].starts_with("\r\n") { 2 } else { width };
        lines.push(rest[..if keep { end } else { at }].to_owned());
        rest = &rest[end..];
    }
    lines
}

fn partition(text: &str, call: &Method<'_>) -> Result<Value> {
    let separator = call.text(0, "sep")?;
    if separator.is_empty() {
        return Err(fail(format!("method `{}`: the separator is empty", call.name)));
    }
    let first = call.name == "partition";
    let split =
        if first { text.split_once(separator.as_str()) } else { text.rsplit_once(separator.as_str()) };
    let parts = match split {
        Some((head, tail)) => [head, &separator, tail],
        None if first => [text, "", ""],
        None => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.into_iter().map(Value::from).collect::<Vec<_>>())))
}

/// The part of a text that a method looks at: from its second argument to its third.
fn part<'t>(text: &'t str, call: &Method<'_>) -> Result<&'t str> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |at: usize, name: &str, default: i64| -> Result<usize> {
        let at = call.integer(at, name)?.unwrap_or(default);
        let at = if at < 0 { (at + length).max(0) } else { at };
        Ok(text.char_indices().nth(usize::try_from(at).unwrap_or(0)).map_or(text.len(), |(byte, _)| byte))
    };
    let (start, end) = (place(1, "start", 0)?, place(2, "end", length)?);
    Ok(text.get(start..end).unwrap_or(""))
}

/// Positions count characters, of the whole text.
fn find(whole: &str, call: &Method<'_>) -> Result<Value> {
    let text = part(whole, call)?;
    // A part is a slice of the whole, or empty.
    let before = text.as_ptr().addr().saturating_sub(whole.as_ptr().addr()).min(whole.len());
    let part = call.text(0, "sub")?;
    let found = if call.name.starts_with('r') { text.rfind(part.as_str()) } else { text.find(part.as_str()) };
    match found {
        Some(at) => Ok(Value::from(whole[..before + at].chars().count())),
        None if call.name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(fail(format!("method `{}`: there is no `{part}` in it", call.name))),
    }
}

fn expand_tabs(text: &str, size: i64) -> String {
    let size = usize::try_from(size).unwrap_or(0).min(1000);
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let width = size - column % size;
                out.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            c => {
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                out.push(c);
            }
        }
    }
    out
}

fn map(value: &Value, call: &Method<'_>) -> Result<Value> {
    Ok(match call.name {
        "items" => python::pairs(value)?.into_iter().map(Value::from).collect(),
        "keys" => Value::from(python::items(value)?),
        "values" => python::pairs(value)?.into_iter().map(|(_, value)| value).collect(),
        "copy" => Value::from_pairs(python::pairs(value)?),
        "get" => {
            let found = value.get_item(&call.need(0, "key")?)?;
            if found.is_undefined() { call.arg(1, "default").unwrap_or(Value::from(())) } else { found }
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn list(value: &Value, call: &Method<'_>) -> Result<Value> {
    let items = python::items(value)?;
    Ok(match call.name {
        "index" => {
            let wanted = call.need(0, "value")?;
            match items.iter().position(|item| *item == wanted) {
                Some(at) => Value::from(at),
                None => {
                    return Err(fail(format!(
                        "method `index`: there is no {} in it",
                        python::repr(&wanted)?
                    )));
                }
            }
        }
        "count" => {
            let wanted = call.need(0, "value")?;
            Value::from(items.iter().filter(|item| **item == wanted).count())
        }
        "copy" => Value::from(items),
        "append" | "extend" | "insert" | "remove" | "pop" | "sort" | "reverse" | "clear" => {
            return Err(fail(format!(
                "method `{}`: a list can't be changed in place; write `{{% set list = list + [item] %}}`",
                call.name
            )));
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}
