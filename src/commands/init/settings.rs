//! The text of a new `refrain.toml`.

use std::fmt::Write;

use refrain_engine::project::ProjectSettings;
use refrain_engine::runner::{DEFAULT_FORKS, LOCK_TIMEOUT};
use serde_json::{Value, json};

/// The settings that are known as they are, and the others as comments that say what holds without them.
pub(super) fn text(known: &ProjectSettings) -> String {
    let usual = ProjectSettings::default();
    let mut text =
        String::from("# What this project says about itself. Paths are relative to this file.\n\n");
    let mut setting = |comment: &str, key: &str, value: Value, is_set: bool| {
        let mark = if is_set { "" } else { "# " };
        // Writing to a text can't fail.
        let _ = write!(text, "# {comment}\n{mark}{key} = {value}\n\n");
    };
    let (inventories, roles) = (&known.inventories, &known.role_paths);
    setting(
        "Files, directories, programs, or lists of hosts with a comma.",
        "inventory",
        json!(inventories),
        *inventories != usual.inventories,
    );
    setting(
        "Where a playbook is looked for that is not found from the current directory.",
        "playbooks",
        json!(known.playbook_paths),
        false,
    );
    setting("Where roles are looked for, in order.", "roles", json!(roles), *roles != usual.role_paths);
    setting(
        "At most so many hosts at once.",
        "forks",
        json!(known.forks.map_or(DEFAULT_FORKS, usize::from)),
        known.forks.is_some(),
    );
    setting(
        "How long to wait for another run on a host, in seconds.",
        "lock_timeout",
        json!(LOCK_TIMEOUT),
        false,
    );
    let [(ssh, of_ssh), (escalation, of_escalation)] = known.sections();
    section(
        &mut text,
        ssh,
        &of_ssh,
        &[
            ("user", json!("root")),
            ("port", json!(22)),
            ("private_key", json!("~/.ssh/id_ed25519")),
            ("timeout", json!(10)),
            ("check_host_keys", json!(true)),
        ],
    );
    text.push('\n');
    section(
        &mut text,
        escalation,
        &of_escalation,
        &[("enabled", json!(true)), ("user", json!("root")), ("method", json!("sudo"))],
    );
    text
}

/// A section: what is known, and examples of the rest.
fn section(text: &mut String, name: &str, known: &[(&str, &Value)], examples: &[(&str, Value)]) {
    let _ = writeln!(text, "# Holds where no inventory says otherwise.\n[{name}]");
    for (key, value) in known {
        let _ = writeln!(text, "{key} = {value}");
    }
    for (key, value) in examples.iter().filter(|(key, _)| known.iter().all(|(known, _)| known != key)) {
        let _ = writeln!(text, "# {key} = {value}");
    }
}
