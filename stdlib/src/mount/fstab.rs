//! Lines of fstab(5): a source, a place, a type, options, and two numbers that may be left out.

use std::borrow::Cow;

use super::file_system::{FileSystem, NO_PLACE};
use crate::file::lines::{self, body};

/// What stands for a blank, and for itself, in a field.
const ESCAPES: [(char, &str); 5] =
    [('\\', "\\134"), (' ', "\\040"), ('\t', "\\011"), ('\n', "\\012"), ('#', "\\043")];

/// The fields of a line. `None` for comments, empty lines, and what has too few fields.
fn parse(line: &str) -> Option<Vec<&str>> {
    let fields: Vec<&str> = body(line).split_whitespace().collect();
    let is_entry = fields.first().is_some_and(|source| !source.starts_with('#')) && fields.len() >= 3;
    is_entry.then_some(fields)
}

/// A field as it is meant.
pub fn unescaped(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let (mut text, mut rest) = (String::new(), field);
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let number = behind.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        rest = match number {
            Some(byte) if byte.is_ascii() => {
                text.push(char::from(byte));
                &behind[3..]
            }
            _ => {
                text.push('\\');
                behind
            }
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn escaped(text: &str) -> String {
    let escape = |c: char| ESCAPES.iter().find(|(plain, _)| *plain == c).map(|(_, escape)| *escape);
    let mut field = String::new();
    for c in text.chars() {
        match escape(c) {
            Some(escape) => field.push_str(escape),
            None => field.push(c),
        }
    }
    field
}

/// Whether a line is about a place. Swap has none: there the source tells.
fn is_about(fields: &[&str], place: &str) -> bool {
    let own = unescaped(fields[1]);
    let own = if own.len() > 1 { own.trim_end_matches('/') } else { &own };
    (own == place && place != NO_PLACE) || (fields[2] == "swap" && unescaped(fields[0]) == place)
}

/// The options that the line for a place has.
pub fn options(text: &str, place: &str) -> Option<String> {
    let fields = text.lines().filter_map(parse).find(|fields| is_about(fields, place))?;
    Some(fields.get(3).map_or_else(String::new, |options| unescaped(options).into_owned()))
}

/// The text with one line for the file system, in place of the first one for its place; others for that go.
pub fn with(text: &str, wanted: &FileSystem) -> String {
    let mut all: Vec<Cow<'_, str>> = Vec::new();
    let mut placed = false;
    for line in lines::split(text) {
        match parse(&line).filter(|fields| is_about(fields, wanted.key())) {
            None => all.push(line),
            Some(_) if placed => {}
            Some(fields) => {
                placed = true;
                let new = if says(&fields, wanted) { None } else { Some(changed(&line, wanted)) };
                all.push(new.map_or(line, Into::into));
            }
        }
    }
    if !placed {
        let end = all.len();
        lines::insert(&mut all, end, [format!("{}\n", fields_of(wanted).join("\t")).into()]);
    }
    all.concat()
}

/// The text without lines for a place.
pub fn without(text: &str, place: &str) -> String {
    let goes = |line: &str| parse(line).is_some_and(|fields| is_about(&fields, place));
    text.split_inclusive('\n').filter(|line| !goes(line)).collect()
}

fn fields_of(wanted: &FileSystem) -> [String; 6] {
    let FileSystem { source, place, kind, options, dump, pass } = wanted;
    [escaped(source), escaped(place), escaped(kind), escaped(options), dump.to_string(), pass.to_string()]
}

/// Whether a line says it already. Numbers that are left out are 0, options the defaults.
fn says(fields: &[&str], wanted: &FileSystem) -> bool {
    let defaults = ["", "", "", "defaults", "0", "0"];
    let wanted = fields_of(wanted);
    (0..6).all(|index| {
        let field = fields.get(index).copied().unwrap_or(defaults[index]);
        let field = if index == 1 && field.len() > 1 { field.trim_end_matches('/') } else { field };
        unescaped(field) == unescaped(&wanted[index])
    })
}

/// The line with other fields, in the columns that it has.
fn changed(line: &str, wanted: &FileSystem) -> String {
    let mut rest = body(line);
    let mut new = String::new();
    for (index, field) in fields_of(wanted).iter().enumerate() {
        let start = rest.trim_start();
        let gap = &rest[..rest.len() - start.len()];
        let old = start.split_whitespace().next().unwrap_or_default();
        new.push_str(if gap.is_empty() && index > 0 { "\t" } else { gap });
        new.push_str(field);
        rest = &start[old.len()..];
    }
    new.push('\n');
    new
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file_system(source: &str, place: &str, kind: &str, options: &str) -> FileSystem {
        let [source, place, kind, options] = [source, place, kind, options].map(str::to_owned);
        FileSystem { source, place, kind, options, dump: 0, pass: 0 }
    }

    const BEFORE: &str = "# <file system> <dir> <type> <options> <dump> <pass>\n\
                          /dev/sda1   /        ext4  defaults  0 1\n\
                          tmpfs       /tmp     tmpfs nosuid\n\
                          /dev/sdb1   /srv/my\\040data ext4 noatime 0\n\
                          UUID=1-2    none     swap  sw 0 0\n";

    #[test]
    fn lines_of_all_lengths_are_changed_in_place() {
        let case = |wanted: FileSystem, from: &str, to: &str| {
            let after = BEFORE.replace(from, to);
            assert_eq!(with(BEFORE, &wanted), after);
            assert_eq!(with(&after, &wanted), after, "a second time");
        };
        case(file_system("tmpfs", "/tmp", "tmpfs", "nosuid"), "", "");
        case(
            file_system("tmpfs", "/tmp", "tmpfs", "nosuid,size=1G"),
            "/tmp     tmpfs nosuid\n",
            "/tmp     tmpfs nosuid,size=1G\t0\t0\n",
        );
        case(file_system("/dev/sdb1", "/srv/my data", "ext4", "noatime"), "", "");
        case(
            file_system("/dev/sdb1", "/srv/my data", "xfs", "noatime"),
            "data ext4 noatime 0\n",
            "data xfs noatime 0\t0\n",
        );
        case(
            FileSystem { pass: 1, ..file_system("/dev/sda2", "/", "ext4", "defaults") },
            "/dev/sda1   /  ",
            "/dev/sda2   /  ",
        );
        case(file_system("UUID=1-2", "none", "swap", "sw,pri=1"), "sw 0 0", "sw,pri=1 0 0");
        case(
            file_system("a b", "/new", "9p", "x#y"),
            "sw 0 0\n",
            "sw 0 0\na\\040b\t/new\t9p\tx\\043y\t0\t0\n",
        );
        assert_eq!(without(BEFORE, "/tmp"), BEFORE.replace("tmpfs       /tmp     tmpfs nosuid\n", ""));
        assert_eq!(without(BEFORE, "UUID=1-2"), BEFORE.replace("UUID=1-2    none     swap  sw 0 0\n", ""));
        assert_eq!(without(BEFORE, "none"), BEFORE);
        assert_eq!(options(BEFORE, "/srv/my data").as_deref(), Some("noatime"));
    }

    #[test]
    fn short_lines_and_lines_that_come_twice_are_found() {
        assert_eq!(without("tmpfs /run tmpfs\nx /y\n", "/run"), "x /y\n");
        let wanted = file_system("tmpfs", "/run", "tmpfs", "defaults");
        assert_eq!(with("tmpfs /run/ tmpfs\nother /run ext4 ro 0 0\n", &wanted), "tmpfs /run/ tmpfs\n");
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_meant(text in "[a-z \\\\\t#0-9é]{0,12}") {
            let field = escaped(&text);
            prop_assert!(!field.contains([' ', '\t', '#']));
            prop_assert_eq!(unescaped(&field), text);
        }
    }
}
