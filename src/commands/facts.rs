//! `refrain facts`: what a host says of itself.

use refrain_engine::bundle::Settings;
use refrain_engine::facts;

use super::ad_hoc::{AdHoc, literal};
use crate::arguments::{Facts, Hosts};
use crate::reporter::answer::Answer;

/// The environment of the agent, in which there may be passwords: shown only when it is named.
const PRIVATE: &str = "env";

/// Shows facts.
pub fn execute(arguments: Facts) -> u8 {
    let names: Vec<String> = facts::names().filter(|name| *name != PRIVATE).map(literal).collect();
    let body = match &arguments.name {
        None => format!(
            "let all = #{{}};\nfor name in [{}] {{ let fact = facts.get(name, ()); if type_of(fact) != \"()\" {{ all[name] = fact }} }}\n\
             print(to_json(#{{ answer: all }}));",
            names.join(", ")
        ),
        Some(path) => {
            // The first part is asked for by name, so that no other facts are gathered, and a slip has a hint.
            let parts: Vec<String> = path.split('.').map(|part| format!("[{}]", literal(part))).collect();
            format!("print(to_json(#{{ answer: facts{} }}));", parts.concat())
        }
    };
    let hosts = Hosts { limit: None, sources: arguments.sources };
    let settings = Settings { check: true, ..Settings::default() };
    AdHoc {
        name: "facts",
        pattern: &arguments.host,
        body,
        own: "",
        settings,
        tells_changes: false,
        asks_one_host: true,
    }
    .run(&hosts, &arguments.connection, Box::new(Answer))
}
