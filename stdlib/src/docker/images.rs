//! The images that a function is about.

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::client::{Client, ClientStep, Program, Seen};
use super::names::ImageName;
use crate::one_or_many::OneOrMany;

/// The arguments that say which images are meant. A function takes them in with `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Images {
    /// The images, with the tag or the checksum.
    name: OneOrMany<ImageName>,
    /// The program: `"docker"` or `"podman"`. Docker when absent.
    #[serde(default)]
    program: Program,
}

impl Images {
    /// What the call is about, for people.
    pub fn subject(&self) -> String {
        self.name.to_string()
    }

    /// The steps for those that are there, or for those that are not.
    ///
    /// # Errors
    /// The program can't be asked.
    pub fn steps(
        &self,
        context: &Context<'_>,
        there: bool,
        step: impl Fn(&Client<'_>, &ImageName) -> ClientStep,
    ) -> Result<Vec<ClientStep>, Failure> {
        let client = Client::new(context, self.program)?;
        let needed = |(name, seen): (&ImageName, Seen<String>)| match seen {
            Seen::Unknown => Some(step(&client, name).certain_if(false)),
            Seen::There(_) if there => Some(step(&client, name)),
            Seen::Missing if !there => Some(step(&client, name)),
            Seen::There(_) | Seen::Missing => None,
        };
        Ok(self.name.0.iter().zip(client.images(&self.name.0)?).filter_map(needed).collect())
    }
}
