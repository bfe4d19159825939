//! Fingerprints of the keys of repositories.

use std::fmt;

use md5::{Digest, Md5};
use refrain_engine::base64;

use crate::argument_schema::text_argument;

/// The MD5 sum of an RSA key in the form that ssh gives it. It is how xbps names keys; a key is trusted because its whole
/// content is put in place, not because of this sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint in this text: 16 bytes between colons.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes: Option<Vec<u8>> = text
            .split(':')
            .map(|byte| (byte.len() == 2).then(|| u8::from_str_radix(byte, 16).ok())?)
            .collect();
        let bytes = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| {
            format!("`{text}` is no fingerprint: that is 16 bytes in hexadecimal digits, between colons")
        })
    }

    /// That of a public key, `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// It is no RSA key.
    pub fn of_pem(text: &str) -> Result<Self, String> {
        let inside = text.split("-----").nth(2).filter(|_| text.contains("-----BEGIN PUBLIC KEY-----"));
        let der = inside.and_then(base64::decode).ok_or("its key is no public key in PEM form")?;
        let (modulus, exponent) = rsa(&der).ok_or("its key is no RSA key")?;
        let mut sum = Md5::new();
        for part in [&b"ssh-rsa"[..], exponent, modulus] {
            // A number here is never longer than the key itself.
            sum.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            sum.update(part);
        }
        Ok(Self(sum.finalize().into()))
    }
}

/// Modulus and exponent of an RSA key, as DER has them: with a zero before a first byte of 128 and more, as ssh wants them.
fn rsa(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const BITS: u8 = 0x03;
    const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (key, _) = element(der, SEQUENCE)?;
    let (algorithm, rest) = element(key, SEQUENCE)?;
    let (bits, _) = element(rest, BITS).filter(|_| algorithm.starts_with(RSA))?;
    let (numbers, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, rest) = element(numbers, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some((modulus, exponent))
}

/// The content of the DER element with this tag that `bytes` begin with, and what follows.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first().filter(|_| *found == tag)?;
    let count = usize::from(*first & 0x7f);
    let (length, rest) = match first {
        0..=0x7f => (count, rest),
        _ if count <= 3 => {
            let (digits, rest) = rest.split_at_checked(count)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

text_argument!(Fingerprint, Fingerprint::parse);

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of 2048 bits, of which xbps says this fingerprint.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1pSAwBVDvtL5nuwiAGar\n\
        lFGxFX1cB1C3beNiobpucf130u5BzNDYrT4zCbRk+4mPsAKwCz2vFeyLjSjXS++L\n\
        NeP4ONvHHIeMZ2m1+0Ow4eHjamz9KXu6AM5N+wjKFRbph2dKuwxYbIxfS1MaN9P8\n\
        t+gXj68zvgmWl0h6iqkCWQEujVI2DQvgb6jgwPe0BwtpOmSohgjbkCREpEL9M8fM\n\
        0Bng+C+U4G0GsWrOWumF4uj50Wr8q+zj1bJzNRJU799X8T1r31bEZX+PYeL5OMDr\n\
        ajTSxbytE5yO2WSXh4+dlkuWjMeveSkNQo5P+zfjwPtyKx6/uQDNyqBiIQJOWs3T\n\
        xwIDAQAB\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn a_fingerprint_is_sixteen_bytes() {
        let text = "60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d";
        assert_eq!(Fingerprint::parse(text).unwrap().to_string(), text);
        assert_eq!(Fingerprint::parse(&text.to_uppercase()).unwrap().to_string(), text);
        for wrong in ["", "60:ae", "60ae0cd6f0951780bc93467a89afa32d", &text[1..], &format!("{text}:00")] {
            assert!(Fingerprint::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_has_the_fingerprint_that_xbps_shows() {
        let shown = "48:eb:ca:e2:9e:76:5e:18:56:11:45:6a:c1:9e:19:99";
        assert_eq!(Fingerprint::of_pem(KEY).unwrap().to_string(), shown);
    }

    #[test]
    fn a_broken_key_has_none() {
        let broken = KEY.replace("BEGIN PUBLIC", "BEGIN PRIVATE");
        let short = KEY.replace("1pSAwBVDvtL5nuwiAGar\n", "");
        for text in ["", "-----BEGIN PUBLIC KEY-----\n", &broken, &short] {
            assert!(Fingerprint::of_pem(text).is_err(), "{text}");
        }
    }
}
