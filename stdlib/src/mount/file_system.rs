//! A file system as it is declared.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::AttributeOptions;
use crate::file::edited_file::{EditedFile, Missing};
use crate::one_or_many::OneOrMany;

/// Where file systems are declared for the start of the machine.
pub const FSTAB: &str = "/etc/fstab";

/// A file system and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// A device, `UUID=…`, `server:/path`, or a word.
    pub source: String,
    /// Where it is mounted; `none` for swap.
    pub place: String,
    /// Its type: `ext4`, `tmpfs`.
    pub kind: String,
    /// With commas between them; `defaults` when there are none.
    pub options: String,
    /// For dump(8).
    pub dump: u32,
    /// For fsck(8): in which order it is checked at the start, 0 for not at all.
    pub pass: u32,
}

impl FileSystem {
    /// What its line is known by: the place, or the source where it has none.
    pub fn key(&self) -> &str {
        if self.place == NO_PLACE { &self.source } else { &self.place }
    }
}

/// Stands for the place of swap.
pub const NO_PLACE: &str = "none";

/// The arguments that declare a file system. A function takes them in with `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Declaration {
    /// Where it is mounted: an absolute path. `none` for swap.
    path: String,
    /// What is mounted: a device, `UUID=…`, `LABEL=…`, `server:/path`, a directory to bind, or a word such as `tmpfs`.
    source: String,
    /// The type of the file system: `ext4`, `nfs`, `tmpfs`; `none` for a bind mount, `swap`.
    fstype: String,
    /// Options of mount(8), as one text or an array: `["noatime", "nofail"]`. `defaults` when absent.
    #[serde(default)]
    options: Option<OneOrMany<String>>,
    /// Whether dump(8) saves it: 0 or 1. Default 0.
    #[serde(default)]
    dump: u32,
    /// In which order fsck(8) checks it at the start; 0, the default, for not at all.
    #[serde(default)]
    pass: u32,
}

impl Declaration {
    /// What is declared.
    ///
    /// # Errors
    /// [`Failure::Argument`]: something of it can't be.
    pub fn file_system(&self) -> Result<FileSystem, Failure> {
        let place =
            if self.path == NO_PLACE { NO_PLACE.to_owned() } else { check_place("path", &self.path)? };
        let options = self.options.as_ref().map_or_else(String::new, |options| options.0.join(","));
        for (argument, text) in [("source", &self.source), ("fstype", &self.fstype)] {
            if text.is_empty() || text.contains(char::is_control) {
                return Err(Failure::argument(argument, format!("`{argument}` can't be `{text}`")));
            }
        }
        if options.contains(|c: char| c.is_control() || c == ' ') {
            return Err(Failure::argument("options", format!("`{options}` can't be options of a mount")));
        }
        if (place == NO_PLACE) != (self.fstype == "swap") {
            return Err(Failure::argument("path", "swap, and nothing else, has the path `none`"));
        }
        let options = if options.is_empty() { "defaults".to_owned() } else { options };
        let (source, kind) = (self.source.clone(), self.fstype.clone());
        Ok(FileSystem { source, place, kind, options, dump: self.dump, pass: self.pass })
    }

    /// What the call is about.
    pub fn subject(&self) -> String {
        if self.path == NO_PLACE { self.source.clone() } else { self.path.clone() }
    }
}

/// The path that a mount can be at, without a slash at its end.
///
/// # Errors
/// [`Failure::Argument`]: it is none.
pub fn check_place(argument: &str, path: &str) -> Result<String, Failure> {
    let path =
        crate::host_path::HostPath::new(path).map_err(|message| Failure::argument(argument, message))?;
    if path.to_string().contains(char::is_control) {
        return Err(Failure::argument(argument, "a line of fstab can't have control characters in it"));
    }
    Ok(path.to_string())
}

/// Looks at `/etc/fstab`.
///
/// # Errors
/// It can't be read.
pub fn look_at_fstab(context: &Context<'_>, missing: Missing) -> Result<EditedFile, Failure> {
    EditedFile::look(context.host, Path::new(FSTAB), &AttributeOptions::default(), missing)
}
