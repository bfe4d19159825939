//! The keys that repositories are signed with.
//!
//! Fingerprints are the real ones. Signatures are not: here one says by which key it was made, and of which content.

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use refrain_engine::base64;

use super::disk::{hexadecimal, sha256};
use super::plist::{self, Dictionary, Value};

/// The public key of a repository, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The public key as PEM.
    pub pem: Vec<u8>,
    /// Its size in bits.
    pub size: u64,
    /// Who signs with it.
    pub owner: String,
}

impl Key {
    /// A key from the property list that xbps keeps it in.
    pub fn from_dictionary(dictionary: &Dictionary) -> Option<Self> {
        let Some(Value::Data(pem)) = dictionary.get("public-key") else { return None };
        let Some(Value::Number(size)) = dictionary.get("public-key-size") else { return None };
        let owner = dictionary.get("signature-by")?.text()?;
        Some(Self { pem: pem.clone(), size: *size, owner: owner.to_owned() })
    }

    /// A key from its PEM.
    pub fn from_pem(pem: &[u8], owner: &str) -> Option<Self> {
        let (modulus, _) = modulus_and_exponent(pem)?;
        Some(Self { pem: pem.to_owned(), size: modulus.len() as u64 * 8, owner: owner.to_owned() })
    }

    /// The property list that xbps keeps it in.
    pub fn to_dictionary(&self) -> Dictionary {
        Dictionary::from([
            ("public-key".to_owned(), Value::Data(self.pem.clone())),
            ("public-key-size".to_owned(), Value::Number(self.size)),
            ("signature-by".to_owned(), Value::from(self.owner.as_str())),
        ])
    }

    /// The text of that.
    pub fn to_plist(&self) -> String {
        plist::write(&self.to_dictionary())
    }

    /// Its fingerprint, as ssh shows it: MD5 with colons. `None` if it is no RSA key.
    pub fn fingerprint(&self) -> Option<String> {
        let (modulus, exponent) = modulus_and_exponent(&self.pem)?;
        let mut hash = Md5::new();
        for part in [b"ssh-rsa".as_slice(), &exponent, &modulus] {
            // A leading bit would make the number negative.
            let sign: &[u8] = if part.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
            hash.update(u32::try_from(part.len() + sign.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(sign);
            hash.update(part);
        }
        let digits = hexadecimal(&hash.finalize());
        let pairs: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
        Some(pairs.join(":"))
    }

    /// Where it is kept when it is trusted, below the directory `meta` of the package database.
    pub fn place(&self, meta: &Path) -> Option<PathBuf> {
        Some(meta.join("keys").join(format!("{}.plist", self.fingerprint()?)))
    }

    /// The signature of some content: as large as a real one.
    pub fn sign(&self, content: &[u8]) -> Vec<u8> {
        let signature = format!("{}\n{}\n", self.fingerprint().unwrap_or_default(), sha256(content));
        format!("{signature:256}").into_bytes()
    }
}

/// The numbers of an RSA key: `SEQUENCE { SEQUENCE { … }, BIT STRING { SEQUENCE { INTEGER, INTEGER } } }`.
fn modulus_and_exponent(pem: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = std::str::from_utf8(pem).ok()?;
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::decode(&body)?;
    let (_, outer, _) = element(&der)?;
    let (_, _, rest) = element(outer)?;
    let (tag, bits, _) = element(rest)?;
    let bits = (tag == 0x03).then_some(bits)?.strip_prefix(&[0])?;
    let (_, numbers, _) = element(bits)?;
    let (_, modulus, rest) = element(numbers)?;
    let (_, exponent, _) = element(rest)?;
    let positive = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_owned();
    Some((positive(modulus), positive(exponent)))
}

/// The tag and content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let long = if first & 0x80 != 0 { usize::from(first & 0x7f) } else { 0 };
    let (digits, rest) = rest.split_at_checked(long)?;
    let length = match long {
        0 => usize::from(first),
        1..=4 => digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The key of the Void Linux repositories.
pub fn void() -> Key {
    let kept = plist::parse(include_str!("void-key.plist"));
    // A test reads it.
    kept.as_ref().and_then(Key::from_dictionary).expect("the key that is built in is whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_that_of_the_real_key() {
        assert_eq!(void().fingerprint().as_deref(), Some("60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d"));
        assert_eq!(Key::from_pem(&void().pem, "Void Linux"), Some(void()));
        assert_eq!(void().to_plist(), include_str!("void-key.plist"));
    }

    #[test]
    fn a_key_that_is_broken_has_no_fingerprint() {
        for end in 0..void().pem.len() - 60 {
            let key = Key { pem: void().pem[..end].to_owned(), ..void() };
            assert_eq!(key.fingerprint(), None, "{end}");
        }
    }

    #[test]
    fn a_signature_depends_on_key_and_content() {
        let signature = void().sign(b"content");
        assert_eq!(signature.len(), 256);
        assert_eq!(signature, void().sign(b"content"));
        assert_ne!(signature, void().sign(b"other content"));
    }
}
