//! Files in `/etc/sudoers.d`.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::{Content, View};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::argument_schema::argument_schema;
use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::validated_file::{CANDIDATE, Validator};

/// Where they are.
pub const DIRECTORY: &str = "/etc/sudoers.d";
/// What tells sudo to read them.
const MAIN: &str = "/etc/sudoers";

/// The name of such a file: one that sudo does not pass over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName(String);

impl RuleName {
    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.0)
    }
}

impl Deref for RuleName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let problem = match &name {
            name if name.is_empty() || name.contains(['/', '\0', '\n']) => "is no name of a file",
            name if name.contains('.') => "has a dot: sudo passes over such files",
            name if name.ends_with('~') => "ends in `~`: sudo passes over such files",
            _ => return Ok(Self(name)),
        };
        Err(D::Error::custom(format!("`{name}` {problem}")))
    }
}

argument_schema!(RuleName, { "type": "string" });

/// Looks at a file that shall hold `text`.
///
/// # Errors
/// `visudo` does not accept it, or sudo would not read it.
pub fn look(context: &Context<'_>, name: &RuleName, text: String) -> Result<ConfigurationFile, Failure> {
    let path = name.path();
    context.host.look_ahead(&[Path::new(MAIN), &path]);
    require_include(context.host)?;
    let validator = Validator::new(["visudo", "-c", "-f", CANDIDATE]);
    let options = AttributeOptions::new(json!(0), json!(0), Value::from("0440"));
    ConfigurationFile::look(context, &path, &options, text, |candidate| {
        validator.judge(context, &path, candidate)
    })
}

/// A rule that sudo does not read must not be taken for one that holds. Where sudo is not installed yet, nobody knows.
fn require_include(host: &dyn View) -> Result<(), Failure> {
    let Some(Content::Known(text)) = host.read(Path::new(MAIN))? else { return Ok(()) };
    let text = String::from_utf8_lossy(&text);
    let includes = text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let directive = words.next();
        matches!(directive, Some("@includedir" | "#includedir"))
            && words
                .next()
                .is_some_and(|directory| Path::new(directory.trim_matches('"')) == Path::new(DIRECTORY))
    });
    if includes {
        return Ok(());
    }
    Err(Failure::state(format!(
        "sudo does not read `{DIRECTORY}` on this host: `{MAIN}` does not include it"
    ))
    .advise(format!("file::line(\"{MAIN}\", \"@includedir {DIRECTORY}\")")))
}
