//! `file::replace`.

use std::collections::BTreeSet;
use std::ops::Range;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use refrain_engine::python_regex::{Flags, Pattern, Replacement, split_flags};
use schemars::JsonSchema;
use serde::Deserialize;

use super::edited_file::{Edit, EditedFile, Missing, known};
use super::lines::refuse;
use crate::attributes::AttributeOptions;
use crate::document::LineEndings;
use crate::host_path::HostPath;

/// Replaces whatever matches a regular expression in a text file.
///
/// ```rhai
/// file::replace("/etc/hosts", `(\s+)old\.example\.net(\s|$)`, `\1new.example.net\2`);
/// file::replace("/etc/nginx/nginx.conf", `^(\s*)listen 80;`, `\1listen 8080;`, #{ after: "server \\{", before: "\\}" });
/// file::replace("/etc/motd", `^#.*\n`);
/// ```
///
/// `^` and `$` match at the start and end of every line, `.` does not match a newline. A file that is missing is an error;
/// a file in which nothing matches is as it shall be.
///
/// This is Ansible's `replace`, with these differences. An alternative in `after` or `before` ends there. Where a second
/// run would find more to replace, because what has been put in matches again, the call fails before anything is changed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileReplace {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    /// A Python regular expression for what is replaced. It sees carriage returns as they are in the file.
    regexp: String,
    /// What is put in its place, with `\1` and `\g<name>` for groups. When absent, what matches is removed.
    replacement: Option<Text>,
    /// A Python regular expression: only what stands behind its first match is looked at. Here `.` matches newlines, and
    /// `^` and `$` only the ends of the file. Where it does not match, nothing is replaced.
    after: Option<String>,
    /// The same for what stands in front of a match: the first one behind `after`, or else the last one in the file.
    before: Option<String>,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl FileReplace {
    /// The part of the text that `after` and `before` leave.
    fn section(&self, text: &str) -> Result<Option<Range<usize>>, Failure> {
        let argument = if self.after.is_some() { "after" } else { "before" };
        let (after_flags, after) = self.after.as_deref().map(split_flags).unzip();
        let (before_flags, before) = self.before.as_deref().map(split_flags).unzip();
        let section = match (after, before) {
            (None, None) => return Ok(Some(0..text.len())),
            (Some(after), Some(before)) => format!("(?:{after})(?P<section>.*?)(?:{before})"),
            (Some(after), None) => format!("(?:{after})(?P<section>.*)"),
            (None, Some(before)) => format!("(?P<section>.*)(?:{before})"),
        };
        // In Python, flags hold for the whole expression.
        let flags: BTreeSet<char> =
            [after_flags, before_flags].into_iter().flatten().flat_map(str::chars).collect();
        let whole = match flags.is_empty() {
            true => section,
            false => format!("(?{}){section}", flags.into_iter().collect::<String>()),
        };
        let dot_all = Flags { dot_all: true, ..Flags::default() };
        let pattern = Pattern::compile(&whole, dot_all, text).map_err(refuse(argument))?;
        let found = pattern.captures(text).map_err(refuse(argument))?;
        Ok(found.and_then(|found| found.name("section").map(|section| section.range())))
    }
}

impl Edit for FileReplace {
    const LINE_ENDINGS: LineEndings = LineEndings::Verbatim;

    fn edit(&self, text: &str) -> Result<String, Failure> {
        let Some(section) = self.section(text)? else { return Ok(text.to_owned()) };
        let inner = &text[section.clone()];
        let multiline = Flags { multiline: true, ..Flags::default() };
        let pattern = Pattern::compile(&self.regexp, multiline, inner).map_err(refuse("regexp"))?;
        let replacement = self.replacement.as_ref().and_then(known).unwrap_or_default();
        let replacement = Replacement::parse(&replacement, &pattern).map_err(refuse("replacement"))?;
        let (new, _) = pattern.replace(inner, &replacement, usize::MAX).map_err(refuse("regexp"))?;
        Ok([&text[..section.start], &new, &text[section.end..]].concat())
    }

    fn unsteady(&self) -> Failure {
        Failure::argument(
            "regexp",
            "each run would change the file again: what is put in matches `regexp`, too",
        )
        .advise("exclude what is right already, for example with a look-ahead: `(?!…)`")
    }
}

