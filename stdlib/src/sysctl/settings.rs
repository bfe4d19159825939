//! Lines of sysctl.conf(5).

use std::borrow::Cow;

use super::key::Key;
use crate::file::lines::{self, body};
use crate::kernel_value::same;

/// What a line sets. `None` for comments, empty lines, and what is no setting.
fn parse(line: &str) -> Option<(Key, &str)> {
    let line = body(line).trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    // A hyphen in front says that the kernel may not have the value.
    let (key, value) = line.strip_prefix('-').unwrap_or(line).split_once('=')?;
    Some((Key::parse(key.trim())?, value.trim()))
}

/// The value that a file's text gives a key: the last line for it counts.
pub fn value<'t>(text: &'t str, key: &Key) -> Option<&'t str> {
    text.lines().rev().filter_map(parse).find(|(found, _)| found == key).map(|(_, value)| value)
}

/// The text in which one line gives the key this value, and no other line one.
pub fn with_value(text: &str, key: &Key, new: &str) -> String {
    let all = lines::split(text);
    let last = all.iter().rposition(|line| parse(line).is_some_and(|(found, _)| found == *key));
    let mut changed: Vec<Cow<'_, str>> = Vec::with_capacity(all.len() + 1);
    for (index, line) in all.iter().enumerate() {
        match parse(line).filter(|(found, _)| found == key) {
            None => changed.push(line.clone()),
            Some((_, value)) if Some(index) == last && same(value, new) => changed.push(line.clone()),
            Some(_) if Some(index) == last => changed.push(setting(key, new).into()),
            Some(_) => {}
        }
    }
    if last.is_none() {
        let end = changed.len();
        lines::insert(&mut changed, end, [setting(key, new).into()]);
    }
    changed.concat()
}

/// The text in which nothing gives the key a value.
pub fn without(text: &str, key: &Key) -> String {
    text.split_inclusive('\n').filter(|line| parse(line).is_none_or(|(found, _)| found != *key)).collect()
}

fn setting(key: &Key, value: &str) -> String {
    format!("{key} = {value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sets_a_value() {
        let key = Key::parse("vm.swappiness").unwrap();
        let text = "# vm.swappiness=1\nvm/swappiness = 60\n-kernel.x=2\nvm.swappiness=30";
        assert_eq!(value(text, &key), Some("30"));
        assert_eq!(value(text, &Key::parse("kernel.x").unwrap()), Some("2"));
        let case = |text: &str, new: &str, after: &str| {
            assert_eq!(with_value(text, &key, new), after);
            assert_eq!(with_value(after, &key, new), after, "a second time");
        };
        case(text, "30", "# vm.swappiness=1\n-kernel.x=2\nvm.swappiness=30");
        case(text, "10", "# vm.swappiness=1\n-kernel.x=2\nvm.swappiness = 10\n");
        case("a.b=1", "10", "a.b=1\nvm.swappiness = 10\n");
        case("vm.swappiness = 4  8\n", "4\t8", "vm.swappiness = 4  8\n");
        assert_eq!(without(text, &key), "# vm.swappiness=1\n-kernel.x=2\n");
    }
}
