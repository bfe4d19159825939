//! `xbps::alternatives`.

use std::time::Duration;

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};
use schemars::JsonSchema;
use serde::Deserialize;

use super::lock;
use super::name::PackageName;
use super::prediction::{Packages, Prediction};
use super::program::run;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;

/// Says which of several packages is in use for something that they all provide.
///
/// ```rhai
/// xbps::alternatives("vi", "vim");
/// ```
///
/// Where the links of the group lead is not foretold by check mode.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternatives {
    /// The group, as `xbps-alternatives -l` lists it.
    group: PackageName,
    /// The package that shall be in use.
    package: PackageName,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl State for Alternatives {
    const NAME: &'static str = "xbps::alternatives";
    const POSITIONAL: &'static [&'static str] = &["group", "package"];
    type Found = Option<Choice>;

    fn subject(&self) -> String {
        self.group.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Option<Choice>, Failure> {
        let packages = Packages::look(context.host)?;
        let members = packages.now.alternatives.get(&*self.group).cloned().unwrap_or_default();
        if members.first().is_some_and(|first| *first == *self.package) {
            return Ok(None);
        }
        // What a package brings that is there only by prediction, the database does not know yet.
        if !members.iter().any(|member| *member == *self.package) && !packages.is_predicted(&self.package) {
            return Err(self.no_member(&packages, &members));
        }
        let command =
            |package: &str| context.command(["xbps-alternatives", "-g", &self.group, "-s", package]);
        Ok(Some(Choice {
            group: self.group.to_string(),
            package: self.package.to_string(),
            command: command(&self.package),
            back: members.first().map(|before| command(before)),
            members,
            patience: self.lock_timeout.map_or(lock::PATIENCE, |Seconds(patience)| patience),
        }))
    }

    fn plan(&self, found: &Option<Choice>) -> Result<Plan, Failure> {
        Ok(found.iter().map(|choice| Box::new(choice.clone()) as _).collect())
    }
}

impl Alternatives {
    fn no_member(&self, packages: &Packages, members: &[String]) -> Failure {
        let (group, package) = (&self.group, &self.package);
        if members.is_empty() {
            let failure =
                Failure::argument("group", format!("the host has no group of alternatives `{group}`"));
            let known = packages.now.alternatives.keys().map(String::as_str);
            return match near_match(group, known) {
                Some(near) => failure.advise(format!("did you mean `{near}`?")),
                None => failure.advise(format!("install the package first: xbps::install(\"{package}\")")),
            };
        }
        Failure::argument("package", format!("no alternative for `{group}` is in `{package}`"))
            .advise(format!("the packages that have one are {}", members.join(", ")))
    }
}

/// Has another package be in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    group: String,
    package: String,
    members: Vec<String>,
    command: Command,
    /// Has the package be in use that is so before.
    back: Option<Command>,
    patience: Duration,
}

impl Step for Choice {
    fn describe(&self) -> String {
        format!("use {} for {}", self.package, self.group)
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let others = self.members.iter().filter(|member| **member != self.package).cloned();
        let members = [self.package.clone()].into_iter().chain(others).collect();
        Prediction::change(overlay, |prediction| {
            prediction.alternatives.insert(self.group.clone(), members);
        })
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        lock::wait(system, &self.command, self.patience)?;
        run(system, &self.command).map(drop)
    }

    fn undo(&self) -> Undo {
        Undo::Run { commands: self.back.iter().cloned().collect(), kept: None }
    }
}
