//! Paths with `*`, `?` and `[…]` in them.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::View;

/// Whether a path stands for others.
pub fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains(['*', '?', '[']))
}

/// The paths on the host that an absolute pattern stands for, sorted: for a plain path, itself if something is there.
///
/// `*` and `?` stop at a slash and leave out names that begin with a dot, as in a shell.
///
/// # Errors
/// A directory can't be read.
pub fn expand(host: &dyn View, pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = vec![PathBuf::from("/")];
    for component in pattern.components() {
        let Component::Normal(name) = component else { continue };
        if !is_pattern(Path::new(name)) {
            found.iter_mut().for_each(|path| path.push(name));
            continue;
        }
        let mut next = Vec::new();
        for directory in found {
            let names = host.list(&directory)?;
            next.extend(names.iter().filter(|entry| matches(name, entry)).map(|entry| directory.join(entry)));
        }
        found = next;
    }
    let mut there = Vec::new();
    for path in found {
        if host.lstat(&path)?.is_some() {
            there.push(path);
        }
    }
    Ok(there)
}

/// Whether a relative path, or a directory that it is in, is one that the pattern stands for.
///
/// As in [`expand`], `*` and `?` leave out names that begin with a dot.
pub fn covers(pattern: &Path, path: &Path) -> bool {
    let mut names = path.components();
    pattern
        .components()
        .all(|part| names.next().is_some_and(|name| matches(part.as_os_str(), name.as_os_str())))
}

/// Whether a file's name is one that the pattern stands for.
fn matches(pattern: &OsStr, name: &OsStr) -> bool {
    // A name that is no text can't be written in a playbook.
    let (Some(pattern), Some(name)) = (pattern.to_str(), name.to_str()) else { return false };
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    matches_letters(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

/// A star takes as little as it can, and more when what follows does not fit: only the last star ever has to give way, so
/// that this takes no longer than the product of both lengths.
fn matches_letters(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut star = None;
    while position < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
                continue;
            }
            Some(_) => one(&pattern[at..], name[position]),
            None => None,
        };
        match (step, star) {
            (Some(length), _) => (at, position) = (at + length, position + 1),
            (None, Some((star_at, taken))) => {
                star = Some((star_at, taken + 1));
                (at, position) = (star_at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// How much of the pattern stands for this letter. Absent when it does not.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => match bracket(pattern) {
            Some((length, has)) => has(letter).then_some(length),
            // A bracket that nothing closes is a letter.
            None => (letter == '[').then_some(1),
        },
        plain => (*plain == letter).then_some(1),
    }
}

/// The length of `[…]` and which letters it stands for. Absent when nothing closes it.
fn bracket(pattern: &[char]) -> Option<(usize, impl Fn(char) -> bool)> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let first = if negated { 2 } else { 1 };
    // A bracket that comes first is one of the letters.
    let close = pattern.iter().skip(first + 1).position(|letter| *letter == ']')? + first + 1;
    let letters = pattern[first..close].to_vec();
    let has = move |letter: char| {
        let mut rest = letters.as_slice();
        let mut found = false;
        while let [low, tail @ ..] = rest {
            rest = match tail {
                ['-', high, after @ ..] => {
                    found |= (*low..=*high).contains(&letter);
                    after
                }
                _ => {
                    found |= *low == letter;
                    tail
                }
            };
        }
        found != negated
    };
    Some((close + 1, has))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use refrain_engine::system::RootKind;
    use refrain_engine::system::native::Native;

    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_to_a_shell() {
        let names = ["a", "b", "ab", "a.b", "-", "a]", "[", "x1y2z3", "aXbXc", "aaa"];
        let patterns = [
            "*", "?", "??", "a*", "*b", "a*b", "[ab]", "[!a]", "[a-c]*", "[]a]", "*[0-9]", "x?y?z?", "a*X*c",
            "[", "a[]]", "[-a]", "***", "a*a*a*a", "*.b", "[z-a]",
        ];
        for pattern in patterns {
            for name in names {
                let script = format!("case \"$1\" in {pattern}) exit 0;; esac; exit 1");
                let status = Command::new("/bin/sh").args(["-c", &script, "sh", name]).status().unwrap();
                let matched = matches(OsStr::new(pattern), OsStr::new(name));
                assert_eq!(matched, status.success(), "`{pattern}` and `{name}`");
            }
        }
    }

    #[test]
    fn a_long_pattern_takes_no_time() {
        let pattern = "*a".repeat(200);
        assert!(!matches(OsStr::new(&pattern), OsStr::new(&"a".repeat(199))));
    }

    #[test]
    fn paths_are_expanded_directory_by_directory() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["v1/bin", "v2/bin", "v2/lib", ".hidden/bin"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let host = Native::new(RootKind::Live);
        let expand = |pattern: &str| {
            let paths = expand(&host, &root.join(pattern)).unwrap();
            paths
                .iter()
                .map(|path| path.strip_prefix(root).unwrap().display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(expand("v*/bin"), ["v1/bin", "v2/bin"]);
        assert_eq!(expand("*/lib"), ["v2/lib"]);
        assert_eq!(expand("v1/bin"), ["v1/bin"]);
        assert_eq!(expand("v3/bin"), [""; 0]);
        assert_eq!(expand(".*/bin"), [".hidden/bin"]);
    }
}
