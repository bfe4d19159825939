//! Public keys, as `ssh-keygen` writes them into `.pub` files.

use std::fmt;

use refrain_engine::base64;

/// A public key: its type, and the key itself in base64. Two are the same key if the latter mean the same bytes.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// As `ssh-ed25519`.
    pub kind: String,
    /// In base64.
    blob: String,
    bytes: Vec<u8>,
}

/// Why two words are no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The second word is not a key in base64 of the type that the first word names.
    #[error("is no public key")]
    NoKey,
    /// The key breaks off, or something follows its end.
    #[error("is a damaged public key: was all of it copied?")]
    Damaged,
}

impl PublicKey {
    /// The key of two words of a file. A certificate is one, too.
    ///
    /// # Errors
    /// They are none.
    pub fn parse(kind: &str, blob: &str) -> Result<Self, KeyError> {
        let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        if kind.is_empty() || !blob.bytes().all(digit) {
            return Err(KeyError::NoKey);
        }
        let is_of_kind = |bytes: &[u8]| split_string(bytes).is_some_and(|(name, _)| name == kind.as_bytes());
        match base64::decode(blob) {
            Some(bytes) if is_of_kind(&bytes) => {
                Ok(Self { kind: kind.to_owned(), blob: blob.to_owned(), bytes })
            }
            // Its end is missing; the rest tells whether it was a key.
            None if base64::decode(&blob[..blob.len() / 4 * 4]).is_some_and(|bytes| is_of_kind(&bytes)) => {
                Err(KeyError::Damaged)
            }
            _ => Err(KeyError::NoKey),
        }
    }

    /// The key itself, if it is a whole one of the types that are made of byte strings only: all but certificates.
    ///
    /// # Errors
    /// It is damaged, or a certificate.
    pub fn whole(self) -> Result<Self, KeyError> {
        let mut rest = self.bytes.as_slice();
        let mut parts = 0;
        while !rest.is_empty() {
            (_, rest) = split_string(rest).ok_or(KeyError::Damaged)?;
            parts += 1;
        }
        if parts < 2 { Err(KeyError::Damaged) } else { Ok(self) }
    }
}

/// A string of SSH's binary format and what follows it: four bytes of length, then the string.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.blob)
    }
}

#[cfg(test)]
pub mod testing {
    //! Keys that are made up.

    use super::*;

    /// The two words of a key of this type whose secret is this text.
    pub fn key(kind: &str, secret: &str) -> String {
        let mut bytes = Vec::new();
        for part in [kind, secret] {
            bytes.extend(u32::try_from(part.len()).expect("a short text").to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        format!("{kind} {}", base64::encode(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ssh-keygen -t ed25519` has made.
    const REAL: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_key_is_of_its_type() {
        let parse = |kind, blob| PublicKey::parse(kind, blob).and_then(PublicKey::whole).map(drop);
        assert_eq!(parse("ssh-ed25519", REAL), Ok(()));
        assert_eq!(parse("ssh-rsa", REAL), Err(KeyError::NoKey));
        assert_eq!(parse("ssh-ed25519", "hello"), Err(KeyError::NoKey));
        assert_eq!(parse("ssh-ed25519", "AAAA-C3N"), Err(KeyError::NoKey));
        assert_eq!(parse("ssh-ed25519", &REAL[..40]), Err(KeyError::Damaged));
        assert_eq!(parse("ssh-ed25519", &REAL[..41]), Err(KeyError::Damaged));
        assert_eq!(parse("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5"), Err(KeyError::Damaged));
    }
}
