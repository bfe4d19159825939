//! `docker::container_absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::client::{Client, Program, Seen};
use super::container::{Replace, look_at};
use super::names::ContainerName;
use crate::one_or_many::OneOrMany;

/// Stops and removes containers.
///
/// ```rhai,no_run
/// docker::container_absent("old-registry");
/// docker::container_absent(["blue", "green"]);
/// ```
///
/// Volumes stay. What the containers had written elsewhere is gone, and a rollback does not bring them back. It does not matter who made them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerAbsent {
    /// Their names.
    name: OneOrMany<ContainerName>,
    /// The program: `"docker"` or `"podman"`. Docker when absent.
    #[serde(default)]
    program: Program,
}

impl State for ContainerAbsent {
    const NAME: &'static str = "docker::container_absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Vec<Replace>;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let client = Client::new(context, self.program)?;
        let mut steps = Vec::new();
        for name in &self.name.0 {
            let certain = match look_at(context, &client, self.program, name)? {
                Seen::There(_) => true,
                Seen::Missing => continue,
                Seen::Unknown => false,
            };
            steps.push(Replace {
                text: format!("remove the container {name}"),
                commands: [["container", "stop", name], ["container", "rm", name]]
                    .map(|words| client.command(words))
                    .into(),
                key: self.program.key(name),
                certain,
            });
        }
        Ok(steps)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        Ok(found.iter().cloned().map(|step| Box::new(step) as _).collect())
    }
}
