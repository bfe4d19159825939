//! `docker::image`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::client::{ClientStep, plan};
use super::images::Images;

/// Keeps images on the host.
///
/// ```rhai,live
/// docker::image("registry.example.net:5000/app:1.4");
/// docker::image(["alpine:3.20", "nginx:1.27"]);
/// ```
///
/// Those that are not there are pulled. One that is there is not asked for again, whatever the registry has under that name by now: a tag that
/// does not move, or a checksum (`nginx@sha256:…`), says which is meant. Where a registry wants a password, `docker login` has been there
/// before.
///
/// Check mode does not ask the registry. Where Docker itself would come with an earlier step, it says that the image may change.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Image {
    #[serde(flatten)]
    images: Images,
}

impl State for Image {
    const NAME: &'static str = "docker::image";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Vec<ClientStep>;

    fn subject(&self) -> String {
        self.images.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        self.images.steps(context, false, |client, name| client.pull(name))
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        Ok(plan(found.iter().cloned()))
    }
}
