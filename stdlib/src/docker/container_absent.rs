//! `docker::container_absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::client::{Client, ClientStep, Program, Seen, plan};
use super::container::{look_at, removal};
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
    type Found = Vec<ClientStep>;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let client = Client::new(context, self.program)?;
        let mut steps = Vec::new();
        for name in &self.name.0 {
            let step = || removal(&client, name, format!("remove the container {name}"));
            match look_at(&client, name)? {
                Seen::There(_) => steps.push(step()),
                Seen::Unknown => steps.push(step().certain_if(false)),
                Seen::Missing => {}
            }
        }
        Ok(steps)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        Ok(plan(found.iter().cloned()))
    }
}
