//! The difference between two texts, for people.

use std::path::Path;

use similar::TextDiff;

/// Above this size a difference is told, not shown: nobody reads it, and it would fill logs and records.
const LARGEST: usize = 512 * 1024;

/// The difference in unified format with three lines of context, without a header (the step names the file).
pub fn unified(path: &Path, before: &[u8], after: &[u8]) -> String {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(before), std::str::from_utf8(after)) else {
        return format!("binary content of {}: {} -> {} bytes\n", path.display(), before.len(), after.len());
    };
    if old.len().max(new.len()) > LARGEST || old.contains('\0') || new.contains('\0') {
        return format!("{}: {} -> {} bytes\n", path.display(), old.len(), new.len());
    }
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).missing_newline_hint(true).to_string()
}

/// What can be said of a difference that must not be seen.
pub fn hidden(before: &[u8], after: &[u8]) -> String {
    format!("(content not shown: {} -> {} bytes)\n", before.len(), after.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_its_context() {
        let diff = unified(Path::new("/etc/x"), b"a\nb\nc\n", b"a\nB\nc\n");
        assert_eq!(diff, "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
        assert_eq!(unified(Path::new("/etc/x"), b"a\xff", b"b"), "binary content of /etc/x: 2 -> 1 bytes\n");
        assert!(!hidden(b"old secret", b"new secret").contains("secret"));
    }
}
