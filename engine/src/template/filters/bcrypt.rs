//! bcrypt: the password hash of web servers.

use std::fmt::Write as _;

use blowfish::Blowfish;

/// The digits of its numbers in base 64.
const DIGITS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How many digits a salt has: 16 bytes, and four bits of the last digit that say nothing.
pub(super) const SALT: usize = 22;

/// Of a password, with 2 to the power of `rounds` of them, 4 to 31. `None` if the salt is none.
pub(super) fn hash(password: &str, salt: &str, rounds: u32, ident: &str) -> Option<String> {
    let salt: [u8; 16] = bytes(salt)?.try_into().ok()?;
    // More of it does not count, and a byte of zeros ends it.
    let mut key = password.as_bytes().to_vec();
    key.push(0);
    key.truncate(72);
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(&salt, &key);
    for _ in 0..1u64 << rounds {
        state.bc_expand_key(&key);
        state.bc_expand_key(&salt);
    }
    let mut hash = Vec::with_capacity(24);
    for pair in b"OrpheanBeholderScryDoubt".chunks(8) {
        let half =
            |at: usize| pair[at..at + 4].iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        let mut words = [half(0), half(4)];
        for _ in 0..64 {
            words = state.bc_encrypt(words);
        }
        hash.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    }
    let mut text = format!("${ident}${rounds:02}$");
    // Writing to a string can't fail.
    _ = write!(text, "{}{}", digits(&salt), digits(&hash[..23]));
    Some(text)
}

/// The bytes of 22 digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let value =
        |digit: u8| DIGITS.iter().position(|known| *known == digit).and_then(|at| u32::try_from(at).ok());
    let values =
        text.bytes().map(value).collect::<Option<Vec<u32>>>().filter(|values| values.len() == SALT)?;
    let mut bytes = Vec::with_capacity(18);
    for four in values.chunks(4) {
        let number = (0..4).fold(0, |number, at| (number << 6) | four.get(at).copied().unwrap_or(0));
        bytes.extend_from_slice(&number.to_be_bytes()[1..]);
    }
    bytes.truncate(16);
    Some(bytes)
}

/// Bytes as digits, without the ones that would say nothing.
fn digits(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3)
            .fold(0usize, |number, at| (number << 8) | three.get(at).map_or(0, |byte| usize::from(*byte)));
        let shown = (0..=three.len()).map(|at| DIGITS[(number >> (18 - 6 * at)) & 0x3f]);
        text.extend(shown.map(char::from));
    }
    text
}
