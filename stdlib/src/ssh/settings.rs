//! Directives of sshd_config(5) and ssh_config(5): a keyword and its value.

use refrain_engine::failure::Failure;
use serde_json::{Map, Value};

/// A keyword with its values. Several stand on a line each.
pub type Setting = (String, Vec<String>);

/// The settings of a map, in its order.
///
/// # Errors
/// A keyword or value is none.
pub fn of_map(argument: &str, map: &Map<String, Value>) -> Result<Vec<Setting>, Failure> {
    map.iter().map(|(keyword, value)| setting(argument, keyword, value)).collect()
}

/// One setting: booleans are `yes` and `no`, an array is several lines.
///
/// # Errors
/// As [`of_map`].
pub fn setting(argument: &str, keyword: &str, value: &Value) -> Result<Setting, Failure> {
    let refuse = |what: &str| Err(Failure::argument(argument, format!("`{keyword}` {what}")));
    if keyword.is_empty() || !keyword.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return refuse("is no keyword");
    }
    if ["match", "host", "include"].contains(&keyword.to_ascii_lowercase().as_str()) {
        return refuse("is no setting: it decides which settings count");
    }
    let one = |value: &Value| match value {
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() && !text.contains(['\n', '\r']) => {
            Some(text.trim().to_owned())
        }
        _ => None,
    };
    let values = match value {
        Value::Array(values) => values.iter().map(one).collect::<Option<Vec<_>>>(),
        value => one(value).map(|value| vec![value]),
    };
    match values {
        Some(values) if !values.is_empty() => Ok((keyword.to_owned(), values)),
        _ => refuse("needs a value of one line, or an array of such"),
    }
}

/// The lines of settings, each behind `indent`.
pub fn lines(settings: &[Setting], indent: &str) -> String {
    let lines = settings
        .iter()
        .flat_map(|(keyword, values)| values.iter().map(move |value| format!("{indent}{keyword} {value}\n")));
    lines.collect()
}

/// The keyword of a line, in lower case, and what follows it. Absent for empty lines and comments.
pub fn directive(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(line.len());
    let value = line[end..].trim_start().strip_prefix('=').unwrap_or(&line[end..]);
    Some((line[..end].to_ascii_lowercase(), value.trim()))
}

/// Whether the text of a configuration includes all `*.conf` of a directory, before anything that only counts for some hosts
/// or users; and the global settings that stand before that.
pub fn includes<'t>(text: &'t str, directory: &str) -> (bool, Vec<(usize, String, &'t str)>) {
    let mut before = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((keyword, value)) = directive(line) else { continue };
        match keyword.as_str() {
            "match" | "host" => break,
            "include" => {
                let name = directory.strip_prefix("/etc/ssh/").unwrap_or(directory);
                let covers = |pattern: &str| {
                    let pattern = pattern.trim_matches('"');
                    [directory, name].iter().any(|known| *pattern == format!("{known}/*.conf"))
                };
                if value.split_whitespace().any(covers) {
                    return (true, before);
                }
            }
            _ => before.push((number + 1, keyword, value)),
        }
    }
    (false, before)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_ssh_reads_them() {
        let settings = json!({ "PermitRootLogin": false, "Port": [22, 2222], "AllowGroups": "wheel ops" });
        let settings = of_map("settings", settings.as_object().unwrap()).unwrap();
        assert_eq!(
            lines(&settings, " "),
            " PermitRootLogin no\n Port 22\n Port 2222\n AllowGroups wheel ops\n"
        );
        for (keyword, value) in [
            ("Match", json!("all")),
            ("A B", json!(1)),
            ("A", json!("x\ny")),
            ("A", json!([])),
            ("A", json!({})),
        ] {
            assert!(setting("settings", keyword, &value).is_err(), "{keyword} {value}");
        }
    }

    #[test]
    fn what_is_included_is_found() {
        let directory = "/etc/ssh/sshd_config.d";
        for (text, expected) in [
            ("# x\nInclude /etc/ssh/sshd_config.d/*.conf\n", (true, vec![])),
            ("include sshd_config.d/*.conf\n", (true, vec![])),
            (
                "Port=22\nInclude a \"/etc/ssh/sshd_config.d/*.conf\"\n",
                (true, vec![(1, "port".to_owned(), "22")]),
            ),
            ("Match user x\nInclude /etc/ssh/sshd_config.d/*.conf\n", (false, vec![])),
            ("Include /etc/ssh/other/*.conf\n", (false, vec![])),
        ] {
            assert_eq!(includes(text, directory), expected, "{text}");
        }
    }
}
