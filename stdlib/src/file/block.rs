//! `file::block`.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::edited_file::{Edit, EditedFile, Missing, known};
use super::lines::{self, body, ended};
use super::place::PlaceOptions;
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;

const MARKER: &str = "# {mark} REFRAIN MANAGED BLOCK";

/// Keeps a block of lines in a text file, between two marker lines.
///
/// ```rhai
/// file::block("/etc/hosts", "192.0.2.7 storage\n192.0.2.8 backup\n");
/// file::block("/etc/ssh/sshd_config", "Match User deploy\n    PasswordAuthentication no", #{ name: "deploy" });
/// file::block("/etc/hosts", #{ absent: true });
/// ```
///
/// The markers tell a later run which lines are its own: it replaces what stands between them, wherever that is. A new
/// block goes to the place that `insert_after` or `insert_before` tell, by default to the end of the file. There, an
/// expression that begins with `(?m)` is held against the whole file, any other against single lines.
///
/// This is Ansible's `blockinfile`, with these differences. Lines keep the file's line endings. A marker without its
/// counterpart, or a block that is there twice, is an error; Ansible would remove lines that it did not write, or add one
/// block after another. Removing a block that is not there changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileBlock {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    /// The lines of the block. When they are empty the block is removed.
    content: Option<Text>,
    /// Tells several blocks of one file apart. It is added to the marker, or put where a `marker` says `{name}`.
    name: Option<String>,
    /// The line before and behind the block, with `{mark}` where they differ. `"# {mark} REFRAIN MANAGED BLOCK"` by
    /// default; `"# {mark} ANSIBLE MANAGED BLOCK"` takes over a block that Ansible made.
    marker: Option<String>,
    /// What `{mark}` stands for in the line before the block.
    #[serde(default = "begin")]
    marker_begin: String,
    /// What `{mark}` stands for in the line behind the block.
    #[serde(default = "end")]
    marker_end: String,
    #[serde(flatten)]
    place: PlaceOptions,
    /// Whether the block is kept apart from what stands before it by an empty line.
    #[serde(default)]
    prepend_newline: bool,
    /// Whether the block is kept apart from what stands behind it by an empty line.
    #[serde(default)]
    append_newline: bool,
    /// Whether the block is removed, with its markers. A missing file is fine then.
    #[serde(default)]
    absent: bool,
    /// Whether a missing file is created. Otherwise it is an error.
    #[serde(default)]
    create: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

fn begin() -> String {
    "BEGIN".to_owned()
}

fn end() -> String {
    "END".to_owned()
}

/// The lines around a block, without newlines.
struct Markers {
    begin: String,
    end: String,
}

impl Markers {
    /// Where the block is among the lines, markers included. `None` when it is not there.
    fn find(&self, all: &[Cow<'_, str>]) -> Result<Option<RangeInclusive<usize>>, Failure> {
        let mut found: Option<RangeInclusive<usize>> = None;
        let mut open = None;
        for (index, line) in all.iter().map(|line| body(line)).enumerate() {
            if line == self.begin {
                if let Some(before) = open.replace(index) {
                    return Err(self.unpaired(before, &self.end));
                }
            } else if line == self.end {
                let Some(begin) = open.take() else { return Err(self.unpaired(index, &self.begin)) };
                if let Some(other) = &found {
                    return Err(twice(*other.start(), begin));
                }
                found = Some(begin..=index);
            }
        }
        match open {
            Some(begin) => Err(self.unpaired(begin, &self.end)),
            None => Ok(found),
        }
    }

    fn unpaired(&self, index: usize, missing: &str) -> Failure {
        let marker = if missing == self.end { &self.begin } else { &self.end };
        Failure::state(format!("line {} is the marker `{marker}`, but its `{missing}` is missing", index + 1))
            .advise("put the missing marker where it belongs, or remove the other one")
    }
}

fn twice(first: usize, second: usize) -> Failure {
    Failure::state(format!("the block is there twice, at lines {} and {}", first + 1, second + 1))
        .advise("remove one; blocks that are different need different `name`s")
}

impl FileBlock {
    fn markers(&self) -> Result<Markers, Failure> {
        let marker = match (&self.marker, &self.name) {
            (None, None) => MARKER.to_owned(),
            (None, Some(name)) => format!("{MARKER} {name}"),
            (Some(marker), None) => marker.clone(),
            (Some(marker), Some(name)) if marker.contains("{name}") => marker.replace("{name}", name),
            (Some(_), Some(_)) => {
                return Err(Failure::argument(
                    "marker",
                    "`marker` has no `{name}` for the `name` of the block",
                ));
            }
        };
        if !marker.contains("{mark}") {
            return Err(Failure::argument(
                "marker",
                "`marker` has no `{mark}`: its lines could not be told apart",
            ));
        }
        let markers = Markers {
            begin: marker.replace("{mark}", &self.marker_begin),
            end: marker.replace("{mark}", &self.marker_end),
        };
        if markers.begin == markers.end {
            return Err(Failure::argument("marker_end", "`marker_begin` and `marker_end` are the same"));
        }
        if [&markers.begin, &markers.end].iter().any(|marker| marker.contains(['\n', '\r'])) {
            return Err(Failure::argument("marker", "a marker can't have more than one line"));
        }
        Ok(markers)
    }

