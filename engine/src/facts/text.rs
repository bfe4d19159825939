//! Small readers of the kernel's and the distribution's text files.

use super::source::FactSource;

/// A file of the target root as text.
pub(super) fn file(source: &dyn FactSource, path: &str) -> Option<String> {
    source.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A file of the kernel as text.
pub(super) fn kernel(source: &dyn FactSource, path: &str) -> Option<String> {
    source.kernel_read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A file of the kernel that holds one word or line; empty ones are absent.
pub(super) fn kernel_word(source: &dyn FactSource, path: &str) -> Option<String> {
    let text = kernel(source, path)?;
    Some(trimmed(&text)).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// A file of the first process that holds one word or line, where that process belongs to the root's system.
pub(super) fn first_process_word(source: &dyn FactSource, name: &str) -> Option<String> {
    source.owns_first_process().then(|| kernel_word(source, &format!("/proc/1/{name}"))).flatten()
}

/// The value of `key: value` in a line-by-line file such as `/proc/meminfo`.
pub(super) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// The assignments of an os-release(5) file, which is a subset of shell: unquoted, or in single or double quotes.
pub(super) fn assignments(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim();
            let (name, value) = line.split_once('=')?;
            (!name.starts_with('#')).then(|| (name.trim().to_owned(), unquoted(value.trim())))
        })
        .collect()
}

fn unquoted(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'') {
        return inner.split('\'').next().unwrap_or_default().to_owned();
    }
    let quoted = value.strip_prefix('"');
    let mut text = String::new();
    let mut letters = quoted.unwrap_or(value).chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted.is_some() => break,
            '\\' => text.extend(letters.next()),
            _ => text.push(letter),
        }
    }
    text
}

/// Undoes the octal escapes (`\040`) of mount tables.
pub(super) fn unescaped(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let octal = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\\0-9a-z"'=: \nÄ#]{0,80}"#) {
            let _ = (assignments(&text), unescaped(&text), value(&text, "a"));
        }
    }

    #[test]
    fn assignments_lose_their_quotes() {
        let text =
            "ID=void\nNAME=\"A \\\"B\\\" \\$C\" # rest\n# X=1\nEMPTY=\nSINGLE='a\\b'\nbroken\nOPEN=\"x";
        let pairs = assignments(text);
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [("ID", "void"), ("NAME", "A \"B\" $C"), ("EMPTY", ""), ("SINGLE", "a\\b"), ("OPEN", "x")]
        );
    }

    #[test]
    fn mount_points_may_hold_spaces() {
        assert_eq!(unescaped(r"/mnt/a\040b\134c\9"), r"/mnt/a b\c\9");
        assert_eq!(unescaped(r"\04"), r"\04");
        assert_eq!(unescaped(r"\777"), r"\777");
    }

    #[test]
    fn values_are_found_by_their_key() {
        assert_eq!(value("MemTotal:   12 kB\nMemFree: 3 kB\n", "MemFree"), Some("3 kB"));
        assert_eq!(value("MemTotal:   12 kB\n", "Mem"), None);
    }
}
