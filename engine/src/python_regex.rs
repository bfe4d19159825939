//! Regular expressions as Python's `re` understands them.
//!
//! Templates and the functions that edit files take the expressions that Ansible takes. Their spelling is brought to that
//! of the crate `fancy_regex`, and matches are found in the order and number in which Python finds them.

mod replacement;
mod spelling;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Captures, Regex, RegexBuilder, RegexInput};

pub use replacement::Replacement;

/// Compiled expressions that a thread keeps: a template uses the same few for every item of a loop.
const KEPT: usize = 128;

/// Why an expression or a replacement is no good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It can't be compiled.
    #[error("`{pattern}` is not a regular expression: {reason}")]
    Syntax {
        /// The expression as it was given.
        pattern: String,
        /// The words of the compiler.
        reason: String,
    },
    /// The text made it try too many ways.
    #[error("the regular expression gave up: {0}")]
    Stopped(String),
    /// The replacement can't be read.
    #[error("the replacement {0}")]
    Replacement(String),
}

/// The flags that `re.compile` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignore_case: bool,
    /// `re.MULTILINE`: `^` and `$` also match at the start and end of each line.
    pub multiline: bool,
    /// `re.DOTALL`: `.` also matches a newline.
    pub dot_all: bool,
}

impl Flags {
    fn spelling(self) -> String {
        let all = [(self.ignore_case, 'i'), (self.multiline, 'm'), (self.dot_all, 's')];
        let set: String = all.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect();
        if set.is_empty() { set } else { format!("(?{set})") }
    }
}

/// A compiled expression, for texts that end alike.
pub struct Pattern {
    regex: Regex,
    /// The same expression, never matching the empty text. `None` when it can match nothing else.
    not_empty: OnceCell<Option<Regex>>,
}

type Key = (String, Flags, bool);

thread_local! {
    static COMPILED: RefCell<HashMap<Key, Rc<Pattern>>> = RefCell::default();
}

impl Pattern {
    /// Compiles an expression for use on `text`, or on another text that ends in a newline exactly if this one does.
    ///
    /// # Errors
    /// [`PatternError::Syntax`].
    pub fn compile(pattern: &str, flags: Flags, text: &str) -> Result<Rc<Self>, PatternError> {
        let multiline = flags.multiline || has_flag(pattern, 'm');
        // Python's `$` also matches in front of a final newline. That costs look-ahead, so it is done where there is one.
        let newline = text.ends_with('\n') && !multiline;
        let key = (pattern.to_owned(), flags, newline);
        if let Some(compiled) = COMPILED.with_borrow(|compiled| compiled.get(&key).cloned()) {
            return Ok(compiled);
        }
        let translated = format!("{}{}", flags.spelling(), spelling::translate(pattern, newline));
        let regex = Regex::new(&translated).map_err(|error| syntax(pattern, &error))?;
        let compiled = Rc::new(Self { regex, not_empty: OnceCell::new() });
        COMPILED.with_borrow_mut(|all| {
            if all.len() >= KEPT {
                all.clear();
            }
            all.insert(key, Rc::clone(&compiled));
        });
        Ok(compiled)
    }

    /// Whether it matches somewhere.
    ///
    /// # Errors
    /// [`PatternError::Stopped`].
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.regex.is_match(text).map_err(|error| stopped(&error))
    }

    /// Whether it matches at the start.
    ///
    /// # Errors
    /// [`PatternError::Stopped`].
    pub fn matches_start(&self, text: &str) -> Result<bool, PatternError> {
        let input = RegexInput::new(text).anchored(true);
        // Not `is_match_input`: it does not heed `anchored`.
        self.regex.find_input(input).map(|found| found.is_some()).map_err(|error| stopped(&error))
    }

    /// Whether it matches the whole text.
    ///
    /// # Errors
    /// [`PatternError::Stopped`].
    pub fn matches_whole(&self, text: &str) -> Result<bool, PatternError> {
        let whole =
            Regex::new(&format!("\\A(?:{})\\z", self.regex.as_str())).map_err(|error| stopped(&error))?;
        whole.is_match(text).map_err(|error| stopped(&error))
    }

    /// The first match with its groups.
    ///
    /// # Errors
    /// [`PatternError::Stopped`].
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>, PatternError> {
        self.regex.captures(text).map_err(|error| stopped(&error))
    }

    /// Every match from left to right. As in Python, an empty one is also found right behind another match.
    pub fn matches<'t>(&self, text: &'t str) -> Matches<'_, 't> {
        Matches { pattern: self, text, position: 0, behind_empty: false }
    }

    /// The text with its matches replaced, at most `limit` of them, and how many that were.
    ///
    /// # Errors
    /// [`PatternError::Stopped`].
    pub fn replace(
        &self,
        text: &str,
        replacement: &Replacement,
        limit: usize,
    ) -> Result<(String, usize), PatternError> {
        let mut out = String::with_capacity(text.len());
        let (mut done, mut count) = (0, 0);
        for found in self.matches(text).take(limit) {
            let found = found?;
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&text[done..whole.start()]);
            replacement.expand(&found, &mut out);
            done = whole.end();
            count += 1;
        }
        out.push_str(&text[done..]);
        Ok((out, count))
    }

    /// How many groups it has, the whole match not counted.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// Whether it has a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.regex.capture_names().flatten().any(|known| known == name)
    }

    /// The match that starts exactly at `position` and is not empty.
    fn not_empty_at<'t>(
        &self,
        text: &'t str,
        position: usize,
    ) -> Result<Option<Captures<'t, str>>, PatternError> {
        let not_empty = self.not_empty.get_or_init(|| {
            // The expression compiled before, so failing here means that it can match nothing but the empty text.
            RegexBuilder::new(self.regex.as_str()).find_not_empty(true).build().ok()
        });
        let Some(regex) = not_empty else { return Ok(None) };
        let input = RegexInput::new(text).from_pos(position).anchored(true);
        regex.captures_input(input).map_err(|error| stopped(&error))
    }
}