    /// The lines of the block with its markers. None when it shall not be there.
    fn wanted(&self, markers: &Markers) -> Result<Vec<Cow<'static, str>>, Failure> {
        let content = self.content.as_ref().and_then(known).unwrap_or_default();
        if self.absent || content.is_empty() {
            return Ok(Vec::new());
        }
        let mut block = vec![Cow::Owned(format!("{}\n", markers.begin))];
        for line in content.split_inclusive('\n') {
            if [&markers.begin, &markers.end].iter().any(|marker| body(line) == marker.as_str()) {
                return Err(Failure::argument(
                    "content",
                    "a line of `content` is itself a marker of the block",
                ));
            }
            block.push(Cow::Owned(ended(line).into_owned()));
        }
        block.push(Cow::Owned(format!("{}\n", markers.end)));
        Ok(block)
    }

    /// Where the block goes: in front of the line with this index, when what was there before is gone.
    fn place(
        &self,
        all: &mut Vec<Cow<'_, str>>,
        found: Option<RangeInclusive<usize>>,
    ) -> Result<usize, Failure> {
        match found {
            Some(range) => {
                let at = *range.start();
                all.drain(range);
                Ok(at)
            }
            None => self.place.place()?.among_or_across(all),
        }
    }
}

impl Edit for FileBlock {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let markers = self.markers()?;
        let mut block = self.wanted(&markers)?;
        let mut all = lines::split(text);
        let found = markers.find(&all)?;
        if block.is_empty() && found.is_none() {
            return Ok(text.to_owned());
        }
        let at = self.place(&mut all, found)?;
        if !block.is_empty() {
            if self.append_newline && all.get(at).is_some_and(|line| !body(line).is_empty()) {
                block.push("\n".into());
            }
            if self.prepend_newline && at > 0 && !body(&all[at - 1]).is_empty() {
                block.insert(0, "\n".into());
            }
        }
        lines::insert(&mut all, at, block);
        Ok(all.concat())
    }
}

