//! The text of a configuration file: one directive a line.

use super::criteria::{self, Criterion};
use super::setting::{self, Arguments, KEYWORDS, Meaning, Setting};
use super::words::{self, Word};
use crate::diagnostic::{Diagnostic, Location};
use crate::transport::ssh::pattern;

/// What a line says.
#[derive(Clone, Debug)]
pub(super) enum Directive {
    /// What follows is about hosts of these patterns.
    Host(Vec<String>),
    /// What follows holds under these conditions.
    Match(Vec<Criterion>, Location),
    Set(Setting),
    /// A keyword that is not honoured, and that a person should know of.
    Unheeded(&'static str, Location),
    /// A keyword that must not be ignored.
    Refused(&'static str, Location),
    /// Other files, whose names are patterns.
    Include(Vec<String>),
}

/// Reads the lines of a file that people call `path`.
///
/// # Errors
/// All lines that make no sense.
pub(super) fn read(path: &str, text: &str) -> Result<Vec<Directive>, Vec<Diagnostic>> {
    let (mut directives, mut problems) = (Vec::new(), Vec::new());
    let mut ignored = None;
    for (number, line) in text.lines().enumerate() {
        let line = Line { path, number: number + 1, text: line };
        match line.read(&mut ignored) {
            Ok(directive) => directives.extend(directive),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(directives) } else { Err(problems) }
}

struct Line<'a> {
    path: &'a str,
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn at(&self, column: usize) -> Location {
        Location::in_line(self.path, self.text, self.number, column)
    }

    fn error(&self, column: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.at(column))
    }

    fn column(&self, byte: usize) -> usize {
        self.text[..byte].chars().count() + 1
    }

    /// What the line says, if anything. `ignored` are the patterns of keywords that may be unknown.
    fn read(&self, ignored: &mut Option<String>) -> Result<Option<Directive>, Diagnostic> {
        let text = self.text.trim_end_matches([' ', '\t', '\r', '\n', '\u{c}']);
        let start = text.len() - text.trim_start_matches(words::SPACE).len();
        if text[start..].is_empty() || text[start..].starts_with('#') {
            return Ok(None);
        }
        let Some((word, at, rest)) = words::first(text, start) else {
            return Err(self.error(self.column(start), "a line begins with a keyword"));
        };
        let at = self.column(at);
        if rest >= text.len() {
            return Err(self.error(at, format!("`{word}` needs a value")));
        }
        let words =
            words::split(text, rest).map_err(|column| self.error(column, "the quote is not closed"))?;
        match word.to_ascii_lowercase().as_str() {
            "host" => return self.host(&words, at).map(Some),
            "match" => {
                let criteria = criteria::read(text, rest);
                let criteria = criteria.map_err(|(word, reason)| self.error(word.column, reason))?;
                return Ok(Some(Directive::Match(criteria, self.at(at))));
            }
            "include" if !words.is_empty() => {
                return Ok(Some(Directive::Include(words.into_iter().map(|word| word.text).collect())));
            }
            "ignoreunknown" => {
                ignored.get_or_insert_with(|| text[rest..].to_lowercase());
            }
            _ => {}
        }
        let Some((keyword, meaning)) = setting::keyword(word) else {
            return match ignored {
                Some(patterns) if pattern::covers(patterns.split([',', ' ']), &word.to_lowercase()) => {
                    Ok(None)
                }
                _ => Err(self.unknown(word, at)),
            };
        };
        self.meant(keyword, meaning, &Arguments { words: &words, rest: &text[rest..] }, at)
    }

    fn meant(
        &self,
        keyword: &'static str,
        meaning: Meaning,
        arguments: &Arguments<'_>,
        at: usize,
    ) -> Result<Option<Directive>, Diagnostic> {
        let is_one_of = |values: &[&str]| {
            arguments.words.len() == 1
                && values.iter().any(|value| arguments.words[0].text.eq_ignore_ascii_case(value))
        };
        let directive = match meaning {
            Meaning::Idle => None,
            Meaning::Unheeded(harmless) | Meaning::Refused(harmless) if is_one_of(harmless) => None,
            Meaning::Unheeded(_) => Some(Directive::Unheeded(keyword, self.at(at))),
            Meaning::Refused(_) => Some(Directive::Refused(keyword, self.at(at))),
            Meaning::Honoured(read) => {
                let place = arguments.words.first().map_or(at, |word| word.column);
                let setting = read(arguments)
                    .map_err(|expected| self.error(place, format!("`{keyword}` takes {expected}")))?;
                Some(Directive::Set(setting))
            }
        };
        Ok(directive)
    }

    fn host(&self, words: &[Word], at: usize) -> Result<Directive, Diagnostic> {
        if words.is_empty() || words.iter().any(|word| word.text.is_empty()) {
            return Err(self.error(at, "`Host` needs patterns, none of them empty"));
        }
        Ok(Directive::Host(words.iter().map(|word| word.text.clone()).collect()))
    }

    fn unknown(&self, word: &str, at: usize) -> Diagnostic {
        let names = KEYWORDS.iter().map(|(name, _)| *name).chain(["Host", "Match", "Include"]);
        let error = self.error(at, format!("ssh has no option `{word}`")).near(word, names);
        match error.hint {
            Some(_) => error,
            None => error.hint("`IgnoreUnknown` before it lets an option pass that is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_points_at_its_place() {
        let text = "Host web\n  Prot 22\n  Port x\n  User \"me\n Match hots a\n IgnoreUnknown Y*,zz\n Zz 1\n Yes\n\
                    Yes 2\n= 1\n ForwardAgent yes\nHost \"\"\n";
        let problems = read("config", text).unwrap_err();
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n\n"));
    }
}
