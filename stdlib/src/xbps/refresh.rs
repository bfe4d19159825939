//! `xbps::refresh`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{System, Time, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use super::explanation::explain;
use super::prediction::Prediction;
use super::program::run;
use crate::prediction_state::PredictionState;

/// Where the index of each repository is kept, in a directory of its own.
const INDEXES: &str = "/var/db/xbps";

/// Brings the index of the repositories up to date, once, whatever is installed later.
///
/// ```rhai
/// xbps::refresh();
/// ```
///
/// It has `changed` something when the index of a repository is another one than before. An index that can't be fetched is an
/// error, also where an older one would do. `xbps::install` and `xbps::upgrade` refresh by themselves unless told otherwise;
/// this is for those that are told so, and for other programs. Check mode leaves the index alone, and plans from then on with what
/// the repositories have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {}

impl Action for Refresh {
    const NAME: &'static str = "xbps::refresh";
    const POSITIONAL: &'static [&'static str] = &[];

    fn subject(&self) -> String {
        String::new()
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        Prediction::change(overlay, |prediction| prediction.refreshed = true)?;
        Ok(true)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let before = indexes(system)?;
        let command = context.command(["xbps-install", "-S"]);
        let output = run(system, &command)?;
        if String::from_utf8_lossy(&output.stderr).contains("[reposync] failed") {
            return Err(explain(&command, &output));
        }
        Ok(Done { changed: indexes(system)? != before, fields: Map::new(), failure: None })
    }
}

/// The index files, each with its size and the time of its last change.
fn indexes(host: &dyn View) -> Result<BTreeMap<PathBuf, (u64, Time)>, Failure> {
    let mut all = BTreeMap::new();
    let top = Path::new(INDEXES);
    for directory in host.list(top)?.into_iter().filter(|name| name.to_string_lossy().starts_with("http")) {
        let directory = top.join(directory);
        for name in host.list(&directory)? {
            let path = directory.join(name);
            if let Some(stat) = host.stat(&path)? {
                all.insert(path, (stat.size, stat.modified));
            }
        }
    }
    Ok(all)
}
