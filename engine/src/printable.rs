//! Texts from elsewhere as they can be shown: nothing in them moves a cursor, changes a colour or turns the direction around.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal does something else with a character than show it. That it begins a new line counts.
pub fn acts(letter: char) -> bool {
    match letter {
        '\t' => false,
        // Ends of lines that only some programs know, and what has later letters written from right to left.
        '\u{2028}' | '\u{2029}' | '\u{061c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // No characters at all, and not allowed in XML.
        '\u{fffe}' | '\u{ffff}' => true,
        letter => letter.is_control(),
    }
}

/// The text on one line. What would act is spelled as `less` does it: `^[`, `<U+009B>`.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        // Writing to a text can't fail.
        let _ = match letter {
            letter if !acts(letter) => shown.write_char(letter),
            '\u{7f}' => shown.write_str("^?"),
            '\0'..='\u{1f}' => write!(shown, "^{}", char::from(letter as u8 + b'@')),
            letter => write!(shown, "<U+{:04X}>", u32::from(letter)),
        };
    }
    Cow::Owned(shown)
}

/// The text with its lines kept, and whatever else would act spelled as in [`line`].
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The beginning of a text on one line: at most `most` characters.
pub fn brief(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let beginning: String = letters.by_ref().take(most).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("{}{more}", line(&beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_spelled() {
        assert!(matches!(line("plain\ttext, größer"), Cow::Borrowed(_)));
        assert_eq!(line("\u{1b}[31mred\r\nnext"), "^[[31mred^M^Jnext");
        assert_eq!(line("\0\u{7f}\u{9b}2J\u{202e}"), "^@^?<U+009B>2J<U+202E>");
    }

    #[test]
    fn the_lines_of_a_text_are_kept() {
        assert_eq!(lines("one\r\n\u{1b}[2J\n\u{ffff}"), "one^M\n^[[2J\n<U+FFFF>");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(brief("short", 5), "short");
        assert_eq!(brief("lo\u{7}ng text", 5), "lo^Gng…");
    }
}
