//! `refrain call`: a module function, or any script, on hosts.

use refrain_engine::bundle::Settings;

use super::ad_hoc::AdHoc;
use crate::arguments::Call;
use crate::reporter;

/// Calls what the command line says.
pub fn execute(arguments: &Call) -> u8 {
    // The script stands on lines of its own, so that its first column is the first one in messages.
    let script = arguments.script.trim().trim_end_matches(';');
    let body = format!("let answer = {{\n{script}\n}};\nif type_of(answer) != \"()\" {{ print(answer) }}");
    let settings = Settings { check: arguments.check.check, ..Settings::default() };
    AdHoc {
        name: "call",
        pattern: &arguments.pattern,
        body,
        own: script,
        settings,
        tells_changes: arguments.check.exit_code,
        asks_one_host: false,
    }
    .run(&arguments.hosts, &arguments.connection, reporter::on_standard_output(&arguments.shown, false))
}
