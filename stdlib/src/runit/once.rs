//! `runit::once`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::order::{Order, Services};

/// Starts services that don't run, without starting them again when they end.
///
/// ```rhai,live
/// runit::once("sshd");
/// ```
///
/// It does not wait. In a root in which nothing runs there is nothing to do.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Once {
    #[serde(flatten)]
    services: Services,
}

impl Order for Once {
    const NAME: &'static str = "runit::once";
    const WAITS: bool = false;

    fn services(&self) -> &Services {
        &self.services
    }

    fn order(&self) -> &'static str {
        "once"
    }
}
