//! `xbps::clean`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use super::explanation::explain;
use super::program::run;
use super::undo::CACHE;

/// Removes downloaded packages that are of no use any more.
///
/// ```rhai
/// xbps::clean();
/// xbps::clean(#{ uninstalled: true });
/// ```
///
/// Those are the ones that no repository has in this version. An update can be taken back only as long as the old package is
/// still there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clean {
    /// Whether packages are removed, too, that are not installed.
    #[serde(default)]
    uninstalled: bool,
}

impl Clean {
    fn option(&self, dry: &str) -> String {
        format!("-O{}{dry}", if self.uninstalled { "O" } else { "" })
    }
}

impl Action for Clean {
    const NAME: &'static str = "xbps::clean";
    const POSITIONAL: &'static [&'static str] = &[];

    fn subject(&self) -> String {
        String::new()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        let nothing = || Ok(Some("there is nothing to remove".to_owned()));
        let cache = Path::new(CACHE);
        if !context.host.list(cache)?.iter().any(|name| name.to_string_lossy().ends_with(".xbps")) {
            return nothing();
        }
        let command = context.command(["xbps-remove".to_owned(), self.option("n")]);
        let output = context.host.probe(&command)?;
        if output.status != 0 {
            return Err(explain(&command, &output));
        }
        if output.stdout.is_empty() { nothing() } else { Ok(None) }
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        run(system, &context.command(["xbps-remove".to_owned(), self.option("")]))?;
        Ok(Done { changed: true, fields: Map::new(), failure: None })
    }
}
