//! Regular expressions as Python's `re` understands them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Captures, Regex};
use minijinja::{Error, State, Value};

use super::json::start;
use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

/// Compiled expressions that a thread keeps: a template uses the same few for every item of a loop.
const KEPT: usize = 128;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable(
        "regex_replace",
        &["value", "pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"],
        replace,
    ),
    callable("regex_search", &["value", "regex", "*groups", "ignorecase", "multiline"], search),
    callable("regex_findall", &["value", "regex", "multiline", "ignorecase"], find_all),
    callable("regex_escape", &["value", "re_type"], escape),
];

/// The flags that Ansible's filters have.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::template) struct Options {
    ignore_case: bool,
    multiline: bool,
}

impl Options {
    pub fn of(call: &Call) -> Self {
        let flag = |name| call.flag(name, false) || call.extra_flag(name);
        Self { ignore_case: flag("ignorecase"), multiline: flag("multiline") }
    }
}

thread_local! {
    static COMPILED: RefCell<HashMap<(String, Options, bool), Rc<Regex>>> = RefCell::default();
}

/// Compiles an expression for use on `text`.
pub(in crate::template) fn compile(pattern: &str, options: Options, text: &str) -> Result<Rc<Regex>> {
    // Python's `$` also matches in front of a final newline. That costs look-ahead, so it is done where there is one.
    let newline = text.ends_with('\n') && !options.multiline;
    let key = (pattern.to_owned(), options, newline);
    if let Some(regex) = COMPILED.with_borrow(|compiled| compiled.get(&key).cloned()) {
        return Ok(regex);
    }
    let mut flags = String::new();
    if options.ignore_case {
        flags.push('i');
    }
    if options.multiline {
        flags.push('m');
    }
    let translated = translate(pattern, newline);
    let whole = if flags.is_empty() { translated } else { format!("(?{flags}){translated}") };
    let regex = Regex::new(&whole).map(Rc::new).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        fail(format!("`{pattern}` is not a regular expression: {reason}"))
    })?;
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(key, Rc::clone(&regex));
    });
    Ok(regex)
}

/// From Python's spelling to that of the crate, where they differ.
fn translate(pattern: &str, newline: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let Some(next) = behind.chars().next() else {
                    out.push('\\');
                    break;
                };
                match next {
                    'Z' if !class => out.push_str("\\z"),
                    // A slash and other marks that need no escape may have one in Python.
                    next if !next.is_alphanumeric() && !next.is_whitespace() && next.is_ascii() => {
                        if regex::escape(&next.to_string()).len() > 1 || class {
                            out.push('\\');
                        }
                        out.push(next);
                    }
                    next => out.extend(['\\', next]),
                }
                rest = &behind[next.len_utf8()..];
                continue;
            }
            '[' if class => out.push_str("\\["),
            '&' | '~' if class => out.extend(['\\', c]),
            '[' => {
                class = true;
                out.push('[');
                let mut inner = behind;
                if let Some(negated) = inner.strip_prefix('^') {
                    out.push('^');
                    inner = negated;
                }
                if let Some(literal) = inner.strip_prefix(']') {
                    out.push_str("\\]");
                    inner = literal;
                }
                rest = inner;
                continue;
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '{' if !class && !quantifier(behind) => out.push_str("\\{"),
            '}' if !class && !closes_quantifier(&out) => out.push_str("\\}"),
            '$' if !class && newline => out.push_str("(?=\\n?\\z)"),
            c => out.push(c),
        }
        rest = behind;
    }
    out
}

/// Whether `{` in front of this starts `{2}`, `{2,}`, `{,3}` or `{2,3}`; any other is a plain brace in Python.
fn quantifier(behind: &str) -> bool {
    let Some((inner, _)) = behind.split_once('}') else { return false };
    let (low, high) = inner.split_once(',').unwrap_or((inner, "0"));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(low) && digits(high) && !(low.is_empty() && (high.is_empty() || !inner.contains(',')))
}

/// Whether a `}` behind `out` ends a quantifier that was passed through.
fn closes_quantifier(out: &str) -> bool {
    out.rfind('{').is_some_and(|at| {
        !out[..at].ends_with('\\') && out[at + 1..].chars().all(|c| c.is_ascii_digit() || c == ',')
    })
}

fn stopped(error: &fancy_regex::Error) -> Error {
    fail(format!("the regular expression gave up: {error}"))
}

pub(in crate::template) fn find(regex: &Regex, text: &str) -> Result<bool> {
    regex.is_match(text).map_err(|error| stopped(&error))
}

/// Whether it matches at the start.
pub(in crate::template) fn matches_start(regex: &Regex, text: &str) -> Result<bool> {
    anchored(regex, text, "")
}

/// Whether it matches the whole text.
pub(in crate::template) fn matches_whole(regex: &Regex, text: &str) -> Result<bool> {
    anchored(regex, text, "\\z")
}

