//! A text file that a function changes in places, leaving the rest as it is.

use std::borrow::Cow;
use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Plan, Text};
use refrain_engine::system::{Content, View};

use crate::attributes::AttributeOptions;
use crate::document::{Document, LineEndings};
use crate::whole_file::WholeFile;

/// A change of a text: a function from what is to what shall be. Applied to its own result it changes nothing.
pub trait Edit {
    /// What becomes of carriage returns before the text is changed.
    const LINE_ENDINGS: LineEndings = LineEndings::Unified;

    /// The text as it shall be.
    ///
    /// # Errors
    /// The arguments are wrong, or this text can't be changed so.
    fn edit(&self, text: &str) -> Result<String, Failure>;

    /// What is wrong with arguments for which a second run would change the text again.
    fn unsteady(&self) -> Failure {
        Failure::state("each run would change the file again")
    }
}

/// What a function does where there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It makes one.
    Create,
    /// It has nothing to do.
    Fine,
    /// It fails, with this hint.
    Error(&'static str),
}

impl Missing {
    /// By the arguments `absent` and `create`.
    pub fn of(absent: bool, create: bool) -> Self {
        match (absent, create) {
            (true, _) => Self::Fine,
            (false, true) => Self::Create,
            (false, false) => Self::Error("`create: true` makes an empty file first"),
        }
    }
}

/// A file to edit, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedFile(Option<WholeFile>);

impl EditedFile {
    /// Looks at the file. Links are followed.
    ///
    /// # Errors
    /// As [`WholeFile::look`], or there is no file and that is an error.
    pub fn look(
        host: &dyn View,
        path: &Path,
        attributes: &AttributeOptions,
        missing: Missing,
    ) -> Result<Self, Failure> {
        if missing != Missing::Create && host.stat(path)?.is_none() {
            return match missing {
                Missing::Error(hint) => {
                    Err(Failure::state(format!("there is no file `{}`", path.display())).advise(hint))
                }
                _ => Ok(Self(None)),
            };
        }
        WholeFile::look(host, path, attributes).map(|file| Self(Some(file)))
    }

    /// A file that was looked at as a whole.
    pub fn of(file: WholeFile) -> Self {
        Self(Some(file))
    }

    /// The steps that bring about what `edit` makes of the file's text. `inputs` tell of the arguments that go into it.
    ///
    /// # Errors
    /// What [`Edit::edit`] fails with, or that a second run would change the file again.
    pub fn plan(&self, inputs: Inputs, edit: &impl Edit) -> Result<Plan, Failure> {
        let Some(file) = &self.0 else { return Ok(Plan::new()) };
        let content = match file.content() {
            Some(Content::Unknown) => Content::Unknown,
            _ if !inputs.known => Content::Unknown,
            Some(Content::Known(before)) => Content::Known(after(before, edit)?),
            None => Content::Known(after(b"", edit)?),
        };
        Ok(file.plan(content, !inputs.secret))
    }
}

/// What is to be known of the arguments that go into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Whether check mode knows all of them.
    pub known: bool,
    /// Whether a secret is among them.
    pub secret: bool,
}

impl Default for Inputs {
    fn default() -> Self {
        Self { known: true, secret: false }
    }
}

impl Inputs {
    /// Takes in one more.
    pub fn add(&mut self, text: &Text) {
        self.known &= text.content.known().is_some();
        self.secret |= text.secret;
    }
}

impl<'t> FromIterator<&'t Text> for Inputs {
    fn from_iter<I: IntoIterator<Item = &'t Text>>(texts: I) -> Self {
        let mut inputs = Self::default();
        texts.into_iter().for_each(|text| inputs.add(text));
        inputs
    }
}

fn after<E: Edit>(before: &[u8], edit: &E) -> Result<Vec<u8>, Failure> {
    let once = |bytes: &[u8]| {
        let document = Document::decode(bytes, E::LINE_ENDINGS);
        Ok(document.encode(&edit.edit(&document.text)?))
    };
    let after = once(before)?;
    // Nothing is changed for a result that would not last.
    if after != before && once(&after)? != after {
        return Err(edit.unsteady());
    }
    Ok(after)
}

/// The text of an argument, unless check mode can't know it.
pub fn known(text: &Text) -> Option<Cow<'_, str>> {
    // It was made from a string, so nothing is lost.
    text.content.known().map(String::from_utf8_lossy)
}

