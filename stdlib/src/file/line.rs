//! `file::line`.

use std::borrow::Cow;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use refrain_engine::python_regex::Replacement;
use schemars::JsonSchema;
use serde::Deserialize;

use super::edited_file::{Edit, EditedFile, Missing, known};
use super::lines::{self, LinePattern, body, ended, refuse};
use super::place::PlaceOptions;
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;

/// Keeps one line in a text file, or keeps lines out of it.
///
/// ```rhai
/// file::line("/etc/hosts", "192.0.2.7 storage");
/// file::line("/etc/ssh/sshd_config", "PermitRootLogin no", #{ regexp: "^#?PermitRootLogin " });
/// file::line("/etc/default/grub", `\1 quiet"`, #{ regexp: `^(GRUB_CMDLINE="(?!.* quiet").*)"`, backrefs: true });
/// file::line("/etc/hosts", #{ regexp: `\sold-storage$`, absent: true });
/// ```
///
/// With `regexp` or `search_string` the last line that matches is replaced by `line`. Where none matches, or neither is
/// given, a line that is exactly `line` is enough; where there is none, `line` is inserted at the place that
/// `insert_after` or `insert_before` tell, by default at the end of the file.
///
/// This is Ansible's `lineinfile`, with these differences. Lines keep the file's line endings, and expressions don't see a
/// carriage return in front of a newline. A line that is there already is found also behind the place that `first_match`
/// chooses. Nothing is glued to a last line that has no newline. Where a second run would change the file again, the call
/// fails before anything is changed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileLine {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    /// The line, without its newline. Needed unless lines are removed by `regexp` or `search_string`.
    line: Option<Text>,
    /// A Python regular expression for the line to replace, or the lines to remove. It should also match `line` itself, so
    /// that a later run finds what this one has made.
    regexp: Option<String>,
    /// A text that the line to replace, or the lines to remove, have somewhere in them. Not together with `regexp`.
    search_string: Option<String>,
    /// Whether `\1` and `\g<name>` in `line` stand for groups of `regexp`. Then nothing is inserted where `regexp` does not
    /// match.
    #[serde(default)]
    backrefs: bool,
    #[serde(flatten)]
    place: PlaceOptions,
    /// Whether the first line that matches `regexp`, `search_string`, `insert_after` or `insert_before` counts, instead of
    /// the last.
    #[serde(default)]
    first_match: bool,
    /// Whether all lines that match `regexp` or `search_string` are removed; without these, all that are exactly `line`.
    /// The options about inserting are of no importance then. A missing file is fine.
    #[serde(default)]
    absent: bool,
    /// Whether a missing file is created. Otherwise it is an error.
    #[serde(default)]
    create: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl FileLine {
    /// Refuses arguments that say nothing, or two things.
    fn check(&self) -> Result<(), Failure> {
        let refuse = |argument: &str, message: &str| Err(Failure::argument(argument, message));
        if self.regexp.is_some() && self.search_string.is_some() {
            return refuse("search_string", "`regexp` and `search_string` can't both be given");
        }
        if self.search_string.as_ref().is_some_and(String::is_empty) {
            return refuse("search_string", "`search_string` is empty and would match every line");
        }
        if self.line.is_none() && !(self.absent && (self.regexp.is_some() || self.search_string.is_some())) {
            return refuse("line", "missing argument `line`");
        }
        if self.line.as_ref().and_then(known).is_some_and(|line| one_line(&line).contains('\n')) {
            return Err(Failure::argument("line", "`line` has more than one line")
                .advise("file::block keeps several lines together"));
        }
        if self.backrefs && self.regexp.is_none() {
            return refuse("backrefs", "`backrefs` needs a `regexp` whose groups it can refer to");
        }
        if self.backrefs && (self.create || !self.place.is_empty()) {
            return refuse(
                "backrefs",
                "with `backrefs` nothing is inserted: there is no place to choose, no file to create",
            );
        }
        Ok(())
    }

    fn present(&self, text: &str, line: &str) -> Result<String, Failure> {
        let mut all = lines::split(text);
        match self.replaced(&all, line)? {
            Some((index, new)) => all[index] = new.into(),
            None if self.backrefs => {}
            None => {
                let at = self.place.place()?.among(&all, self.first_match)?;
                lines::insert(&mut all, at, [ended(line)]);
            }
        }
        Ok(all.concat())
    }

    /// Which line has to be another one, or is right already, and what it has to be.
    fn replaced(&self, all: &[Cow<'_, str>], line: &str) -> Result<Option<(usize, String)>, Failure> {
        let found = match (&self.regexp, &self.search_string) {
            (Some(regexp), _) => {
                let pattern = LinePattern::compile("regexp", regexp)?;
                match pattern.find(all, self.first_match).map_err(refuse("regexp"))? {
                    Some(index) if self.backrefs => {
                        return Ok(Some((index, expand(&pattern, &all[index], line)?)));
                    }
                    found => found,
                }
            }
            (None, Some(part)) if self.first_match => {
                all.iter().position(|line| line.contains(part.as_str()))
            }
            (None, Some(part)) => all.iter().rposition(|line| line.contains(part.as_str())),
            (None, None) => None,
        };
        if let Some(index) = found {
            return Ok(Some((index, ended(line).into_owned())));
        }
        let exact = all.iter().rposition(|other| body(other) == line);
        Ok(exact.map(|index| (index, ended(&all[index]).into_owned())))
    }

    fn removed(&self, text: &str) -> Result<String, Failure> {
        let pattern =
            self.regexp.as_ref().map(|regexp| LinePattern::compile("regexp", regexp)).transpose()?;
        let line = self.line.as_ref().and_then(known).unwrap_or_default();
        let goes = |other: &str| match (&pattern, &self.search_string) {
            (Some(pattern), _) => pattern.of(other).is_match(other).map_err(refuse("regexp")),
            (None, Some(part)) => Ok(other.contains(part.as_str())),
            (None, None) => Ok(body(other) == one_line(&line)),
        };
        let mut kept = String::with_capacity(text.len());
        for other in text.split_inclusive('\n') {
            if !goes(other)? {
                kept.push_str(other);
            }
        }
        Ok(kept)
    }
}

/// A final newline of the argument is not part of the line.
fn one_line(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn expand(pattern: &LinePattern, old: &str, line: &str) -> Result<String, Failure> {
    let pattern = pattern.of(old);
    let replacement = Replacement::parse(line, pattern).map_err(refuse("line"))?;
    let mut new = String::new();
    if let Some(found) = pattern.captures(old).map_err(refuse("regexp"))? {
        replacement.expand(&found, &mut new);
    }
    Ok(ended(&new).into_owned())
}

impl Edit for FileLine {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        match self.line.as_ref().and_then(known) {
            _ if self.absent => self.removed(text),
            Some(line) => self.present(text, one_line(&line)),
            None => Ok(text.to_owned()),
        }
    }

    fn unsteady(&self) -> Failure {
        let argument = if self.regexp.is_some() { "regexp" } else { "search_string" };
        let message = format!("each run would change the file again: `{argument}` finds another line");
        Failure::argument(argument, message)
            .advise(format!("let `{argument}` find `line`, too, so that a later run replaces that"))
    }
}

impl State for FileLine {
    const NAME: &'static str = "file::line";
    const POSITIONAL: &'static [&'static str] = &["path", "line"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        self.check()?;
        let missing = Missing::of(self.absent, self.create);
        EditedFile::look(context.host, &self.path, &self.attributes, missing)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(self.line.iter().collect(), self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::edited_file::testing::{edited, table};
    use super::*;

    #[test]
    fn a_line_is_put_where_it_belongs() {
        table::<FileLine>(&[
            (json!({"line": "x"}), "", "x\n"),
            (json!({"line": "x\n"}), "a\n", "a\nx\n"),
            (json!({"line": "x"}), "a", "a\nx\n"),
            (json!({"line": "x"}), "a\nx", "a\nx\n"),
            (json!({"line": "x"}), "x\na", "x\na"),
            (json!({"line": ""}), "a\n", "a\n\n"),
            (json!({"line": "x", "insert_before": "BOF"}), "a\nb\n", "x\na\nb\n"),
            (json!({"line": "x", "insert_after": "^[ab]"}), "a\nb\nc\n", "a\nb\nx\nc\n"),
            (json!({"line": "x", "insert_after": "^[ab]", "first_match": true}), "a\nb\nc\n", "a\nx\nb\nc\n"),
            (json!({"line": "x", "insert_before": "^[ab]"}), "a\nb\nc\n", "a\nx\nb\nc\n"),
            (json!({"line": "x", "insert_after": "^c"}), "a\nc", "a\nc\nx\n"),
            (json!({"line": "x", "insert_after": "nowhere"}), "a\n", "a\nx\n"),
            (json!({"line": "x", "insert_before": "^b", "first_match": true}), "b\nx\n", "b\nx\n"),
        ]);
    }

    #[test]
    fn the_last_line_that_matches_is_replaced() {
        let root = json!({"line": "Root no", "regexp": "^#?Root "});
        table::<FileLine>(&[
            (root.clone(), "#Root yes\na\n", "Root no\na\n"),
            (root.clone(), "#Root yes\nRoot yes\na\n", "#Root yes\nRoot no\na\n"),
            (root.clone(), "a", "a\nRoot no\n"),
            (root, "a\r\nRoot yes\r\nb\r\n", "a\r\nRoot no\r\nb\r\n"),
            (json!({"line": "x", "regexp": "^[xab]", "first_match": true}), "a\nb\nc\n", "x\nb\nc\n"),
            (json!({"line": "x=1", "search_string": "x="}), "[x=]\nb\n", "x=1\nb\n"),
            (json!({"line": "x", "regexp": "^b$", "insert_after": "^a"}), "a\nc\n", "a\nx\nc\n"),
            (json!({"line": "x", "regexp": "b\\n"}), "a\nb\n", "a\nx\n"),
            (json!({"line": "x", "regexp": "nowhere"}), "a\nx\nb\n", "a\nx\nb\n"),
        ]);
    }

    #[test]
    fn groups_are_filled_in() {
        let heap = json!({"line": "\\1Xmx\\g<size>g\\3", "regexp": "^(.*)Xmx(?P<size>\\d+)m(.*)$", "backrefs": true});
        table::<FileLine>(&[
            (heap.clone(), "-Xmx5m -server\n", "-Xmx5g -server\n"),
            (heap.clone(), "-Xmx5m", "-Xmx5g\n"),
            (heap.clone(), "-Xmx5m -a\r\n", "-Xmx5g -a\r\n"),
            (heap, "-Xmx5g\n", "-Xmx5g\n"),
            (json!({"line": "(x)?b\\1", "regexp": "(x)?b$", "backrefs": true}), "ab\n", "(x)?b\n"),
        ]);
    }

    #[test]
    fn lines_are_removed() {
        table::<FileLine>(&[
            (json!({"line": "x", "absent": true}), "x\na\nx", "a\n"),
            (json!({"line": "x", "absent": true}), "x \nxx\n", "x \nxx\n"),
            (json!({"line": "x", "absent": true}), "x\r\na\r\n", "a\r\n"),
            (json!({"regexp": "^#", "absent": true}), "#a\nb\n#c\n", "b\n"),
            (json!({"search_string": "b", "absent": true}), "abc\nd\n", "d\n"),
            (json!({"line": "d", "regexp": "^a", "absent": true}), "abc\nd\n", "d\n"),
        ]);
    }

    #[test]
    fn arguments_that_make_no_sense_are_errors() {
        let line = |arguments| serde_json::from_value::<FileLine>(arguments).unwrap();
        for (arguments, message) in [
            (json!({}), "missing argument `line`"),
            (json!({"absent": true}), "missing argument `line`"),
            (json!({"line": "a\nb"}), "`line` has more than one line"),
            (
                json!({"line": "a", "regexp": "a", "search_string": "a"}),
                "`regexp` and `search_string` can't both be given",
            ),
            (
                json!({"line": "a", "backrefs": true}),
                "`backrefs` needs a `regexp` whose groups it can refer to",
            ),
            (
                json!({"line": "a", "search_string": ""}),
                "`search_string` is empty and would match every line",
            ),
        ] {
            let mut arguments = arguments;
            arguments["path"] = json!("/file");
            assert_eq!(line(arguments).check().unwrap_err().to_string(), message);
        }
        let both = json!({"line": "a", "insert_after": "a", "insert_before": "b"});
        assert_eq!(
            edited::<FileLine>(&both, "").unwrap_err().to_string(),
            "`insert_after` and `insert_before` can't both be given"
        );
    }

    #[test]
    fn a_replacement_that_would_not_last_is_refused() {
        let other = json!({"line": "x", "regexp": "^a"});
        assert_eq!(edited::<FileLine>(&other, "a\n").unwrap(), "x\n");
        let failure = edited::<FileLine>(&other, "a\na\n").unwrap_err();
        assert_eq!(failure.to_string(), "each run would change the file again: `regexp` finds another line");
        assert_eq!(
            failure.hint().as_deref(),
            Some("let `regexp` find `line`, too, so that a later run replaces that")
        );
        let growing = json!({"line": "\\1a", "regexp": "^(a+)$", "backrefs": true});
        assert!(edited::<FileLine>(&growing, "a\n").is_err());
    }

    fn lines_of() -> impl Strategy<Value = String> {
        proptest::collection::vec("(a|b|#a|x| a|)(\n|\n|\n|\r\n)", 0..6)
            .prop_flat_map(|lines| (Just(lines.concat()), any::<bool>()))
            .prop_map(|(text, ends)| if ends { text } else { text.trim_end_matches(['\r', '\n']).to_owned() })
    }

    proptest! {
        #[test]
        fn a_line_is_added_at_most_once_and_the_others_stay(
            text in lines_of(),
            place in prop_oneof![Just("EOF"), Just("BOF"), Just("^a"), Just("b|#"), Just("^$")],
            option in prop_oneof![Just("insert_after"), Just("insert_before")],
            first in any::<bool>(),
        ) {
            let after = edited::<FileLine>(&json!({"line": "x", option: place, "first_match": first}), &text).unwrap();
            let bodies = |text: &str| text.split_inclusive('\n').map(|line| body(line).to_owned()).collect::<Vec<_>>();
            let (before, mut new) = (bodies(&text), bodies(&after));
            if !before.contains(&"x".to_owned()) {
                let at = new.iter().position(|line| line == "x").expect("the line is there");
                new.remove(at);
            }
            prop_assert_eq!(before, new);
        }

        #[test]
        fn an_expression_that_finds_the_line_is_steady(text in lines_of(), first in any::<bool>()) {
            let arguments = json!({"line": "x", "regexp": "^(x|#?a)$", "first_match": first});
            let after = edited::<FileLine>(&arguments, &text).unwrap();
            prop_assert_eq!(edited::<FileLine>(&arguments, &after).unwrap(), after);
        }

        #[test]
        fn no_line_that_is_to_be_absent_is_left(text in lines_of()) {
            let after = edited::<FileLine>(&json!({"regexp": "^#?a", "absent": true}), &text).unwrap();
            prop_assert!(!after.lines().any(|line| line.starts_with('a') || line.starts_with("#a")));
            prop_assert_eq!(after.lines().filter(|line| line.starts_with('b')).count(),
                text.lines().filter(|line| line.starts_with('b')).count());
        }
    }
}
