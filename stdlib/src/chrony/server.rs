//! `chrony::server`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;

use super::configuration;
use crate::attributes::AttributeOptions;
use crate::document::{Document, LineEndings};
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// Keeps one source of time in chronyd's configuration, or keeps it out, and leaves all else there as it is.
///
/// ```rhai
/// chrony::server("ntp1.example.net");
/// chrony::server("pool.example.net", #{ pool: true, options: "iburst maxsources 2" });
/// chrony::server("old.example.net", #{ absent: true });
/// ```
///
/// A line for the same name is made right where it stands; further ones go. The file has to be there; where there is `chronyd`,
/// that has to accept it as it would be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChronyServer {
    /// The name or address.
    name: String,
    /// Options, as chrony.conf(5) describes them. `iburst` when absent.
    #[serde(default)]
    options: Option<String>,
    /// Whether the name stands for several servers. Default false.
    #[serde(default)]
    pool: bool,
    /// Whether it goes, be it a server, a pool or a peer. Default false.
    #[serde(default)]
    absent: bool,
    /// The file, if it is not the one that the host has.
    #[serde(default)]
    path: Option<HostPath>,
}

/// The file, and what it shall hold. Absent when there is none, and none is needed.
pub type Found = Option<(WholeFile, Content)>;

impl State for ChronyServer {
    const NAME: &'static str = "chrony::server";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let path: PathBuf = configuration::place(context.host, self.path.as_ref())?;
        if context.host.stat(&path)?.is_none() {
            let missing = Failure::state(format!("there is no file `{}`", path.display()));
            let hint = "install chrony first; chrony::config writes the whole file";
            return if self.absent { Ok(None) } else { Err(missing.advise(hint)) };
        }
        let file = WholeFile::look(context.host, &path, &AttributeOptions::default())?;
        let after = match file.content() {
            Some(Content::Known(bytes)) => {
                let document = Document::decode(bytes, LineEndings::Unified);
                let after = document.encode(&self.edit(&document.text));
                if after != *bytes {
                    configuration::judge(context, &path, &after)?;
                }
                Content::Known(after)
            }
            _ => Content::Unknown,
        };
        Ok(Some((file, after)))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(found.as_ref().map(|(file, after)| file.plan(after.clone(), true)).unwrap_or_default())
    }
}

impl ChronyServer {
    fn check(&self) -> Result<(), Failure> {
        if self.name.is_empty() || self.name.contains(char::is_whitespace) {
            return Err(Failure::argument("name", format!("`{}` is no name of a server", self.name)));
        }
        if self.options.as_ref().is_some_and(|options| options.contains(['\n', '\r'])) {
            return Err(Failure::argument("options", "options are words on one line"));
        }
        if self.absent && (self.options.is_some() || self.pool) {
            return Err(Failure::argument("absent", "nothing else can be said of a server that goes"));
        }
        Ok(())
    }

    fn edit(&self, text: &str) -> String {
        let directive = if self.pool { "pool" } else { "server" };
        let options = self.options.as_deref().unwrap_or("iburst").trim();
        let line = format!("{directive} {} {options}", self.name).trim_end().to_owned();
        let mut made = self.absent;
        let mut after = String::with_capacity(text.len());
        for other in text.split_inclusive('\n') {
            if !self.is_about(other) {
                after.push_str(other);
            } else if !std::mem::replace(&mut made, true) {
                let same = other.split_whitespace().eq(line.split_whitespace());
                after.push_str(&if same { other.to_owned() } else { format!("{line}\n") });
            }
        }
        if !made {
            if !after.is_empty() && !after.ends_with('\n') {
                after.push('\n');
            }
            after.push_str(&format!("{line}\n"));
        }
        after
    }

    /// Whether a line is one for this source.
    fn is_about(&self, line: &str) -> bool {
        let mut words = line.split_whitespace();
        let directive = words.next().map(str::to_ascii_lowercase);
        matches!(directive.as_deref(), Some("server" | "pool" | "peer")) && words.next() == Some(&*self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn edited(options: Value, text: &str) -> String {
        let mut arguments = json!({ "name": "a" });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let server: ChronyServer = serde_json::from_value(arguments).unwrap();
        server.check().unwrap();
        server.edit(text)
    }

    #[test]
    fn one_line_is_kept() {
        for (options, before, after) in [
            (json!({}), "", "server a iburst\n"),
            (json!({}), "# server a\nrtcsync", "# server a\nrtcsync\nserver a iburst\n"),
            (json!({}), "Server  a\tiburst # ours\n", "server a iburst\n"),
            (json!({}), "server  a\tiburst\n", "server  a\tiburst\n"),
            (
                json!({ "options": "prefer" }),
                "pool a\nx\nserver a\nserver b\n",
                "server a prefer\nx\nserver b\n",
            ),
            (json!({ "pool": true, "options": "" }), "server a\n", "pool a\n"),
            (json!({ "absent": true }), "server a\npeer a x\nserver ab\nserver a", "server ab\n"),
        ] {
            assert_eq!(edited(options.clone(), before), after, "{options} on {before:?}");
            assert_eq!(edited(options.clone(), after), after, "again: {options}");
        }
    }
}
