//! Variables of the command line, `-e`: `name=value`, `name:=JSON`, `@file`, or a whole map in YAML or JSON.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::Files;
use super::escape::escape;
use super::variable::{Variable, VariableMap, variables};
use crate::diagnostic::Diagnostic;
use crate::origin::{Origin, SourceText};
use crate::yaml::{self, Document};

/// Reads the arguments in order; a later one wins. Messages call files by their paths below `root`.
///
/// # Errors
/// All arguments that make no sense.
pub fn read(arguments: &[String], root: &Path) -> Result<VariableMap, Vec<Diagnostic>> {
    let files = Files::below(root);
    let mut all = VariableMap::new();
    let mut problems = Vec::new();
    for argument in arguments {
        match read_one(&SourceText::new("-e", argument.as_str()), &files) {
            Ok(variables) => all.extend(variables),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

fn read_one(source: &Arc<SourceText>, files: &Files) -> Result<VariableMap, Diagnostic> {
    let text = source.text();
    if let Some(path) = text.strip_prefix('@') {
        let path = Path::new(path);
        return map(&SourceText::read(path, &files.shown(path))?, "a file of variables");
    }
    if text.starts_with(['{', '[']) {
        return map(source, "an argument without a name");
    }
    if text.starts_with(['/', '.']) {
        return Err(source
            .at(1, 1)
            .error("this is not `name=value`")
            .hint(format!("a file is given as `@{text}`")));
    }
    if let Some((name, json)) = text.split_once(":=").filter(|(name, _)| is_name(name)) {
        let variable = typed(source, name.len() + 2, json)?;
        return Ok(VariableMap::from([(Arc::from(name), Arc::new(variable))]));
    }
    words(source)?.into_iter().map(|(at, word)| assignment(source, at, word)).collect()
}

fn map(source: &Arc<SourceText>, what: &str) -> Result<VariableMap, Diagnostic> {
    let document = Document::parse(source)?;
    let entries = document.entries(what)?;
    Ok(entries.map(|entries| variables(&document, entries)).unwrap_or_default())
}

/// A value in JSON, which starts at a byte of the argument.
fn typed(source: &Arc<SourceText>, at: usize, json: &str) -> Result<Variable, Diagnostic> {
    match yaml::from_json(json) {
        Ok(value) => Ok(Variable::new(value, source.at_byte(at))),
        Err(error) => {
            // Where a text ends too early there is nothing to point at.
            let line_start: usize =
                json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let place = (at + line_start + error.column().saturating_sub(1)).min(source.text().len() - 1);
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            Err(source
                .at_byte(place)
                .error(format!("behind `:=` stands a value in JSON, and this is none: {reason}"))
                .hint("`name=value` is a text; in JSON a text has quotes: `name:='\"text\"'`"))
        }
    }
}

/// The words of an argument, with the bytes where they start. Blanks inside of quotes and of templates don't separate.
fn words(source: &Arc<SourceText>) -> Result<Vec<(usize, &str)>, Diagnostic> {
    let text = source.text();
    let mut words = Vec::new();
    let mut start = None;
    let mut quote: Option<(usize, char)> = None;
    let mut templates: Vec<usize> = Vec::new();
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        let pair = (c, text[at + c.len_utf8()..].chars().next().unwrap_or('\0'));
        match quote {
            Some((_, open)) if c == open && before != '\\' => quote = None,
            None if matches!(c, '"' | '\'') && before != '\\' => quote = Some((at, c)),
            _ => {}
        }
        match pair {
            ('{', '{' | '%' | '#') if before != '{' => templates.push(at),
            ('}' | '%' | '#', '}') => _ = templates.pop(),
            _ => {}
        }
        let separates = matches!(c, ' ' | '\n') && quote.is_none() && templates.is_empty();
        match start {
            Some(first) if separates => {
                words.push((first, &text[first..at]));
                start = None;
            }
            None if !separates => start = Some(at),
            _ => {}
        }
        before = c;
    }
    words.extend(start.map(|first| (first, &text[first..])));
    if let Some((at, quote)) = quote {
        return Err(source
            .at_byte(at)
            .error(format!("the quote {quote} is opened here and not closed"))
            .hint(format!("one that is meant as such is written `\\{quote}`")));
    }
    match templates.first() {
        Some(at) => Err(source.at_byte(*at).error("a template begins here and does not end")),
        None => Ok(words),
    }
}

/// A word that sets a variable.
fn assignment(
    source: &Arc<SourceText>,
    at: usize,
    word: &str,
) -> Result<(Arc<str>, Arc<Variable>), Diagnostic> {
    let place = |byte| source.at_byte(at + byte);
    let Some((name, value)) = word.split_once('=') else {
        return Err(place(0)
            .error(format!("`{word}` is not `name=value`"))
            .hint("a value with blanks has quotes inside of the argument: `-e 'name=\"a b\"'`"));
    };
    let typed_name = name.strip_suffix(':');
    let name = typed_name.unwrap_or(name);
    if !is_name(name) {
        return Err(bad_name(&place(0), name));
    }
    let value_at = at + word.len() - value.len();
    let variable = match typed_name {
        Some(_) => typed(source, value_at, value)?,
        None => Variable::new(Value::from(unescape(unquote(value))), source.at_byte(value_at)),
    };
    Ok((Arc::from(name), Arc::new(variable)))
}

fn bad_name(origin: &Origin, name: &str) -> Diagnostic {
    let mut error = origin.error(format!("`{name}` can't be the name of a variable"));
    error.at = Some(origin.location().with_width(name.chars().count()));
    error.hint("names have letters, digits and `_`, and don't start with a digit")
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text without the quotes around the whole of it.
fn unquote(text: &str) -> &str {
    let inner =
        |quote| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner: &&str| !inner.ends_with('\\'));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// A text with its escapes replaced, as Ansible does before it looks at anything else: `\n`, `\t`, `\x41`, `\u00e9` …; a
/// backslash before any other letter stays.
fn unescape(text: &str) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        done += &rest[..at];
        let (c, behind) = escape(&rest[at + 1..]).unwrap_or(('\\', &rest[at + 1..]));
        done.push(c);
        rest = behind;
    }
    done + rest
}

#[cfg(test)]
mod tests;
