//! `hosts::absent`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::FILE;
use super::table::{Address, Line, check_name};
use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::one_or_many::OneOrMany;

/// Keeps names or addresses out of `/etc/hosts`.
///
/// ```rhai
/// hosts::absent("old.example.net");
/// hosts::absent(["192.0.2.2", "old-storage"]);
/// ```
///
/// A name is taken off every line that has it, and a line that is left without names goes, as does every line of an address.
/// Comments on lines of their own stay.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HostsAbsent {
    /// A name or an IP address, or an array of them.
    what: OneOrMany<String>,
}

impl HostsAbsent {
    fn names(&self, address: &Address) -> bool {
        self.what.0.iter().filter_map(|what| Address::parse(what)).any(|gone| gone == *address)
    }
}

impl Edit for HostsAbsent {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        let mut kept = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let Some(parsed) = Line::parse(line) else {
                kept.push_str(line);
                continue;
            };
            let goes = |name: &str| self.what.0.iter().any(|gone| gone.eq_ignore_ascii_case(name));
            let names: Vec<&str> = parsed.names.iter().copied().filter(|name| !goes(name)).collect();
            if self.names(&parsed.address) {
                continue;
            }
            if names.len() == parsed.names.len() {
                kept.push_str(line);
            } else if !names.is_empty() {
                kept.push_str(&parsed.with_names(&names));
            }
        }
        Ok(kept)
    }
}

impl State for HostsAbsent {
    const NAME: &'static str = "hosts::absent";
    const POSITIONAL: &'static [&'static str] = &["what"];
    type Found = EditedFile;

    fn subject(&self) -> String {
        self.what.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<EditedFile, Failure> {
        let names = self.what.0.iter().filter(|what| Address::parse(what).is_none());
        names.into_iter().try_for_each(|name| check_name("what", name))?;
        EditedFile::look(context.host, Path::new(FILE), &AttributeOptions::default(), Missing::Fine)
    }

    fn plan(&self, found: &EditedFile) -> Result<Plan, Failure> {
        found.plan(Inputs::default(), self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_addresses_go() {
        let text = "# all\n192.0.2.1 a b # first\n192.0.2.2 B\n::1 c\n";
        let case = |what: serde_json::Value, after: &str| {
            let absent: HostsAbsent = serde_json::from_value(json!({ "what": what })).unwrap();
            assert_eq!(absent.edit(text).unwrap(), after);
        };
        case(json!("b"), "# all\n192.0.2.1 a # first\n::1 c\n");
        case(json!(["a", "b"]), "# all\n::1 c\n");
        case(json!(["0::1", "192.0.2.2"]), "# all\n192.0.2.1 a b # first\n");
        case(json!("first"), text);
    }
}
