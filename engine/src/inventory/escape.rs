//! Backslashes and what follows them, where Python's rules for texts hold.

/// The character that an escape stands for, and what is behind it; `rest` starts behind the backslash. `None` if it is none:
/// one that is cut short, or any other letter.
pub(super) fn escape(rest: &str) -> Option<(char, &str)> {
    let letter = rest.chars().next()?;
    let behind = &rest[letter.len_utf8()..];
    let code = |digits: usize| {
        let hexadecimal =
            behind.get(..digits).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(hexadecimal, 16).ok()?;
        Some((char::from_u32(code)?, &behind[digits..]))
    };
    let c = match letter {
        '\\' | '\'' | '"' => letter,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        'x' => return code(2),
        'u' => return code(4),
        'U' => return code(8),
        _ => return None,
    };
    Some((c, behind))
}