/// The matches of an expression in a text.
pub struct Matches<'p, 't> {
    pattern: &'p Pattern,
    text: &'t str,
    position: usize,
    /// The last match was empty: the next one that starts at the same position must not be.
    behind_empty: bool,
}

impl<'t> Matches<'_, 't> {
    fn find(&mut self) -> Result<Option<Captures<'t, str>>, PatternError> {
        if self.behind_empty {
            if let Some(found) = self.pattern.not_empty_at(self.text, self.position)? {
                return Ok(Some(found));
            }
            let Some(skipped) = self.text[self.position..].chars().next() else { return Ok(None) };
            self.position += skipped.len_utf8();
        }
        let found = self.pattern.regex.captures_from_pos(self.text, self.position);
        found.map_err(|error| stopped(&error))
    }
}

impl<'t> Iterator for Matches<'_, 't> {
    type Item = Result<Captures<'t, str>, PatternError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.find();
        match &found {
            Ok(Some(captures)) => {
                let whole = captures.get(0)?;
                self.position = whole.end();
                self.behind_empty = whole.start() == whole.end();
            }
            // After an error there is nothing more to find.
            Ok(None) | Err(_) => {
                self.position = self.text.len();
                self.behind_empty = true;
            }
        }
        found.transpose()
    }
}

/// The expression without the flags that it begins with, `(?im)`, and these flags.
pub fn split_flags(pattern: &str) -> (&str, &str) {
    let flags = pattern.strip_prefix("(?").and_then(|inner| inner.split_once(')'));
    match flags {
        Some((flags, rest)) if !flags.is_empty() && flags.chars().all(|c| "imsux".contains(c)) => {
            (flags, rest)
        }
        _ => ("", pattern),
    }
}

/// Whether the expression begins with this flag, as `(?m)^a` does.
pub fn has_flag(pattern: &str, flag: char) -> bool {
    split_flags(pattern).0.contains(flag)
}

fn syntax(pattern: &str, error: &fancy_regex::Error) -> PatternError {
    let error = error.to_string();
    let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    PatternError::Syntax { pattern: pattern.to_owned(), reason }
}

fn stopped(error: &fancy_regex::Error) -> PatternError {
    PatternError::Stopped(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, replacement: &str, text: &str) -> String {
        let pattern = Pattern::compile(pattern, Flags::default(), text).unwrap();
        let replacement = Replacement::parse(replacement, &pattern).unwrap();
        pattern.replace(text, &replacement, usize::MAX).unwrap().0
    }

    /// What `re.sub(pattern, replacement, text)` gives in Python 3.
    #[test]
    fn replacing_gives_what_python_gives() {
        for (pattern, replacement, text, expected) in [
            ("x*", "-", "abxd", "-a-b--d-"),
            (".*", "x", "abc", "xx"),
            ("", "-", "é", "-é-"),
            ("|a", r"<\g<0>>", "ab", "<><a><>b<>"),
            ("$", "!", "a\nb\n", "a\nb!\n!"),
            ("(?m)^", "> ", "a\nb\n", "> a\n> b\n> "),
            ("(?m)$", ";", "a\nb\n", "a;\nb;\n;"),
            ("(?m)^(.*)$", r"# \1", "a\n\nb", "# a\n# \n# b"),
            (r"a\ b\-c\/d", "z", "a b-c/d", "z"),
            (r"[^\n]+", "l", "ab\ncd\n", "l\nl\n"),
            (r"(a)|b", r"[\1]", "ab", "[a][]"),
            (r"(?P<x>a)(?P=x)", r"\g<x>\g<1>\101\0", "aa", "aaA\0"),
            ("a{,2}b{x}", "z", "aab{x}", "z"),
        ] {
            assert_eq!(replaced(pattern, replacement, text), expected, "re.sub({pattern:?}) on {text:?}");
        }
    }

    #[test]
    fn flags_stand_at_the_beginning() {
        assert_eq!(split_flags("(?im)^a"), ("im", "^a"));
        assert_eq!(split_flags("(?:a)"), ("", "(?:a)"));
        assert_eq!(split_flags("(?P<n>a)"), ("", "(?P<n>a)"));
        assert!(has_flag("(?m)^a", 'm') && !has_flag("(?i)m", 'm'));
    }

    #[test]
    fn matching_starts_where_it_is_asked_to() {
        let pattern = Pattern::compile("b+", Flags::default(), "").unwrap();
        assert!(pattern.is_match("abb").unwrap() && !pattern.matches_start("abb").unwrap());
        assert!(pattern.matches_start("bba").unwrap() && !pattern.matches_whole("bba").unwrap());
        assert!(pattern.matches_whole("bb").unwrap());
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |pattern: &str, replacement: &str| {
            Pattern::compile(pattern, Flags::default(), "")
                .and_then(|pattern| Replacement::parse(replacement, &pattern).map(|_| ()))
                .unwrap_err()
                .to_string()
        };
        assert!(error("a(", "").starts_with("`a(` is not a regular expression: "));
        assert_eq!(error("(a)", r"\2"), "the replacement uses group 2, which there is not");
        assert_eq!(error("(?P<one>a)", r"\g<two>"), "the replacement uses group `two`, which there is not");
        assert_eq!(error("a", r"\q"), r"the replacement has a bad escape `\q`");
        assert_eq!(error("a", r"\"), "the replacement ends in a single backslash");
    }
}
