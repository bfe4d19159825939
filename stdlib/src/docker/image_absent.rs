//! `docker::image_absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::client::{ClientStep, plan};
use super::images::Images;

/// Removes images from the host.
///
/// ```rhai,live
/// docker::image_absent("old/app:1.0");
/// ```
///
/// An image that a container uses is not removed: that is an error. A rollback pulls the image again, as the
/// registry has it by then.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ImageAbsent {
    #[serde(flatten)]
    images: Images,
}

impl State for ImageAbsent {
    const NAME: &'static str = "docker::image_absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Vec<ClientStep>;

    fn subject(&self) -> String {
        self.images.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        self.images.steps(context, true, |client, name| client.remove(name))
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        Ok(plan(found.iter().cloned()))
    }
}