impl State for FileBlock {
    const NAME: &'static str = "file::block";
    const POSITIONAL: &'static [&'static str] = &["path", "content"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.path),
            None => self.path.to_string(),
        }
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        if self.content.is_none() && !self.absent {
            return Err(Failure::argument("content", "missing argument `content`"));
        }
        self.markers()?;
        let missing = Missing::of(self.absent, self.create);
        EditedFile::look(context.host, &self.path, &self.attributes, missing)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(self.content.iter().collect(), self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::edited_file::testing::{edited, table};
    use super::*;

    const BEGIN: &str = "# BEGIN REFRAIN MANAGED BLOCK";
    const END: &str = "# END REFRAIN MANAGED BLOCK";

    #[test]
    fn a_block_is_put_where_it_belongs() {
        let block = format!("{BEGIN}\nx\ny\n{END}\n");
        table::<FileBlock>(&[
            (json!({"content": "x\ny"}), "", &block),
            (json!({"content": "x\ny\n"}), "a", &format!("a\n{block}")),
            (json!({"content": "x\ny", "insert_before": "BOF"}), "a\n", &format!("{block}a\n")),
            (json!({"content": "x\ny", "insert_after": "^a"}), "a\na\nb\n", &format!("a\na\n{block}b\n")),
            (
                json!({"content": "x\ny", "insert_after": "(?m)^a$"}),
                "a\na\nb\n",
                &format!("a\n{block}a\nb\n"),
            ),
            (json!({"content": "x\ny", "insert_before": "b"}), "a\nb\n", &format!("a\n{block}b\n")),
            (json!({"content": "x"}), "a\r\n", &format!("a\r\n{BEGIN}\r\nx\r\n{END}\r\n")),
            (json!({"content": "x\ny", "prepend_newline": true, "append_newline": true}), "", &block),
            (
                json!({"content": "x\ny", "insert_after": "a", "prepend_newline": true, "append_newline": true}),
                "a\nb\n",
                &format!("a\n\n{block}\nb\n"),
            ),
            (
                json!({"content": "x\ny", "insert_after": "^$", "prepend_newline": true, "append_newline": true}),
                "a\n\n\n",
                &format!("a\n\n\n{block}"),
            ),
        ]);
    }

    #[test]
    fn a_block_is_replaced_where_it_stands() {
        let file = |inner: &str| format!("a\n{BEGIN}\n{inner}{END}\nb\n");
        table::<FileBlock>(&[
            (json!({"content": "new", "insert_after": "b"}), &file("old\n"), &file("new\n")),
            (json!({"content": "\n"}), &file("old\n"), &file("\n")),
            (json!({"content": "new"}), &format!("{BEGIN}\nold\n{END}"), &format!("{BEGIN}\nnew\n{END}\n")),
            (json!({"content": "old"}), &format!("{BEGIN}\nold\n{END}"), &format!("{BEGIN}\nold\n{END}\n")),
            (json!({"absent": true}), &file("old\n"), "a\nb\n"),
            (json!({"content": ""}), &file(""), "a\nb\n"),
            (json!({"absent": true}), "a", "a"),
        ]);
    }

    #[test]
    fn blocks_of_a_file_are_told_apart() {
        table::<FileBlock>(&[
            (
                json!({"content": "x", "name": "one"}),
                &format!("{BEGIN}\na\n{END}\n"),
                &format!("{BEGIN}\na\n{END}\n{BEGIN} one\nx\n{END} one\n"),
            ),
            (
                json!({"content": "x", "name": "n", "marker": "<!-- {mark} {name} -->"}),
                "",
                "<!-- BEGIN n -->\nx\n<!-- END n -->\n",
            ),
            (
                json!({"content": "x", "marker": "; {mark}", "marker_begin": "(", "marker_end": ")"}),
                "; (\n; )\n",
                "; (\nx\n; )\n",
            ),
        ]);
    }

    #[test]
    fn a_file_that_is_out_of_order_is_not_touched() {
        let failure =
            |text: &str| edited::<FileBlock>(&json!({"content": "x"}), text).unwrap_err().to_string();
        let without = "is missing";
        assert!(failure(&format!("a\n{BEGIN}\nb\n")).starts_with("line 2 is the marker"));
        assert!(failure(&format!("{END}\nb\n{BEGIN}\n")).ends_with(without));
        assert!(failure(&format!("{BEGIN}\n{BEGIN}\n{END}\n")).ends_with(without));
        let block = format!("{BEGIN}\n{END}\n");
        assert_eq!(failure(&format!("{block}{block}")), "the block is there twice, at lines 1 and 3");
    }

    #[test]
    fn markers_that_can_not_be_found_again_are_errors() {
        let failure = |arguments| edited::<FileBlock>(&arguments, "").unwrap_err().to_string();
        assert!(failure(json!({"content": "x", "marker": "# mine"})).contains("no `{mark}`"));
        assert!(failure(json!({"content": "x", "marker": "# {mark}\n"})).contains("more than one line"));
        assert!(failure(json!({"content": "x", "marker_begin": "END"})).contains("are the same"));
        assert!(failure(json!({"content": "x", "name": "a", "marker": "# {mark}"})).contains("no `{name}`"));
        assert!(failure(json!({"content": format!("a\n{END}\n")})).contains("is itself a marker"));
    }

    proptest! {
        #[test]
        fn a_block_comes_and_goes_without_a_trace(
            text in "((a|b| |)\n){0,5}",
            content in "(x|#|\n){1,4}",
            place in prop_oneof![Just("EOF"), Just("BOF"), Just("a"), Just("(?m)^b\n"), Just("(?m)^$")],
            option in prop_oneof![Just("insert_after"), Just("insert_before")],
        ) {
            let with = edited::<FileBlock>(&json!({"content": content, option: place}), &text).unwrap();
            prop_assert_ne!(&with, &text);
            prop_assert_eq!(edited::<FileBlock>(&json!({"absent": true}), &with).unwrap(), text);
        }

        #[test]
        fn a_block_is_steady_with_empty_lines_around_it(
            text in "((a|b|)\n){0,5}(a|)",
            place in prop_oneof![Just("EOF"), Just("BOF"), Just("a"), Just("^$")],
            prepend in any::<bool>(),
            append in any::<bool>(),
        ) {
            let arguments = json!({
                "content": "x", "insert_after": place, "prepend_newline": prepend, "append_newline": append,
            });
            let once = edited::<FileBlock>(&arguments, &text).unwrap();
            prop_assert_eq!(edited::<FileBlock>(&arguments, &once).unwrap(), once);
        }
    }
}
