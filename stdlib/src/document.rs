//! The text of a file, apart from how it is kept in bytes.
//!
//! What edits a text should not have to think of carriage returns, byte order marks and old encodings; and what it does not
//! touch must come out byte for byte as it went in.

use std::borrow::Cow;

/// Stand-ins for bytes that are not UTF-8: this character is 0x80, the next 0x81, and so on. Where a text has such
/// characters of its own, their bytes are stood in for, too.
const STAND_INS: u32 = 0x0010_FE80;

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A text, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The text. Without a byte order mark; bytes that are not UTF-8 are private-use characters.
    pub text: String,
    form: Form,
}

/// How a text is kept in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Form {
    byte_order_mark: bool,
    /// Every line ends in a carriage return and a newline. Not set when line endings are mixed.
    carriage_returns: bool,
    stand_ins: bool,
}

/// What becomes of carriage returns in front of newlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEndings {
    /// If all lines have them, they are taken off, and put on again when the text is written.
    Unified,
    /// They are part of the text.
    Verbatim,
}

impl Document {
    /// The text of `bytes`.
    pub fn decode(bytes: &[u8], endings: LineEndings) -> Self {
        let mut form = Form::default();
        let mut text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                form.stand_ins = true;
                with_stand_ins(bytes)
            }
        };
        if text.starts_with(BYTE_ORDER_MARK) {
            form.byte_order_mark = true;
            text.remove(0);
        }
        if endings == LineEndings::Unified && ends_in_carriage_returns(&text) {
            form.carriage_returns = true;
            text = text.replace("\r\n", "\n");
        }
        Self { text, form }
    }

    /// The bytes of another text in the form of this one.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let mut text = Cow::Borrowed(text);
        if self.form.carriage_returns {
            text = Cow::Owned(text.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
        let mut bytes = Vec::with_capacity(text.len() + 3);
        if self.form.byte_order_mark {
            bytes.extend_from_slice(BYTE_ORDER_MARK.encode_utf8(&mut [0; 3]).as_bytes());
        }
        if self.form.stand_ins {
            without_stand_ins(&text, &mut bytes);
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

fn with_stand_ins(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match stood_in_for(letter) {
                Some(_) => text.extend(letter.encode_utf8(&mut [0; 4]).bytes().filter_map(stand_in)),
                None => text.push(letter),
            }
        }
        text.extend(chunk.invalid().iter().copied().filter_map(stand_in));
    }
    text
}

/// The character for a byte. Bytes below 0x80 never need one: they are always valid.
fn stand_in(byte: u8) -> Option<char> {
    char::from_u32(STAND_INS + u32::from(byte.checked_sub(0x80)?))
}

/// The byte for which a character stands.
fn stood_in_for(letter: char) -> Option<u8> {
    let offset = u32::from(letter).checked_sub(STAND_INS)?;
    u8::try_from(offset).ok()?.checked_add(0x80)
}

fn without_stand_ins(text: &str, bytes: &mut Vec<u8>) {
    for letter in text.chars() {
        match stood_in_for(letter) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn ends_in_carriage_returns(text: &str) -> bool {
    let mut newlines = text.match_indices('\n').peekable();
    // A second carriage return would be taken for part of the line's end when the text is written.
    let ending = |at: usize| text[..at].ends_with('\r') && !text[..at].ends_with("\r\r");
    newlines.peek().is_some() && newlines.all(|(at, _)| ending(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unified(bytes: &[u8]) -> Document {
        Document::decode(bytes, LineEndings::Unified)
    }

    #[test]
    fn the_text_is_free_of_how_it_is_kept() {
        assert_eq!(unified(b"a\r\nb\r\n").text, "a\nb\n");
        assert_eq!(unified(b"a\r\nb\n").text, "a\r\nb\n", "mixed line endings are left alone");
        assert_eq!(unified(b"a\r\r\n").text, "a\r\r\n", "so are strange ones");
        assert_eq!(unified("\u{FEFF}a".as_bytes()).text, "a");
        assert_eq!(Document::decode(b"a\r\n", LineEndings::Verbatim).text, "a\r\n");
    }

    #[test]
    fn what_is_added_gets_the_form_of_the_file() {
        assert_eq!(unified(b"a\r\n").encode("a\nb\r\nc\n"), b"a\r\nb\r\nc\r\n");
        assert_eq!(unified(b"caf\xe9\n").encode("é\n"), "é\n".as_bytes());
        assert_eq!(unified("\u{FEFF}".as_bytes()).encode("a"), "\u{FEFF}a".as_bytes());
    }

    proptest! {
        #[test]
        fn untouched_text_comes_out_as_it_went_in(
            pieces in proptest::collection::vec(
                prop_oneof![
                    any::<u8>().prop_map(|byte| vec![byte]),
                    Just(b"\r\n".to_vec()),
                    Just("\u{FEFF}".into()),
                    Just("\u{10FE90}".into()),
                ],
                0..20,
            ),
        ) {
            let bytes = pieces.concat();
            for endings in [LineEndings::Unified, LineEndings::Verbatim] {
                let document = Document::decode(&bytes, endings);
                prop_assert_eq!(&document.encode(&document.text), &bytes);
            }
        }
    }
}
