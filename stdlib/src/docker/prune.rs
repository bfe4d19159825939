//! `docker::prune`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::{Command, System};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::client::{Client, Program, explain};

/// What stands before the amount.
const RECLAIMED: &str = "Total reclaimed space:";

/// Removes what nothing uses: stopped containers, networks, images without a name, and what builds have left.
///
/// ```rhai,live
/// docker::prune();
/// docker::prune(#{ all: true, older_than: "168h" });
/// ```
///
/// The outcome has `reclaimed`, the space that is free again as the program says it (`1.982MB`). It counts as a change where something was
/// removed. Check mode does not do it, and does not know what would go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Whether every image goes that no container uses, with a name or without. Default false.
    #[serde(default)]
    all: bool,
    /// Whether volumes go, too, that no container uses, with the data in them. Default false.
    #[serde(default)]
    volumes: bool,
    /// Only what is older than this, `"24h"`. Not together with `volumes`. All when absent.
    #[serde(default)]
    older_than: Option<String>,
    /// The program: `"docker"` or `"podman"`. Docker when absent.
    #[serde(default)]
    program: Program,
}

impl Action for Prune {
    const NAME: &'static str = "docker::prune";
    const POSITIONAL: &'static [&'static str] = &[];
    const FIELDS: &'static [&'static str] = &["reclaimed"];

    fn subject(&self) -> String {
        String::new()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        // Check mode complains about what makes no sense, too.
        self.command(context).map(|_| None)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let command = self.command(context)?;
        let output = system.run(&command)?;
        if output.status != 0 {
            return Err(explain(&command, &output));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let reclaimed =
            said.lines().find_map(|line| line.trim().strip_prefix(RECLAIMED)).unwrap_or_default().trim();
        // Small things are listed, and come to nothing in sum.
        let lists = said.lines().any(|line| !line.trim().is_empty() && !line.contains(RECLAIMED));
        let fields = Map::from_iter([("reclaimed".to_owned(), json!(reclaimed))]);
        Ok(Done { changed: lists || !matches!(reclaimed, "" | "0B"), fields, failure: None })
    }
}

impl Prune {
    fn command(&self, context: &Context<'_>) -> Result<Command, Failure> {
        if self.volumes && self.older_than.is_some() {
            return Err(Failure::argument("older_than", "volumes have no age")
                .advise("prune them in a call of their own: docker::prune(#{ volumes: true })"));
        }
        let mut words = vec!["system".to_owned(), "prune".to_owned(), "--force".to_owned()];
        words.extend(self.all.then(|| "--all".to_owned()));
        words.extend(self.volumes.then(|| "--volumes".to_owned()));
        words.extend(self.older_than.iter().map(|age| format!("--filter=until={age}")));
        Ok(Client::new(context, self.program)?.command(words))
    }
}
