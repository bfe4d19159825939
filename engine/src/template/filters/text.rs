//! Filters for text.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::{percent, python};

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("string", &["value"], |_, call| Ok(Value::from(call.input()?))),
    callable("quote", &["value"], |_, call| {
        let value = call.value()?;
        Ok(Value::from(shell_quote(&if value.is_none() { String::new() } else { call.input()? })))
    }),
    callable("split", &["value", "sep", "maxsplit"], |_, call| {
        let most = call.integer("maxsplit")?.unwrap_or(-1);
        let text = call.value()?.as_str().ok_or_else(|| fail("only a text can be split"))?;
        let parts = match call.some("sep") {
            Some(separator) => split(text, &python::text(separator)?, most)?,
            None => split_blanks(text, most),
        };
        Ok(Value::from(parts))
    }),
    callable("join", &["value", "d", "attribute"], join),
    callable("indent", &["value", "width", "first", "blank"], indent),
    callable("wordwrap", &["value", "width", "break_long_words", "wrapstring", "break_on_hyphens"], wordwrap),
    callable("center", &["value", "width"], |_, call| {
        let text = call.input()?;
        let width = usize::try_from(call.integer("width")?.unwrap_or(80)).unwrap_or(0).min(1 << 20);
        Ok(Value::from(center(&text, width, ' ')))
    }),
    callable("title", &["value"], |_, call| Ok(Value::from(title(&call.input()?)))),
    callable("capitalize", &["value"], |_, call| Ok(Value::from(capitalize(&call.input()?)))),
    callable("truncate", &["value", "length", "killwords", "end", "leeway"], truncate),
    callable("wordcount", &["value"], |_, call| {
        let text = call.input()?;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        Ok(Value::from(text.split(|c| !word(c)).filter(|part| !part.is_empty()).count()))
    }),
    callable("trim", &["value", "chars"], |_, call| {
        let text = call.input()?;
        Ok(Value::from(match call.some("chars").map(python::text).transpose()? {
            Some(chars) => text.trim_matches(|c| chars.contains(c)).to_owned(),
            None => text.trim().to_owned(),
        }))
    }),
    callable("format", &["value", "*args", "**"], |_, call| {
        let mut values = call.rest.clone();
        let named: Vec<(Value, Value)> =
            call.named().map(|(name, value)| (Value::from(name), value.clone())).collect();
        if !named.is_empty() {
            if !values.is_empty() {
                return Err(fail("it takes values by position or by name, not both"));
            }
            values = vec![Value::from_pairs(named)];
        }
        percent::format(&call.input()?, &values).map(Value::from)
    }),
    callable(
        "comment",
        &[
            "value",
            "style",
            "*",
            "newline",
            "beginning",
            "prefix",
            "prefix_count",
            "decoration",
            "postfix",
            "postfix_count",
            "end",
        ],
        comment,
    ),
];

/// `shlex.quote`.
fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if text.is_empty() {
        "''".to_owned()
    } else if text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\"'\"'"))
    }
}

/// `str.split(separator, most)`.
pub(in crate::template) fn split(text: &str, separator: &str, most: i64) -> Result<Vec<String>> {
    if separator.is_empty() {
        return Err(fail("the separator is empty"));
    }
    let parts = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    Ok(text.splitn(parts, separator).map(str::to_owned).collect())
}

/// `str.split()`: at runs of blanks.
pub(in crate::template) fn split_blanks(text: &str, most: i64) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let full = usize::try_from(most).is_ok_and(|most| parts.len() >= most);
        let end = if full { None } else { rest.find(char::is_whitespace) };
        match end {
            Some(end) => {
                parts.push(rest[..end].to_owned());
                rest = rest[end..].trim_start();
            }
            None => {
                parts.push(rest.to_owned());
                break;
            }
        }
    }
    parts
}

fn join(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let separator = call.text("d", "")?;
    let attribute = call.some("attribute").map(python::text).transpose()?;
    let mut out = String::new();
    for (index, item) in call.items()?.into_iter().enumerate() {
        let mut item = item;
        for part in attribute.iter().flat_map(|path| path.split('.')) {
            item = match part.parse::<usize>() {
                Ok(at) => item.get_item_by_index(at)?,
                Err(_) => item.get_attr(part)?,
            };
        }
        if index > 0 {
            out.push_str(&separator);
        }
        out.push_str(&python::text(&item)?);
    }
    Ok(Value::from(out))
}