impl State for FileReplace {
    const NAME: &'static str = "file::replace";
    const POSITIONAL: &'static [&'static str] = &["path", "regexp", "replacement"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        let missing = Missing::Error("is the path right?");
        EditedFile::look(context.host, &self.path, &self.attributes, missing)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(self.replacement.iter().collect(), self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::edited_file::testing::{edited, table};
    use super::*;

    #[test]
    fn what_matches_is_replaced() {
        table::<FileReplace>(&[
            (json!({"regexp": "^a$", "replacement": "x"}), "a\nab\na", "x\nab\nx"),
            (json!({"regexp": "^#.*\\n"}), "#a\nb\n#c\n", "b\n"),
            (json!({"regexp": "^(.+)$", "replacement": "# \\1", "after": "b\\n"}), "a\nb\n", "a\nb\n"),
            (json!({"regexp": "(?i)OLD", "replacement": "new"}), "old Old\n", "new new\n"),
            (json!({"regexp": "a\\nb", "replacement": "c\\n"}), "a\nb\n", "c\n\n"),
            (json!({"regexp": "(?P<k>k)=(?!2)\\d", "replacement": "\\g<k>=2"}), "k=1\nk=2\n", "k=2\nk=2\n"),
            (json!({"regexp": "\\r\\n", "replacement": "\\n"}), "a\r\nb\r\n", "a\nb\n"),
            (json!({"regexp": "nowhere", "replacement": "x"}), "a\n", "a\n"),
        ]);
    }

    #[test]
    fn only_a_section_is_looked_at() {
        let case = |after: &str, before: &str, expected: &'static str| {
            let mut arguments = json!({"regexp": "x", "replacement": "y"});
            for (name, value) in [("after", after), ("before", before)] {
                if !value.is_empty() {
                    arguments[name] = json!(value);
                }
            }
            (arguments, "x<x>x<x>x\n", expected)
        };
        table::<FileReplace>(&[
            case("", "", "y<y>y<y>y\n"),
            case("<", "", "x<y>y<y>y\n"),
            case("<", ">", "x<y>x<x>x\n"),
            case("", ">", "y<y>y<y>x\n"),
            case("^x|nothing", "", "x<y>y<y>y\n"),
            case("(?i)X<", "(?i)>X", "x<y>x<x>x\n"),
            case("nowhere", "", "x<x>x<x>x\n"),
            case("<", "nowhere", "x<x>x<x>x\n"),
        ]);
        table::<FileReplace>(&[(
            json!({"regexp": "^(\\w)", "replacement": "# \\1", "after": "(?m)^<a>\\n", "before": "</a>"}),
            "k\n<a>\nk\nl\n</a>\nk\n",
            "k\n<a>\n# k\n# l\n</a>\nk\n",
        )]);
    }

    #[test]
    fn a_replacement_that_matches_again_is_refused() {
        let growing = json!({"regexp": "port", "replacement": "port 80"});
        let failure = edited::<FileReplace>(&growing, "port\n").unwrap_err();
        assert!(failure.to_string().starts_with("each run would change the file again"), "{failure}");
        assert!(failure.hint().is_some_and(|hint| hint.contains("(?!…)")));
        let failure = edited::<FileReplace>(&json!({"regexp": "("}), "").unwrap_err().to_string();
        assert!(failure.starts_with("`(` is not a regular expression"), "{failure}");
        let failure = edited::<FileReplace>(&json!({"regexp": "a", "replacement": "\\1"}), "").unwrap_err();
        assert_eq!(failure.to_string(), "the replacement uses group 1, which there is not");
    }

    proptest! {
        #[test]
        fn a_replacement_that_can_not_match_is_steady_and_complete(
            text in "([abx]{0,3}\n){0,4}",
            after in prop_oneof![Just(None), Just(Some("b")), Just(Some("x\n"))],
        ) {
            let mut arguments = json!({"regexp": "a+", "replacement": "<x"});
            if let Some(after) = after {
                arguments["after"] = json!(after);
            }
            let once = edited::<FileReplace>(&arguments, &text).unwrap();
            prop_assert_eq!(edited::<FileReplace>(&arguments, &once).unwrap(), once.clone());
            if after.is_none() {
                prop_assert!(!once.contains('a'));
            }
            prop_assert_eq!(once.matches('b').count(), text.matches('b').count());
        }
    }
}
