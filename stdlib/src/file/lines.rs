//! A text as lines, and regular expressions that look at one line at a time.

use std::borrow::Cow;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::python_regex::{Flags, Pattern, PatternError};

/// The lines of a text, each with its newline. The last one may have none.
pub fn split(text: &str) -> Vec<Cow<'_, str>> {
    text.split_inclusive('\n').map(Cow::Borrowed).collect()
}

/// A line without what ends it.
pub fn body(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The line, with a newline if it has none.
pub fn ended(line: &str) -> Cow<'_, str> {
    if line.ends_with('\n') { Cow::Borrowed(line) } else { Cow::Owned(format!("{line}\n")) }
}

/// Inserts lines at an index. A last line that did not end yet is ended, if it is before them.
pub fn insert<'t>(lines: &mut Vec<Cow<'t, str>>, at: usize, new: impl IntoIterator<Item = Cow<'t, str>>) {
    if let Some(last) = lines[..at].last_mut().filter(|last| !last.ends_with('\n')) {
        last.to_mut().push('\n');
    }
    lines.splice(at..at, new);
}

/// A regular expression that is held against single lines, newline included.
pub struct LinePattern {
    ended: Rc<Pattern>,
    /// For a last line without newline.
    open: Rc<Pattern>,
}

impl LinePattern {
    /// Compiles the expression that was given as `argument`.
    ///
    /// # Errors
    /// It is no regular expression, or an empty one.
    pub fn compile(argument: &'static str, pattern: &str) -> Result<Self, Failure> {
        if pattern.is_empty() {
            return Err(Failure::argument(
                argument,
                format!("`{argument}` is empty and would match every line"),
            )
            .advise("for that, write \"^\""));
        }
        let compile = |line| Pattern::compile(pattern, Flags::default(), line).map_err(refuse(argument));
        Ok(Self { ended: compile("\n")?, open: compile("")? })
    }

    /// The expression as it is to be used on this line.
    pub fn of(&self, line: &str) -> &Pattern {
        if line.ends_with('\n') { &self.ended } else { &self.open }
    }

    /// The index of the last line that matches, or of the first.
    ///
    /// # Errors
    /// The expression gives up on a line.
    pub fn find(&self, lines: &[Cow<'_, str>], first: bool) -> Result<Option<usize>, PatternError> {
        let mut found = None;
        for (index, line) in lines.iter().enumerate() {
            if self.of(line).is_match(line)? {
                found = Some(index);
                if first {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Turns an error of an expression into one about the argument that it was given as.
pub fn refuse(argument: &'static str) -> impl Fn(PatternError) -> Failure {
    move |error| Failure::argument(argument, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_sees_a_line_as_python_would() {
        let lines = split("a\nb \nc");
        let find =
            |pattern, first| LinePattern::compile("regexp", pattern).unwrap().find(&lines, first).unwrap();
        assert_eq!(find("^a$", false), Some(0));
        assert_eq!(find("^a\\n", false), Some(0));
        assert_eq!(find("^c$", false), Some(2));
        assert_eq!(find("c\\n", false), None);
        assert_eq!((find("^.", true), find("^.", false)), (Some(0), Some(2)));
        let failure = LinePattern::compile("regexp", "").err().unwrap();
        assert_eq!(failure.to_string(), "`regexp` is empty and would match every line");
    }

    #[test]
    fn what_is_inserted_begins_a_line() {
        let mut lines = split("a\nb");
        insert(&mut lines, 2, ["c\n".into()]);
        insert(&mut lines, 0, ["d\n".into()]);
        assert_eq!(lines.concat(), "d\na\nb\nc\n");
    }
}