fn indent(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let lead = match call.get("width") {
        Some(width) => match (width.as_str(), width.as_usize()) {
            (Some(lead), _) => lead.to_owned(),
            (None, Some(width)) if width <= 10_000 => " ".repeat(width),
            _ => return Err(fail("its argument `width` is neither a number of blanks nor a text")),
        },
        None => "    ".to_owned(),
    };
    let (first, blank) = (call.flag("first", false), call.flag("blank", false));
    let text = call.string()?;
    let mut out = String::with_capacity(text.len() * 2);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let indented = if index == 0 { first } else { blank || !line.is_empty() };
        if indented {
            out.push_str(&lead);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

/// Breaks lines at blanks, and behind hyphens, so that they are no longer than `width`.
fn wordwrap(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let width = usize::try_from(call.integer("width")?.unwrap_or(79)).unwrap_or(0);
    if width == 0 {
        return Err(fail("its argument `width` has to be at least 1"));
    }
    let long = call.flag("break_long_words", true);
    let hyphens = call.flag("break_on_hyphens", true);
    let newline = call.some("wrapstring").map_or(Ok("\n".to_owned()), python::text)?;
    let lines: Vec<String> =
        call.string()?.lines().map(|line| wrap(line, width, long, hyphens).join(&newline)).collect();
    Ok(Value::from(lines.join(&newline)))
}

/// `textwrap.wrap`, to the way in which it cuts what is too long.
fn wrap(line: &str, width: usize, long: bool, hyphens: bool) -> Vec<String> {
    let mut chunks = chunks(line, hyphens);
    chunks.reverse();
    let length = |text: &str| text.chars().count();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let mut current: Vec<String> = Vec::new();
        let mut used = 0;
        // A line that is not the first starts with a word.
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            chunks.pop();
        }
        while let Some(chunk) = chunks.pop_if(|chunk| used + length(chunk) <= width) {
            used += length(&chunk);
            current.push(chunk);
        }
        if let Some(chunk) = chunks.pop_if(|chunk| length(chunk) > width) {
            if long {
                let at = cut(&chunk, width - used, hyphens);
                current.push(chunk[..at].to_owned());
                chunks.push(chunk[at..].to_owned());
            } else if current.is_empty() {
                current.push(chunk);
            } else {
                chunks.push(chunk);
            }
        }
        // Blanks at the end go, unless a cut word left nothing behind them.
        current.pop_if(|last| last.trim().is_empty());
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// The byte at which a chunk is cut to fit into `room` characters: behind its last hyphen, if it has one there.
fn cut(chunk: &str, room: usize, hyphens: bool) -> usize {
    let end = chunk.char_indices().nth(room).map_or(chunk.len(), |(at, _)| at);
    let hyphen = chunk[..end].rfind('-').filter(|at| *at > 0 && chunk[..*at].chars().any(|c| c != '-'));
    match hyphen {
        Some(at) if hyphens && chunk.chars().count() > room => at + 1,
        _ => end,
    }
}

/// Words and the blanks between them; a word with hyphens is cut behind each that stands between letters.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut previous: Option<char> = None;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let cut = match previous {
            None => true,
            Some(before) if before.is_whitespace() != c.is_whitespace() => true,
            Some('-') if hyphens => {
                let letters = chunks.last().map_or(0, |chunk| chunk.trim_end_matches('-').chars().count());
                let word = chunks.last().is_some_and(|chunk| {
                    chunk.chars().rev().nth(1).is_some_and(|c| c.is_alphanumeric() || c == '_')
                });
                let next = c.is_alphabetic() && characters.peek().is_some_and(|next| next.is_alphabetic());
                word && letters >= 2 && next
            }
            _ => false,
        };
        match chunks.last_mut() {
            Some(last) if !cut => last.push(c),
            _ => chunks.push(c.to_string()),
        }
        previous = Some(c);
    }
    chunks
}

/// `str.center`.
pub(in crate::template) fn center(text: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & width & 1);
    let pad = |count: usize| std::iter::repeat_n(fill, count);
    pad(left).chain(text.chars()).chain(pad(missing - left)).collect()
}

/// Jinja2's `title`: upper case behind blanks, dashes and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if c.is_whitespace() || "-({[<".contains(c) {
            out.push(c);
            start = true;
        } else if start {
            out.extend(c.to_uppercase());
            start = false;
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

pub(in crate::template) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

fn truncate(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let length = usize::try_from(call.integer("length")?.unwrap_or(255)).unwrap_or(0);
    let leeway = usize::try_from(call.integer("leeway")?.unwrap_or(5)).unwrap_or(0);
    let end = call.text("end", "...")?;
    let ending = end.chars().count();
    if length < ending {
        return Err(fail(format!("expected a length of at least {ending}, got {length}")));
    }
    let Some(text) = value.as_str() else {
        // Whatever has a length and is short enough is given back.
        let short = value.len().is_some_and(|count| count <= length.saturating_add(leeway));
        let wrong = || fail(format!("expected a text, got {}", python::type_name(value)));
        return short.then(|| value.clone()).ok_or_else(wrong);
    };
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let cut: String = text.chars().take(length - ending).collect();
    let cut = if call.flag("killwords", false) {
        &cut
    } else {
        cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head)
    };
    Ok(Value::from(format!("{cut}{end}")))
}

fn comment(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let style = call.text("style", "plain")?;
    let (beginning, decoration, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            let known = ["plain", "erlang", "c", "cblock", "xml"];
            return Err(unknown(format!("unknown style `{other}`"), other, known));
        }
    };
    let option =
        |name: &str, default: &str| call.extra(name).map_or_else(|| Ok(default.to_owned()), python::text);
    let count = |name: &str| call.extra(name).map_or(1, |count| count.as_usize().unwrap_or(0)).min(1000);
    let newline = option("newline", "\n")?;
    let decoration = option("decoration", decoration)?;
    let prefix = option("prefix", decoration.trim_end())?;
    let postfix = option("postfix", decoration.trim_end())?;
    let (beginning, end) = (option("beginning", beginning)?, option("end", end)?);
    let line = |text: &str| if text.is_empty() { String::new() } else { format!("{text}{newline}") };
    let prefix_line = if prefix == newline { newline.clone() } else { line(&prefix) };
    let text = call.string()?.replace(&newline, &format!("{newline}{decoration}"));
    let body = format!("{decoration}{text}")
        .replace(&format!("{decoration}{newline}"), &format!("{}{newline}", decoration.trim_end()));
    let mut lead = vec![String::new()];
    lead.extend(std::iter::repeat_n(postfix, count("postfix_count")));
    let last = if end.is_empty() { String::new() } else { format!("{newline}{end}") };
    Ok(Value::from(format!(
        "{}{}{body}{}{last}",
        line(&beginning),
        prefix_line.repeat(count("prefix_count")),
        lead.join(&newline),
    )))
}
