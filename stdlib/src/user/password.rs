//! Passwords of users: only ever as hashes.

use std::fmt;

use refrain_engine::failure::Failure;
use refrain_engine::module::Text;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::argument_schema::argument_schema;

/// The lengths of what ends a hash, by its kind, as crypt(5) has them.
const DIGESTS: [(&str, usize); 9] =
    [("1", 22), ("5", 43), ("6", 86), ("2a", 53), ("2b", 53), ("2y", 53), ("7", 43), ("y", 43), ("gy", 43)];

/// A password's hash as `/etc/shadow` has it, `*` for none at all, or either behind `!`. Shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    fn new(text: String) -> Result<Self, &'static str> {
        let hash = Field::of(&text).hash;
        match hash {
            "" if text.is_empty() => Err("an empty password would let anybody in"),
            "" | "*" => Ok(Self(text)),
            hash => check(hash).map(|()| Self(text)),
        }
    }
}

/// Whether this is a hash, whole and of a known form.
fn check(hash: &str) -> Result<(), &'static str> {
    let plain = "it is not a hash: make one with `mkpasswd`, and keep it in a vault";
    let mut parts = hash.strip_prefix('$').ok_or(plain)?.split('$');
    let kind = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let digest = rest.last().filter(|_| rest.len() > 1).ok_or(plain)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "./$=,+_-".contains(letter);
    if kind.is_empty() || !hash.chars().all(fits) {
        return Err(plain);
    }
    match DIGESTS.iter().find(|(known, _)| *known == kind) {
        Some((_, length)) if digest.len() != *length => {
            Err("it is not a whole hash: something is cut off or added")
        }
        _ => Ok(()),
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl<'de> Deserialize<'de> for PasswordHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Errors must not quote what was given: it may be a password.
        let Value::String(text) = Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("a hash is a string"));
        };
        let content = Text::new(text).content;
        let text =
            content.known().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()).unwrap_or_default();
        Self::new(text).map_err(D::Error::custom)
    }
}

argument_schema!(PasswordHash, { "type": "string", "x-secret": true });

/// What the password field of an account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field<'a> {
    /// Behind `!`, no password fits.
    locked: bool,
    /// Empty where there never was one.
    hash: &'a str,
}

impl<'a> Field<'a> {
    fn of(text: &'a str) -> Self {
        let hash = text.trim_start_matches('!');
        Self { locked: hash.len() < text.len(), hash }
    }
}

/// What the password field shall hold.
///
/// A new hash does not unlock an account that was locked; only where there never was a password, `!` was no lock.
///
/// # Errors
/// An account without password can't be unlocked: anybody could get in.
pub fn field(current: &str, given: Option<&PasswordHash>, lock: Option<bool>) -> Result<String, Failure> {
    let before = Field::of(current);
    let mut after = match given.map(|given| Field::of(&given.0)) {
        Some(given) => {
            let stays_locked = before.locked && !before.hash.is_empty();
            Field { locked: given.locked || stays_locked, hash: given.hash }
        }
        None => before,
    };
    after.locked = lock.unwrap_or(after.locked);
    if lock == Some(false) && after.hash.is_empty() {
        return Err(Failure::argument(
            "lock",
            "an account without a password can't be unlocked: anybody could get in",
        )
        .advise("give it a `password`, or leave `lock` out"));
    }
    // `!!` and `!` say the same.
    Ok(match after {
        after if after == before => current.to_owned(),
        Field { locked: true, hash } => format!("!{hash}"),
        Field { locked: false, hash } => hash.to_owned(),
    })
}

/// What a change of the password field does, for people.
pub fn words(before: &str, after: &str) -> Vec<&'static str> {
    let (before, after) = (Field::of(before), Field::of(after));
    let mut words = Vec::new();
    if before.hash != after.hash {
        words.push("password");
    }
    match (before.locked, after.locked) {
        (false, true) => words.push("locked"),
        (true, false) if !before.hash.is_empty() => words.push("unlocked"),
        _ => {}
    }
    words
}

/// Whether the hash itself is another one, not only its lock.
pub fn is_new(before: &str, after: &str) -> bool {
    Field::of(before).hash != Field::of(after).hash
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "$5$saltsalt$tYCmAcqS7QfOLFbpVtDBSuzxSgJl2SpUKJkLsSVLNo9";

    #[test]
    fn only_hashes_are_taken() {
        let sha512 = format!("$6$rounds=5000$salt${}", "a".repeat(86));
        let yescrypt = format!("$y$j9T$salt.salt${}", "b".repeat(43));
        let bcrypt = format!("$2b$12${}", "c".repeat(53));
        let argon = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA".to_owned();
        let good =
            [HASH.to_owned(), sha512, yescrypt, bcrypt, argon, "*".into(), "!".into(), format!("!{HASH}")];
        for text in good {
            assert!(serde_json::from_value::<PasswordHash>(json!(text)).is_ok(), "{text}");
        }
        for value in [
            json!("hunter2-plain"),
            json!(""),
            json!("$hunter2"),
            json!("$6$hunter2"),
            json!("$6$salt$hunter2"),
            json!(format!("{HASH}hunter2")),
            json!("$x$hunter2$a:b"),
            json!("$x$hunter2$a\nb"),
            json!("!hunter2"),
            json!(424_242),
        ] {
            let error = serde_json::from_value::<PasswordHash>(value.clone()).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && !error.contains("424242"), "{error}");
        }
        let hash: PasswordHash = serde_json::from_value(json!(HASH)).unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash");
    }

    #[test]
    fn locks_and_hashes_are_two_things() {
        let hash = |text: &str| Some(PasswordHash(text.to_owned()));
        let case = |current: &str, given: Option<PasswordHash>, lock: Option<bool>, expected: &str| {
            let field = field(current, given.as_ref(), lock);
            assert_eq!(field.ok().as_deref(), Some(expected), "{current}, {lock:?}");
        };
        case("!", hash("$a"), None, "$a");
        case("!$a", hash("$a"), None, "!$a");
        case("!$a", hash("$b"), None, "!$b");
        case("!$a", hash("$b"), Some(false), "$b");
        case("$a", hash("!$b"), None, "!$b");
        case("$a", None, Some(true), "!$a");
        case("!$a", None, Some(false), "$a");
        case("$a", None, None, "$a");
        case("!!", None, Some(true), "!!");
        case("*", None, Some(true), "!*");
        case("!*", None, Some(false), "*");
        case("$a", hash("*"), None, "*");
        case("", None, None, "");
        assert!(field("!", None, Some(false)).is_err());
    }

    #[test]
    fn a_change_is_told_without_the_hash() {
        assert_eq!(words("!", HASH), ["password"]);
        assert_eq!(words(HASH, &format!("!{HASH}")), ["locked"]);
        assert_eq!(words(&format!("!{HASH}"), HASH), ["unlocked"]);
        assert_eq!(words("$a", "!$b"), ["password", "locked"]);
        assert!(is_new("$a", "$b") && !is_new("$a", "!$a"));
    }
}
