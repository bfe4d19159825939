//! `refrain exec`: one command on hosts.

use refrain_engine::bundle::Settings;

use super::ad_hoc::{AdHoc, literal};
use crate::arguments::{Exec, Shown};
use crate::reporter;

/// Runs a command.
pub fn execute(arguments: Exec) -> u8 {
    let words: Vec<String> = arguments.command.iter().map(|word| literal(word)).collect();
    let body = format!(
        "let r = command::run([{}]);\nfor said in [r.stdout, r.stderr] {{ if said != \"\" {{ print(said) }} }}",
        words.join(", ")
    );
    let shown = Shown { diff: false, format: arguments.format };
    let settings = Settings::default();
    AdHoc {
        name: "exec",
        pattern: &arguments.pattern,
        body,
        own: "",
        settings,
        tells_changes: false,
        asks_one_host: false,
    }
    .run(&arguments.hosts, &arguments.connection, reporter::on_standard_output(&shown, false))
}