#[cfg(test)]
pub mod testing {
    //! What a function makes of a text, without a host.

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// The text after a call with these arguments, `path` being filled in.
    pub fn edited<E: Edit + DeserializeOwned>(arguments: &Value, before: &str) -> Result<String, Failure> {
        let mut arguments = arguments.clone();
        arguments["path"] = json!("/file");
        let edit: E = serde_json::from_value(arguments).expect("arguments that fit");
        after(before.as_bytes(), &edit).map(|after| String::from_utf8(after).expect("text stays text"))
    }

    /// Holds what functions make of texts against a table: arguments, text before, text after.
    pub fn table<E: Edit + DeserializeOwned>(cases: &[(Value, &str, &str)]) {
        for (arguments, before, expected) in cases {
            let result = edited::<E>(arguments, before);
            let result = result.unwrap_or_else(|error| panic!("{arguments} on {before:?}: {error}"));
            assert_eq!(result, *expected, "{arguments} on {before:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use refrain_engine::event::Status;
    use refrain_engine::journal::Calls;
    use refrain_engine::module::converge::{Call, Mode, Report};
    use refrain_engine::module::{Entry, NoMaterials};
    use refrain_engine::system::preview::Overlay;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use refrain_engine::system::{Attributes, System};
    use serde_json::{Value, json};

    use super::super::block::FileBlock;
    use super::super::line::FileLine;
    use super::*;

    fn call(entry: Entry, arguments: Value, mode: Mode<'_>) -> Report {
        entry.call(arguments, &Call::new(mode, &NoMaterials, &Calls::default()))
    }

    const LINE: Entry = Entry::state::<FileLine>();

    /// A host with a file that leads through a link to one which only root may read.
    fn host(directory: &tempfile::TempDir) -> Sandbox {
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        host.write("/etc/real".as_ref(), b"a\n", Attributes { mode: 0o600, uid: 7, gid: 8 }).unwrap();
        host.make_link("/etc/link".as_ref(), "real".as_ref()).unwrap();
        host
    }

    #[test]
    fn the_file_behind_a_link_is_changed_and_keeps_what_is_not_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let host = host(&directory);
        let arguments = json!({"path": "/etc/link", "line": "b", "owner": 9});
        let report = call(LINE, arguments.clone(), Mode::Change(&host));
        assert_eq!((report.status, report.steps.len()), (Status::Changed, 2), "{:?}", report.failure);
        assert_eq!(report.steps[1].diff.as_deref(), Some("@@ -1 +1,2 @@\n a\n+b\n"));
        assert_eq!(host.read("/etc/real".as_ref()).unwrap(), Some(Content::Known(b"a\nb\n".to_vec())));
        assert!(host.read_link("/etc/link".as_ref()).unwrap().is_some());
        let stat = host.stat("/etc/real".as_ref()).unwrap().unwrap();
        assert_eq!(stat.attributes, Attributes { mode: 0o600, uid: 9, gid: 8 });
        assert_eq!(call(LINE, arguments, Mode::Change(&host)).status, Status::Ok);
    }

    #[test]
    fn a_missing_file_is_created_only_when_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let host = host(&directory);
        let report = |options: Value| {
            let mut arguments = json!({"path": "/etc/new", "line": "b", "mode": "0640"});
            arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            call(LINE, arguments, Mode::Change(&host))
        };
        let failure = report(json!({})).failure.unwrap();
        assert_eq!(failure.to_string(), "there is no file `/etc/new`");
        assert_eq!(failure.hint().as_deref(), Some("`create: true` makes an empty file first"));
        assert_eq!(report(json!({"absent": true})).status, Status::Ok);
        assert!(host.stat("/etc/new".as_ref()).unwrap().is_none());
        assert_eq!(report(json!({"create": true})).status, Status::Changed);
        assert_eq!(host.stat("/etc/new".as_ref()).unwrap().unwrap().attributes.mode, 0o640);
    }

    #[test]
    fn later_calls_see_what_earlier_ones_would_have_written() {
        let directory = tempfile::tempdir().unwrap();
        let overlay = Overlay::new(Rc::new(host(&directory)));
        let check = |entry, arguments| call(entry, arguments, Mode::Check(&overlay)).status;
        let line = json!({"path": "/etc/new", "line": "b", "create": true});
        assert_eq!(check(LINE, line.clone()), Status::WouldChange);
        assert_eq!(check(LINE, line.clone()), Status::Ok);
        let block = json!({"path": "/etc/new", "content": refrain_engine::script::marks::UNKNOWN});
        assert_eq!(check(Entry::state::<FileBlock>(), block), Status::MayChange);
        assert_eq!(check(LINE, line), Status::MayChange, "nobody knows what is in the file by now");
    }
}
