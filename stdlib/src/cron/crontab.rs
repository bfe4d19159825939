//! The text of a crontab in `/etc/cron.d`.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::system::quote;

use super::schedule::Schedule;

/// For cronie and Debian's cron: the environment, and a line with the user.
///
/// # Errors
/// A value can't be written there.
pub fn with_user(
    schedule: &Schedule,
    user: &str,
    command: &str,
    environment: &BTreeMap<String, String>,
    disabled: bool,
) -> Result<String, Failure> {
    let mut text = String::new();
    for (name, value) in environment {
        // Nothing can be escaped between the quotes.
        let quote = match (value.contains('"'), value.contains('\'')) {
            (false, _) => '"',
            (true, false) => '\'',
            (true, true) => {
                let message =
                    format!("cron can't be given the value of `{name}`: it has quotes of both kinds");
                return Err(Failure::argument("environment", message));
            }
        };
        text.push_str(&format!("{name}={quote}{value}{quote}\n"));
    }
    // What follows a percent sign would be the command's standard input.
    let command = command.replace('%', "\\%");
    let mark = if disabled { "#" } else { "" };
    text.push_str(&format!("{mark}{schedule} {user} {command}\n"));
    Ok(text)
}

/// For dcron, which knows neither users nor environments there.
pub fn without_user(
    schedule: &Schedule,
    command: &str,
    environment: &BTreeMap<String, String>,
    disabled: bool,
) -> String {
    let exports: String =
        environment.iter().map(|(name, value)| format!("export {name}={}; ", quote(value))).collect();
    let mark = if disabled { "#" } else { "" };
    format!("{mark}{schedule} {exports}{command}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment(value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("KEY".to_owned(), value.to_owned())])
    }

    #[test]
    fn crontabs_say_what_is_meant() {
        let schedule: Schedule = serde_json::from_value(json!("0 4 * * *")).unwrap();
        let cron = |value: &str, disabled| {
            with_user(&schedule, "ada", "date +%s | x", &environment(value), disabled)
        };
        assert_eq!(cron("a b", false).unwrap(), "KEY=\"a b\"\n0 4 * * * ada date +\\%s | x\n");
        assert_eq!(cron("a\"b", true).unwrap(), "KEY='a\"b'\n#0 4 * * * ada date +\\%s | x\n");
        assert!(cron("a\"b'", false).is_err());
        assert_eq!(
            without_user(&schedule, "date +%s", &environment("a b"), false),
            "0 4 * * * export KEY='a b'; date +%s\n"
        );
    }
}
