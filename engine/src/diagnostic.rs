//! Errors that point at a line: what went wrong, where, why, and what to do about it.
//!
//! Every error that a person reads, whatever it came from (playbook, template, variable file, inventory, a module on a
//! remote host), is turned into a [`Diagnostic`]. Text is made in one place, its [`Display`](std::fmt::Display).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a source file, with the line's text so that it can be quoted where the file is not at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file as a person would name it, usually relative to the project.
    pub path: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The whole line, without its newline.
    pub text: String,
    /// How many characters to underline, at least 1.
    pub width: usize,
}

impl Location {
    /// The place at `line` and `column` (both from 1) of a file whose whole text is `source`.
    ///
    /// The underline covers the word or the quoted text that starts there, or one character.
    pub fn new(path: impl Into<String>, source: &str, line: usize, column: usize) -> Self {
        Self::in_line(path, source.lines().nth(line.saturating_sub(1)).unwrap_or(""), line, column)
    }

    /// As [`new`](Self::new), where only the line's own text is at hand.
    pub fn in_line(path: impl Into<String>, text: &str, line: usize, column: usize) -> Self {
        let mut rest = text.chars().skip(column.saturating_sub(1)).peekable();
        let width = match rest.peek().copied() {
            Some(quote @ ('"' | '\'' | '`')) => {
                rest.skip(1).position(|c| c == quote).map_or(1, |inside| inside + 2)
            }
            _ => rest.take_while(|c| c.is_alphanumeric() || *c == '_').count(),
        };
        let width = width.max(1);
        Self { path: path.into(), line: line.max(1), column: column.max(1), text: text.to_owned(), width }
    }

    /// The same place with `width` characters underlined.
    #[must_use]
    pub fn with_width(mut self, width: usize) -> Self {
        self.width = width.max(1);
        self
    }
}

/// An error or a warning for a person: message, place, causes, hint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// What is wrong, in one line, lower case, names in backticks.
    pub message: String,
    /// Where. Absent when the error is not about a place in a file (a host that can't be reached).
    pub at: Option<Location>,
    /// Where the failing place was called from, innermost first (a role's line, then the playbook's).
    #[serde(default)]
    pub called_from: Vec<Location>,
    /// Why, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What a failed command or client program said itself, unindented.
    #[serde(default)]
    pub output: Option<String>,
    /// What to do about it, or the near match.
    #[serde(default)]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error with a message and nothing else.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.at = Some(location);
        self
    }

    /// Adds a cause behind those that are there.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds the words of the program that failed; blank ones are dropped.
    #[must_use]
    pub fn with_output(mut self, output: impl Into<String>) -> Self {
        let output = output.into();
        self.output = (!output.trim().is_empty()).then_some(output);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Hints at the candidate that is spelled most like `wanted`, if one is close.
    #[must_use]
    pub fn near<'a>(self, wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match near_match(wanted, candidates) {
            Some(found) => self.hint(format!("did you mean `{found}`?")),
            None => self,
        }
    }
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Diagnostic {
    /// The whole text, without the leading word `error:` and without a final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(at) = &self.at {
            let gutter = at.line.to_string().len();
            let lead: String = at
                .text
                .chars()
                .take(at.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let room = at.text.chars().count().saturating_sub(at.column.saturating_sub(1)).max(1);
            write!(f, "\n{:gutter$}--> {}:{}:{}", "", at.path, at.line, at.column)?;
            write!(f, "\n{:gutter$} |", "")?;
            write!(f, "\n{} | {}", at.line, at.text)?;
            write!(f, "\n{:gutter$} | {lead}{}", "", "^".repeat(at.width.min(room)))?;
        }
        for call in &self.called_from {
            write!(f, "\n  called from {}:{}:{}", call.path, call.line, call.column)?;
        }
        for cause in &self.causes {
            write!(f, "\ncaused by: {}", cause.replace('\n', "\n    "))?;
        }
        if let Some(output) = &self.output {
            for line in output.trim_end().lines() {
                write!(f, "\n    {line}")?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// The candidate that is spelled most like `wanted`, if it is close enough to be a slip of the fingers.
///
/// Closeness is a ratio, not a distance, so that short names do not match everything.
pub fn near_match<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    candidates
        .into_iter()
        .map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().collect();
            let longest = wanted.len().max(other.len()).max(1);
            (distance(&wanted, &other), longest, candidate)
        })
        .filter(|(distance, longest, _)| *distance > 0 && distance * 3 <= *longest)
        .min_by_key(|(distance, _, candidate)| (*distance, candidate.len()))
        .map(|(_, _, candidate)| candidate)
}

/// Edit distance in which a swap of two neighbours counts as one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_its_line() {
        let source = "let a = 1;\n    runit::enabel(\"nginx\");\n";
        let error = Diagnostic::new("unknown function `runit::enabel`")
            .at(Location::new("playbooks/site.rhai", source, 2, 12))
            .because("there is no such thing")
            .with_output("line one\nline two\n")
            .near("enabel", ["disable", "enable"]);
        assert_eq!(
            error.to_string(),
            "unknown function `runit::enabel`\n \
             --> playbooks/site.rhai:2:12\n  \
             |\n\
             2 |     runit::enabel(\"nginx\");\n  \
             |            ^^^^^^\n\
             caused by: there is no such thing\n    line one\n    line two\n\
             hint: did you mean `enable`?"
        );
    }

    #[test]
    fn near_matches_are_near() {
        assert_eq!(near_match("instal", ["install", "remove"]), Some("install"));
        assert_eq!(near_match("ndoe1", ["node1", "edge"]), Some("node1"));
        assert_eq!(near_match("foo", ["cos", "for_all"]), None);
        assert_eq!(near_match("x", ["y"]), None);
    }
}
