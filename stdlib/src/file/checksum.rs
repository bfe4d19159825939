//! Checksums as people publish them, as arguments.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use sha2::{Digest, Sha256, Sha512};

use crate::argument_schema::argument_schema;

/// How a checksum is made of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha512,
}

/// `sha256:` or `sha512:` and the checksum in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    /// In lower case.
    digits: String,
}

/// Why a text is no checksum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// It does not say of which kind it is.
    #[error("a checksum begins with its kind: `sha256:` or `sha512:`")]
    Bare,
    /// Somebody who means harm can make another content of the same checksum.
    #[error("a checksum of the kind `{0}` can be forged; take `sha256` or `sha512`")]
    Weak(String),
    /// It is of no known kind.
    #[error("there is no kind of checksum `{0}`; take `sha256` or `sha512`")]
    Kind(String),
    /// Its digits are too few, too many or none.
    #[error("a checksum of the kind `{kind}` has {expected} hexadecimal digits, got `{got}`")]
    Digits {
        /// Which kind.
        kind: &'static str,
        /// How many digits it has.
        expected: usize,
        /// What is there instead.
        got: String,
    },
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits its checksums have.
    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    fn of(self, content: &[u8]) -> Checksum {
        let bytes = match self {
            Self::Sha256 => Sha256::digest(content).to_vec(),
            Self::Sha512 => Sha512::digest(content).to_vec(),
        };
        let mut digits = String::with_capacity(self.digits());
        for byte in bytes {
            // Writing to a text can't fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Checksum { algorithm: self, digits }
    }
}

/// The SHA256 of a content, in hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    Algorithm::Sha256.of(content).digits
}

impl Checksum {
    /// Whether it is that of this content.
    pub fn is_of(&self, content: &[u8]) -> bool {
        self.alike(content) == *self
    }

    /// The checksum of a content, of the same kind.
    pub fn alike(&self, content: &[u8]) -> Self {
        self.algorithm.of(content)
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let (kind, digits) = text.trim().split_once(':').ok_or(ChecksumError::Bare)?;
        let algorithm = match kind.to_ascii_lowercase().as_str() {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            weak @ ("md5" | "sha1") => return Err(ChecksumError::Weak(weak.to_owned())),
            _ => return Err(ChecksumError::Kind(kind.to_owned())),
        };
        let expected = algorithm.digits();
        let digits = digits.trim().to_ascii_lowercase();
        if digits.len() != expected || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ChecksumError::Digits { kind: algorithm.name(), expected, got: digits });
        }
        Ok(Self { algorithm, digits })
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.digits)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

argument_schema!(Checksum, { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn checksums_are_those_of_everybody() {
        let checksum: Checksum = EMPTY.to_uppercase().parse().unwrap();
        assert!(checksum.is_of(b"") && !checksum.is_of(b"x"));
        assert_eq!(checksum.to_string(), EMPTY);
        let long = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert!(long.parse::<Checksum>().unwrap().is_of(b"abc"));
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, error) in [
            (&EMPTY["sha256:".len()..], "a checksum begins with its kind: `sha256:` or `sha512:`"),
            (
                "md5:d41d8cd98f00b204e9800998ecf8427e",
                "a checksum of the kind `md5` can be forged; take `sha256` or `sha512`",
            ),
            ("crc32:00000000", "there is no kind of checksum `crc32`; take `sha256` or `sha512`"),
            ("sha256:abc", "a checksum of the kind `sha256` has 64 hexadecimal digits, got `abc`"),
        ] {
            assert_eq!(text.parse::<Checksum>().unwrap_err().to_string(), error);
        }
        assert!(format!("sha256:{}", "g".repeat(64)).parse::<Checksum>().is_err());
    }
}
