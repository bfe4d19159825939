//! What `/etc/hosts` says.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::FILE;
use super::table::Line;

/// Returns the addresses that a name has in `/etc/hosts`, in the order of the file. DNS is not asked.
///
/// ```rhai
/// assert(hosts::addresses("localhost").contains("127.0.0.1"), "localhost is this machine");
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostsAddresses {
    /// The name.
    name: String,
}

impl Query for HostsAddresses {
    const NAME: &'static str = "hosts::addresses";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let text = match context.host.read(Path::new(FILE))? {
            Some(Content::Unknown) => return Ok(Answer::Unknown),
            Some(Content::Known(text)) => text,
            None => Vec::new(),
        };
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter_map(Line::parse).filter(|line| line.has(&self.name));
        Ok(lines.map(|line| Value::from(line.address.to_string())).collect::<Value>().into())
    }
}