fn anchored(regex: &Regex, text: &str, end: &str) -> Result<bool> {
    let pattern = format!("\\A(?:{}){end}", regex.as_str());
    let regex = Regex::new(&pattern).map_err(|error| stopped(&error))?;
    find(&regex, text)
}

fn replace(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let pattern = call.text("pattern", "")?;
    let regex = compile(&pattern, Options::of(call), &text)?;
    let replacement = Replacement::parse(&call.text("replacement", "")?)?;
    let most = usize::try_from(call.integer("count")?.unwrap_or(0)).unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let (mut done, mut count) = (0, 0i64);
    for found in regex.captures_iter(text.as_str()) {
        let found = found.map_err(|error| stopped(&error))?;
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[done..whole.start()]);
        replacement.expand(&found, &mut out)?;
        done = whole.end();
        count += 1;
        if most > 0 && count.unsigned_abs() as usize >= most {
            break;
        }
    }
    out.push_str(&text[done..]);
    match call.integer("mandatory_count")? {
        Some(wanted) if wanted != 0 && wanted != count => Err(fail(format!(
            "`{pattern}` should match {wanted} times, but matches {count} times in `{}`",
            start(&text)
        ))),
        _ => Ok(Value::from(out)),
    }
}

/// The replacement of `re.sub`: text with `\1`, `\g<1>`, `\g<name>` and escapes.
struct Replacement(Vec<Piece>);

enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

impl Replacement {
    fn parse(text: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(next) = rest.chars().next() else {
                return Err(fail("the replacement ends in a single backslash"));
            };
            if let Some((name, behind)) = rest.strip_prefix("g<").and_then(|rest| rest.split_once('>')) {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(name.parse().map_or_else(|_| Piece::Name(name.to_owned()), Piece::Number));
                rest = behind;
                continue;
            }
            match next {
                '0'..='9' => {
                    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Number(rest[..digits].parse().unwrap_or(0)));
                    rest = &rest[digits..];
                    continue;
                }
                'n' => plain.push('\n'),
                'r' => plain.push('\r'),
                't' => plain.push('\t'),
                'a' => plain.push('\u{7}'),
                'b' => plain.push('\u{8}'),
                'f' => plain.push('\u{c}'),
                'v' => plain.push('\u{b}'),
                '\\' => plain.push('\\'),
                c if c.is_ascii_alphabetic() => {
                    return Err(fail(format!("the replacement has a bad escape `\\{c}`")));
                }
                c => plain.extend(['\\', c]),
            }
            rest = &rest[next.len_utf8()..];
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    fn expand(&self, found: &Captures<'_, str>, out: &mut String) -> Result<()> {
        for piece in &self.0 {
            let group = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Number(number) if *number < found.len() => found.get(*number),
                Piece::Number(number) => {
                    return Err(fail(format!("the replacement uses group {number}, which there is not")));
                }
                Piece::Name(name) => found.name(name),
            };
            // A group that took no part is empty.
            out.push_str(group.map_or("", |group| group.as_str()));
        }
        Ok(())
    }
}

fn search(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let regex = compile(&python::text(call.need("regex")?)?, Options::of(call), &text)?;
    let Some(found) = regex.captures(text.as_str()).map_err(|error| stopped(&error))? else {
        return Ok(Value::from(()));
    };
    let group =
        |number: usize| found.get(number).map_or(Value::from(()), |group| Value::from(group.as_str()));
    if call.rest.is_empty() {
        return Ok(group(0));
    }
    let mut groups = Vec::new();
    for wanted in &call.rest {
        let wanted = python::text(wanted)?;
        let name = wanted.strip_prefix("\\g<").and_then(|rest| rest.strip_suffix('>'));
        let number = name.or(wanted.strip_prefix('\\')).and_then(|number| number.parse::<usize>().ok());
        groups.push(match (number, name) {
            (Some(number), _) if number < found.len() => group(number),
            (None, Some(name)) if regex.capture_names().flatten().any(|known| known == name) => {
                found.name(name).map_or(Value::from(()), |group| Value::from(group.as_str()))
            }
            _ => {
                return Err(fail(format!(
                    "`{wanted}` is not a group of the expression, like `\\1` or `\\g<name>`"
                )));
            }
        });
    }
    Ok(Value::from(groups))
}

/// Whole matches; with one group its texts, with more a list of each match's groups.
fn find_all(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let regex = compile(&python::text(call.need("regex")?)?, Options::of(call), &text)?;
    let mut out = Vec::new();
    for found in regex.captures_iter(text.as_str()) {
        let found = found.map_err(|error| stopped(&error))?;
        let group = |number: usize| Value::from(found.get(number).map_or("", |group| group.as_str()));
        out.push(match found.len() {
            1 => group(0),
            2 => group(1),
            groups => Value::from(minijinja::value::Tuple::from((1..groups).map(group).collect::<Vec<_>>())),
        });
    }
    Ok(Value::from(out))
}

fn escape(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let special = match call.text("re_type", "python")?.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        other => return Err(fail(format!("unknown `re_type` `{other}`; it is `python` or `posix_basic`"))),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Value::from(out))
}
