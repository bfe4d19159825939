//! Files of lines `NAME=value` that shells and others read: `/etc/rc.conf`, `/etc/locale.conf`.

use refrain_engine::system::quote;

use crate::file::lines::{self, body};

/// The value that the last line for `name` gives it, without quotes. Lines in comments don't count.
pub fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().rev().find_map(|line| assigned(line, name)).map(|(_, value)| unquoted(value))
}

/// The text in which `name` has this value: the last line for it is changed, others for it go, and without one there is a new
/// one at the end.
pub fn with_value(text: &str, name: &str, new: &str) -> String {
    let all = lines::split(text);
    let of_name: Vec<usize> = (0..all.len()).filter(|index| assigned(&all[*index], name).is_some()).collect();
    let mut changed = all.clone();
    match of_name.last() {
        None => lines::insert(&mut changed, all.len(), [format!("{name}={}\n", quoted(new)).into()]),
        Some(last) => {
            let (head, old) = assigned(&all[*last], name).unwrap_or_default();
            if unquoted(old) != new {
                changed[*last] = format!("{head}{}\n", quoted(new)).into();
            }
        }
    }
    let dropped = |index: usize| of_name.contains(&index) && Some(&index) != of_name.last();
    changed.into_iter().enumerate().filter(|(index, _)| !dropped(*index)).map(|(_, line)| line).collect()
}

/// The text in which nothing gives `name` a value.
pub fn without(text: &str, name: &str) -> String {
    text.split_inclusive('\n').filter(|line| assigned(line, name).is_none()).collect()
}

/// What a line gives to `name`, behind what stands before that.
fn assigned<'l>(line: &'l str, name: &str) -> Option<(&'l str, &'l str)> {
    let line = body(line);
    let start = line.trim_start();
    let start = start.strip_prefix("export ").map_or(start, str::trim_start);
    let value = start.strip_prefix(name)?.strip_prefix('=')?;
    Some((&line[..line.len() - value.len()], value))
}

/// A value without its quotes, and without the comment behind it.
fn unquoted(value: &str) -> &str {
    for mark in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(mark) {
            return inside.split(mark).next().unwrap_or(inside);
        }
    }
    value.split([' ', '\t']).next().unwrap_or(value)
}

/// The value as all readers of such files understand it.
fn quoted(value: &str) -> String {
    let quoted = quote(value);
    if quoted.starts_with('\'') && !value.contains(['"', '\\', '$', '`', '\'']) {
        return format!("\"{value}\"");
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let text = "#TIMEZONE=\"UTC\"\nTIMEZONE=\"Europe/Madrid\"  # home\nKEYMAP=es\nexport TIMEZONE='Asia/Tokyo'\n";
        assert_eq!(value(text, "TIMEZONE"), Some("Asia/Tokyo"));
        assert_eq!(value(text, "KEYMAP"), Some("es"));
        assert_eq!(value(text, "KEY"), None);
        assert_eq!(value("A=b # c", "A"), Some("b"));
    }

    #[test]
    fn one_line_is_changed_and_the_rest_stays() {
        let case = |before: &str, name: &str, new: &str, after: &str| {
            assert_eq!(with_value(before, name, new), after);
            assert_eq!(with_value(after, name, new), after, "a second time");
            assert_eq!(value(after, name), Some(new));
        };
        case("", "LANG", "C.UTF-8", "LANG=C.UTF-8\n");
        case("#LANG=x\na=b", "LANG", "C.UTF-8", "#LANG=x\na=b\nLANG=C.UTF-8\n");
        case("LANG=\"C.UTF-8\" # same", "LANG", "C.UTF-8", "LANG=\"C.UTF-8\" # same");
        case("A=1\nB=2\nexport A=3\n", "A", "4", "B=2\nexport A=4\n");
        case("A=1\n", "A", "two words", "A=\"two words\"\n");
        assert_eq!(without("A=1\nB=2\n#A=3\n", "A"), "B=2\n#A=3\n");
    }
}
