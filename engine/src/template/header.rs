//! The first line `#jinja2: trim_blocks:False, variable_start_string:'[%'` of a template.

use minijinja::syntax::{SyntaxConfig, SyntaxConfigBuilder};

use crate::diagnostic::{Diagnostic, Location};

const MARK: &str = "#jinja2:";

/// The keys that Ansible knows.
const KEYS: [&str; 12] = [
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
];

/// What the header says, and the text behind it.
pub(super) struct Header<'a> {
    pub syntax: SyntaxConfig,
    pub newline: &'static str,
    pub text: &'a str,
    /// 1 if there was a header line, else 0.
    pub lines: usize,
}

/// The settings of a template without a header.
pub(super) fn defaults() -> SyntaxConfigBuilder {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).keep_trailing_newline(false);
    builder
}

/// A value as Python writes it.
enum Literal {
    Flag(bool),
    Text(String),
    Nothing,
}

/// Reads the header line, if there is one.
pub(super) fn read<'a>(path: &str, source: &'a str) -> Result<Header<'a>, Diagnostic> {
    let Some(rest) = source.strip_prefix(MARK) else {
        let syntax = build(path, source, &defaults())?;
        return Ok(Header { syntax, newline: "\n", text: source, lines: 0 });
    };
    let (line, text) = rest.split_once('\n').ok_or_else(|| {
        at(path, source, 0, "the line `#jinja2:` is the whole template, its newline is missing".to_owned())
    })?;
    let mut settings = Settings::default();
    let mut offset = MARK.len();
    for pair in line.trim_end_matches('\r').split(',') {
        settings.read(path, source, offset, pair)?;
        offset += pair.len() + 1;
    }
    let syntax = build(path, source, &settings.builder())?;
    Ok(Header { syntax, newline: settings.newline, text, lines: 1 })
}

fn build(path: &str, source: &str, builder: &SyntaxConfigBuilder) -> Result<SyntaxConfig, Diagnostic> {
    builder.build().map_err(|error| {
        let detail = error.detail().unwrap_or("the delimiters don't go together").to_owned();
        at(path, source, 0, format!("the line `#jinja2:` is wrong: {detail}"))
    })
}

fn at(path: &str, source: &str, offset: usize, message: String) -> Diagnostic {
    let column = source.get(..offset).map_or(1, |before| before.chars().count() + 1);
    Diagnostic::new(message).at(Location::new(path, source, 1, column))
}

/// The settings in the order of [`KEYS`]'s delimiters: block, variable, comment, each start and end.
struct Settings {
    delimiters: [String; 6],
    statement: Option<String>,
    comment: Option<String>,
    trim: bool,
    lstrip: bool,
    keep: bool,
    newline: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delimiters: ["{%", "%}", "{{", "}}", "{#", "#}"].map(str::to_owned),
            statement: None,
            comment: None,
            trim: true,
            lstrip: false,
            keep: false,
            newline: "\n",
        }
    }
}

impl Settings {
    fn read(&mut self, path: &str, source: &str, offset: usize, pair: &str) -> Result<(), Diagnostic> {
        let start = offset + pair.len() - pair.trim_start().len();
        let Some((key, value)) = pair.split_once(':') else {
            let what = pair.trim();
            let message = format!("`{what}` in the line `#jinja2:` is not a pair like `trim_blocks:False`");
            return Err(at(path, source, start, message));
        };
        let key = key.trim();
        let Some(index) = KEYS.iter().position(|known| *known == key) else {
            return Err(at(path, source, start, format!("unknown key `{key}` in the line `#jinja2:`"))
                .near(key, KEYS));
        };
        let start = offset + pair.len() - pair.split_once(':').map_or(0, |(_, v)| v.trim_start().len());
        let wrong = |expected: &str| at(path, source, start, format!("`{key}` takes {expected}"));
        let literal = literal(value.trim()).ok_or_else(|| wrong("`True`, `False` or a quoted string"))?;
        match (index, literal) {
            (0..=5, Literal::Text(text)) if !text.is_empty() => self.delimiters[index] = text,
            (0..=5, _) => return Err(wrong("a quoted string")),
            (6, Literal::Text(text)) => self.statement = Some(text),
            (7, Literal::Text(text)) => self.comment = Some(text),
            (6 | 7, Literal::Nothing) => {}
            (6 | 7, _) => return Err(wrong("a quoted string or `None`")),
            (8, Literal::Flag(flag)) => self.trim = flag,
            (9, Literal::Flag(flag)) => self.lstrip = flag,
            (11, Literal::Flag(flag)) => self.keep = flag,
            (10, Literal::Text(text)) => {
                let known = ["\n", "\r\n", "\r"].into_iter().find(|known| *known == text);
                self.newline = known.ok_or_else(|| wrong("'\\n', '\\r\\n' or '\\r'"))?;
            }
            (10, _) => return Err(wrong("a quoted string")),
            _ => return Err(wrong("`True` or `False`")),
        }
        Ok(())
    }

    fn builder(&self) -> SyntaxConfigBuilder {
        let [block, block_end, variable, variable_end, comment, comment_end] = &self.delimiters;
        let mut builder = defaults();
        builder
            .block_delimiters(block.clone(), block_end.clone())
            .variable_delimiters(variable.clone(), variable_end.clone())
            .comment_delimiters(comment.clone(), comment_end.clone())
            .trim_blocks(self.trim)
            .lstrip_blocks(self.lstrip)
            .keep_trailing_newline(self.keep);
        if let Some(prefix) = &self.statement {
            builder.line_statement_prefix(prefix.clone());
        }
        if let Some(prefix) = &self.comment {
            builder.line_comment_prefix(prefix.clone());
        }
        builder
    }
}

fn literal(text: &str) -> Option<Literal> {
    match text {
        "True" => return Some(Literal::Flag(true)),
        "False" => return Some(Literal::Flag(false)),
        "None" => return Some(Literal::Nothing),
        _ => {}
    }
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                c @ ('\\' | '\'' | '"') => out.push(c),
                c => out.extend(['\\', c]),
            },
            c if c == quote => return None,
            c => out.push(c),
        }
    }
    Some(Literal::Text(out))
}
