//! `sudo::rule`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::rule_file::{self, RuleName};
use crate::configuration_file::ConfigurationFile;
use crate::one_or_many::OneOrMany;

/// Lets users run commands as other users.
///
/// ```rhai
/// sudo::rule("admins", #{ groups: "wheel", commands: "ALL" });
/// sudo::rule("deploy", #{
///     users: ["ada", "grace"],
///     commands: ["/usr/bin/sv restart nomad", "/usr/bin/sv restart docker"],
///     run_as: "root",
///     password: false,
/// });
/// ```
///
/// The rule is a file in `/etc/sudoers.d`, which belongs to root and has the mode 0440. Where the host has `visudo`, that is
/// asked whether it accepts the file, before it is put in place: a broken one would lock everybody out of sudo.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SudoRule {
    /// The name of the file. One with a dot or with `~` at its end is refused: sudo passes over such files.
    name: RuleName,
    /// The users who may: names, numbers as `#1000`, or `ALL`.
    #[serde(default)]
    users: Option<OneOrMany<String>>,
    /// The groups whose members may, by name or as `#100`.
    #[serde(default)]
    groups: Option<OneOrMany<String>>,
    /// What they may run: absolute paths, each with or without arguments, `ALL`, or `!` and a path for what they may not. Of
    /// arguments, what has a meaning in sudoers besides wildcards (`,`, `:`, `=` and backslashes) is escaped.
    commands: OneOrMany<String>,
    /// As whom: a user, `user:group`, or `ALL`. `ALL:ALL` when absent.
    #[serde(default)]
    run_as: Option<String>,
    /// On which hosts this holds. `ALL` when absent.
    #[serde(default)]
    hosts: Option<OneOrMany<String>>,
    /// Whether they have to give their password. Default true.
    #[serde(default)]
    password: Option<bool>,
}

impl State for SudoRule {
    const NAME: &'static str = "sudo::rule";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = ConfigurationFile;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ConfigurationFile, Failure> {
        rule_file::look(context, &self.name, self.text()?)
    }

    fn plan(&self, found: &ConfigurationFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}

impl SudoRule {
    fn text(&self) -> Result<String, Failure> {
        let users = names("users", self.users.as_ref())?;
        let groups = names("groups", self.groups.as_ref())?.into_iter().map(|group| format!("%{group}"));
        let who: Vec<String> = users.into_iter().chain(groups).collect();
        if who.is_empty() {
            return Err(
                Failure::argument("users", "the rule is for nobody").advise("give `users` or `groups`")
            );
        }
        let hosts = names("hosts", self.hosts.as_ref())?;
        let hosts = if hosts.is_empty() { "ALL".to_owned() } else { hosts.join(", ") };
        let run_as = self.run_as.as_deref().unwrap_or("ALL:ALL");
        let (user, group) = run_as.split_once(':').unwrap_or((run_as, ""));
        check("run_as", user)?;
        if run_as.contains(':') {
            check("run_as", group)?;
        }
        let tag = if self.password == Some(false) { "NOPASSWD: " } else { "" };
        let commands =
            self.commands.0.iter().map(|command| escaped(command)).collect::<Result<Vec<_>, _>>()?;
        if commands.is_empty() {
            return Err(Failure::argument("commands", "the rule allows nothing"));
        }
        Ok(format!("{} {hosts}=({run_as}) {tag}{}\n", who.join(", "), commands.join(", ")))
    }
}

fn names(argument: &str, names: Option<&OneOrMany<String>>) -> Result<Vec<String>, Failure> {
    let names = names.map(|names| names.0.clone()).unwrap_or_default();
    names.iter().try_for_each(|name| check(argument, name))?;
    Ok(names)
}

/// Refuses a name that sudo would read as something else.
fn check(argument: &str, name: &str) -> Result<(), Failure> {
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "%,:=()!\"\\".contains(letter);
    // `#` followed by anything but a number begins a comment.
    let comment = name.strip_prefix('#').map_or(name.contains('#'), |number| {
        number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit())
    });
    if name.is_empty() || name.contains(odd) || comment {
        return Err(Failure::argument(argument, format!("`{name}` is no name that a rule can have"))
            .advise("for anything more elaborate, there is sudo::file"));
    }
    Ok(())
}

/// A command as sudoers has it.
fn escaped(command: &str) -> Result<String, Failure> {
    let command = command.trim();
    let plain = command.strip_prefix('!').unwrap_or(command);
    if command.contains(|letter: char| letter.is_control()) || !(plain == "ALL" || plain.starts_with('/')) {
        return Err(Failure::argument("commands", format!("`{command}` is no command for sudo"))
            .advise("commands are absolute paths, with or without arguments"));
    }
    let mut text = String::with_capacity(command.len());
    for letter in command.chars() {
        if ",:=\\#".contains(letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn text(mut arguments: Value) -> Result<String, String> {
        arguments["name"] = json!("rule");
        let rule: SudoRule = serde_json::from_value(arguments).map_err(|error| error.to_string())?;
        rule.text().map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_rule_is_one_line() {
        for (arguments, expected) in [
            (json!({ "groups": "wheel", "commands": "ALL" }), "%wheel ALL=(ALL:ALL) ALL\n"),
            (
                json!({ "users": ["ada", "#1000"], "groups": ["ops"], "hosts": "web1", "run_as": "www:www",
                    "commands": ["/bin/a --x=1,2", "!/bin/b"], "password": false }),
                "ada, #1000, %ops web1=(www:www) NOPASSWD: /bin/a --x\\=1\\,2, !/bin/b\n",
            ),
        ] {
            assert_eq!(text(arguments).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_sudo_would_read_otherwise_is_refused() {
        for (arguments, message) in [
            (json!({ "commands": "ALL" }), "the rule is for nobody"),
            (json!({ "users": "a b", "commands": "ALL" }), "`a b` is no name that a rule can have"),
            (json!({ "users": "a,ALL", "commands": "ALL" }), "`a,ALL` is no name that a rule can have"),
            (json!({ "users": "#x", "commands": "ALL" }), "`#x` is no name that a rule can have"),
            (json!({ "users": "a", "commands": "sv" }), "`sv` is no command for sudo"),
            (
                json!({ "users": "a", "commands": "/bin/a\nALL ALL=ALL" }),
                "`/bin/a\nALL ALL=ALL` is no command for sudo",
            ),
            (
                json!({ "users": "a", "commands": "ALL", "run_as": "b) ALL" }),
                "`b) ALL` is no name that a rule can have",
            ),
            (
                json!({ "users": "a", "commands": "ALL", "run_as": "b:" }),
                "`` is no name that a rule can have",
            ),
        ] {
            assert_eq!(text(arguments), Err(message.to_owned()));
        }
    }

    #[test]
    fn names_that_sudo_passes_over_are_refused() {
        for name in ["a.conf", "a~", "", "a/b", ".hidden"] {
            assert!(serde_json::from_value::<RuleName>(json!(name)).is_err(), "{name}");
        }
        assert!(serde_json::from_value::<RuleName>(json!("10-admins")).is_ok());
    }
}
