//! `wait::file`.

use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::condition::{Condition, Patience, Seen};
use crate::host_path::HostPath;

/// Waits until there is a file, or until it is gone.
///
/// ```rhai
/// wait::file("/run/app.ready", #{ matches: "^ready$", timeout: 60 });
/// wait::file("/run/app.lock", #{ gone: true });
/// ```
///
/// Anything that has the path counts: a file, a directory, a socket, a link. It changes nothing. In check mode it is only looked, and not
/// waited.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WaitFile {
    /// Its path.
    path: HostPath,
    /// A regular expression that has to match somewhere in its content; `^` and `$` are ends of lines.
    #[serde(default)]
    matches: Option<String>,
    /// Whether it is waited until nothing is there. Default false.
    #[serde(default)]
    gone: bool,
    #[serde(flatten)]
    patience: Patience,
}

impl Condition for WaitFile {
    const NAME: &'static str = "wait::file";
    const POSITIONAL: &'static [&'static str] = &["path"];
    const FIELDS: &'static [&'static str] = &[];

    fn subject(&self) -> String {
        format!("{}{}", self.path, if self.gone { " to be gone" } else { "" })
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn look(&self, context: &Context<'_>, _: Duration) -> Result<Seen, Failure> {
        let there = context.host.lstat(&self.path)?;
        match (&self.matches, self.gone, there.is_some()) {
            (Some(_), true, _) => Err(Failure::argument("matches", "`matches` and `gone` can't go together")),
            (None, true, there) => Ok(Seen::new(!there, "it is still there")),
            (_, false, false) => Ok(Seen::new(false, "it is not there")),
            (None, false, true) => Ok(Seen::new(true, "it is there")),
            (Some(pattern), false, true) => {
                let pattern = Regex::new(&format!("(?m){pattern}")).map_err(|error| {
                    Failure::argument("matches", format!("`matches` is no regular expression: {error}"))
                })?;
                let content = context.host.read(&self.path)?;
                let text = content.as_ref().and_then(|content| content.known()).map(String::from_utf8_lossy);
                let is_met = text.is_some_and(|text| pattern.is_match(&text));
                Ok(Seen::new(is_met, "its content does not match"))
            }
        }
    }
}
