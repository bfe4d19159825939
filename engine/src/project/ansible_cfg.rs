//! What an `ansible.cfg` says, where a project has no `refrain.toml`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::settings::ProjectSettings;
use crate::diagnostic::Diagnostic;
use crate::inventory::Variable;
use crate::origin::{Origin, SourceText};

/// Its name, beside the playbooks' directory.
pub(super) const NAME: &str = "ansible.cfg";

/// Settings that are variables of the connection, too.
const VARIABLES: [(&str, &str, &str); 13] = [
    ("defaults", "remote_user", "ansible_user"),
    ("defaults", "remote_port", "ansible_port"),
    ("defaults", "private_key_file", "ansible_ssh_private_key_file"),
    ("defaults", "host_key_checking", "ansible_host_key_checking"),
    ("defaults", "timeout", "ansible_timeout"),
    ("defaults", "become", "ansible_become"),
    ("defaults", "become_user", "ansible_become_user"),
    ("defaults", "become_method", "ansible_become_method"),
    ("privilege_escalation", "become", "ansible_become"),
    ("privilege_escalation", "become_user", "ansible_become_user"),
    ("privilege_escalation", "become_method", "ansible_become_method"),
    ("ssh_connection", "timeout", "ansible_timeout"),
    ("ssh_connection", "host_key_checking", "ansible_host_key_checking"),
];

/// Settings that change what templates and variables come to, with the values that change nothing.
const DIFFERENT: [(&str, &str, &[&str]); 4] = [
    ("hash_behaviour", "maps are not merged", &["replace"]),
    ("jinja2_native", "templates give text but for single expressions", &["false", "no", "0"]),
    ("jinja2_extensions", "Jinja2 is not extended", &[""]),
    ("error_on_undefined_vars", "what is undefined is an error", &["true", "yes", "1"]),
];

/// A setting of the file.
struct Setting<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
    at: Origin,
}

/// Reads the file at the top of a project, if there is one.
///
/// # Errors
/// It can't be read, or a value that matters makes no sense.
pub(super) fn read(root: &Path) -> Result<ProjectSettings, Diagnostic> {
    let path = root.join(NAME);
    if !path.is_file() {
        return Ok(ProjectSettings::default());
    }
    let everybody_writes =
        |path: &Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o002 != 0);
    if everybody_writes(root) {
        let warning = Diagnostic::new(format!("`{NAME}` is not read: everybody may write to its directory"));
        return Ok(ProjectSettings { warnings: vec![warning], ..ProjectSettings::default() });
    }
    understand(&SourceText::read(&path, NAME)?)
}

fn understand(source: &Arc<SourceText>) -> Result<ProjectSettings, Diagnostic> {
    let mut settings = ProjectSettings::default();
    let (mut used, mut warnings) = (Vec::new(), Vec::new());
    for setting in parse(source) {
        if take(&mut settings, &setting)? {
            used.push(setting.key);
        } else if let Some(warning) = different(&setting) {
            warnings.push(warning);
        }
    }
    if !used.is_empty() {
        let message = format!("`{NAME}` is read for want of a `refrain.toml`: {} hold", used.join(", "));
        warnings.insert(
            0,
            Diagnostic::new(message).hint("`refrain init` writes a `refrain.toml` that says the same"),
        );
    }
    settings.warnings = warnings;
    Ok(settings)
}

/// The settings, in order. Of Python's INI files, as Ansible reads them: comments begin a line, or come after a blank and a `;`.
fn parse(source: &Arc<SourceText>) -> Vec<Setting<'_>> {
    let mut section = "";
    let mut settings = Vec::new();
    for (number, line) in source.text().lines().enumerate() {
        let text = line.trim();
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = name.0;
        } else if !text.starts_with(['#', ';'])
            && let Some(at) = text.find(['=', ':'])
        {
            let value = text[at + 1..].split(" ;").next().unwrap_or_default().trim();
            let column = line.chars().count() - line.trim_start().chars().count() + 1;
            let at_key = source.at(number + 1, column);
            settings.push(Setting { section, key: text[..at].trim(), value, at: at_key });
        }
    }
    settings
}

/// Takes a setting that is known here, and says whether it was one.
fn take(settings: &mut ProjectSettings, setting: &Setting<'_>) -> Result<bool, Diagnostic> {
    let Setting { section, key, value, at } = setting;
    let paths = |by: char| {
        let paths = value.split(by).map(str::trim).filter(|path| !path.is_empty());
        paths.map(|path| path.trim_start_matches("./").to_owned()).collect::<Vec<String>>()
    };
    match (*section, *key) {
        ("defaults", "inventory") => {
            settings.inventories = paths(',');
            settings.inventories_are_named = true;
        }
        ("defaults", "roles_path") => settings.role_paths = paths(':'),
        ("defaults", "forks") => {
            let forks = value.parse().ok().filter(|forks| *forks > 0);
            settings.forks =
                Some(forks.ok_or_else(|| at.error("`forks` has to be a whole number from 1 on"))?);
        }
        (section, key) => {
            let known = VARIABLES.iter().find(|(of, name, _)| (*of, *name) == (section, key));
            let Some((_, _, variable)) = known else { return Ok(false) };
            let variable = (*variable).to_owned();
            settings.connection.insert(variable, Variable::new(typed(value), at.clone()));
        }
    }
    Ok(true)
}

/// A number or a truth value where the text is one.
fn typed(value: &str) -> Value {
    match value.to_lowercase().as_str() {
        "true" | "yes" | "on" => Value::from(true),
        "false" | "no" | "off" => Value::from(false),
        _ => value.parse::<u32>().map_or_else(|_| Value::from(value), Value::from),
    }
}

/// The warning about a setting that can't be honoured, and makes a difference.
fn different(setting: &Setting<'_>) -> Option<Diagnostic> {
    let (_, what, harmless) = DIFFERENT.iter().find(|(key, ..)| *key == setting.key)?;
    let value = setting.value.to_lowercase();
    let differs = setting.section == "defaults" && !harmless.contains(&value.as_str());
    differs.then(|| setting.at.error(format!("`{}` does not hold here: {what}", setting.key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in r"((\[defaults\]|\[ssh_connection\]|inventory|forks|timeout|hash_behaviour)|[ =:;#\n0-9a-b/,.-]|\PC){0,40}",
        ) {
            let _ = understand(&SourceText::new(NAME, text));
        }
    }
}
