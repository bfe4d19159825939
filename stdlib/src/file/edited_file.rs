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
