//! Settings in the main file of sshd, where that does not include others.

use super::settings::{Setting, directive};

/// The text in which these settings hold for everybody, and all else is as it was.
pub fn with_settings(text: &str, settings: &[Setting]) -> String {
    let mut made = vec![false; settings.len()];
    let mut after = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.peek() {
        let found = directive(line);
        if found.as_ref().is_some_and(|(keyword, _)| keyword == "match") {
            break;
        }
        let index = found.and_then(|(keyword, _)| {
            settings.iter().position(|(wanted, _)| wanted.eq_ignore_ascii_case(&keyword))
        });
        match index {
            None => after.push_str(line),
            // Further lines of the setting would add to it, or say nothing.
            Some(index) if made[index] => {}
            Some(index) => {
                made[index] = true;
                after.push_str(&kept_or_new(text, line, &settings[index]));
            }
        }
        lines.next();
    }
    for (setting, _) in settings.iter().zip(&made).filter(|(_, made)| !**made) {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&written(setting));
    }
    after.extend(lines);
    after
}

/// A line that says what is wanted stays as it is written.
fn kept_or_new(text: &str, line: &str, setting: &Setting) -> String {
    let (keyword, values) = setting;
    let lines = text.lines().map_while(|line| match directive(line) {
        Some((keyword, _)) if keyword == "match" => None,
        other => Some(other),
    });
    let all: Vec<&str> = lines
        .flatten()
        .filter(|(other, _)| other.eq_ignore_ascii_case(keyword))
        .map(|(_, value)| value)
        .collect();
    if all.len() == 1 && values.len() == 1 && all[0] == values[0] {
        return line.to_owned();
    }
    written(setting)
}

fn written((keyword, values): &Setting) -> String {
    values.iter().map(|value| format!("{keyword} {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_front_of_the_first_match() {
        let settings = |all: &[(&str, &[&str])]| -> Vec<Setting> {
            let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
            all.iter().map(|(keyword, values)| ((*keyword).to_owned(), owned(values))).collect()
        };
        let (root, ports) =
            (settings(&[("PermitRootLogin", &["no"])]), settings(&[("Port", &["22", "2222"])]));
        for (settings, before, after) in [
            (&root, "", "PermitRootLogin no\n"),
            (&root, "#PermitRootLogin yes\nX 1", "#PermitRootLogin yes\nX 1\nPermitRootLogin no\n"),
            (&root, "permitrootlogin=yes\nX 1\nPermitRootLogin yes\n", "PermitRootLogin no\nX 1\n"),
            (&root, "  permitrootlogin   no # x\n", "PermitRootLogin no\n"),
            (&root, "  permitrootlogin   no\nX 1", "  permitrootlogin   no\nX 1"),
            (
                &root,
                "X 1\n\nMatch user ada\n  PermitRootLogin yes\n",
                "X 1\n\nPermitRootLogin no\nMatch user ada\n  PermitRootLogin yes\n",
            ),
            (&ports, "Port 22\nX 1\nPort 80\n", "Port 22\nPort 2222\nX 1\n"),
        ] {
            assert_eq!(with_settings(before, settings), after, "{before:?}");
            assert_eq!(with_settings(after, settings), after, "again: {after:?}");
        }
    }
}
