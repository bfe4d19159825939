//! A line of `authorized_keys` that lets a key in.

use std::fmt;

use super::key_options;
use super::public_key::{KeyError, PublicKey};

/// A key with its options and its comment.
#[derive(Clone, Debug)]
pub struct AuthorizedLine {
    /// As they are written. Empty when there are none.
    pub options: String,
    /// The key.
    pub key: PublicKey,
    /// What follows the key. Empty when nothing does.
    pub comment: String,
}

impl AuthorizedLine {
    /// Reads a line as sshd does: options come first, if it does not begin with a key.
    ///
    /// # Errors
    /// There is no key in it.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let line = line.trim();
        match key_and_comment(line) {
            Err(KeyError::NoKey) => {
                let (options, rest) = line.split_at(key_options::length(line));
                let (key, comment) = key_and_comment(rest.trim_start())?;
                Ok(Self { options: options.to_owned(), key, comment: comment.to_owned() })
            }
            found => {
                found.map(|(key, comment)| Self { options: String::new(), key, comment: comment.to_owned() })
            }
        }
    }

    /// Whether another line says the same: the comment only counts where this one has one.
    pub fn is_met_by(&self, other: &Self) -> bool {
        self.key == other.key
            && key_options::same(&self.options, &other.options)
            && (self.comment.is_empty() || self.comment == other.comment)
    }
}

fn key_and_comment(text: &str) -> Result<(PublicKey, &str), KeyError> {
    let word = |text: &str| text.find([' ', '\t']).unwrap_or(text.len());
    let (kind, rest) = text.split_at(word(text));
    let rest = rest.trim_start();
    let (blob, comment) = rest.split_at(word(rest));
    Ok((PublicKey::parse(kind, blob)?, comment.trim()))
}

impl fmt::Display for AuthorizedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.options.is_empty() {
            write!(f, "{} ", self.options)?;
        }
        write!(f, "{}", self.key)?;
        if !self.comment.is_empty() {
            write!(f, " {}", self.comment)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::public_key::testing::key;
    use super::*;

    #[test]
    fn lines_are_read_and_written() {
        let key = key("ssh-ed25519", "k");
        for options in ["", "no-pty", r#"command="ssh-rsa \" x",from="a, b""#] {
            for comment in ["", "ada@example.net", "two  words"] {
                let line = format!("{options} {key} {comment}").trim().to_owned();
                let parsed = AuthorizedLine::parse(&line).unwrap();
                assert_eq!((parsed.options.as_str(), parsed.comment.as_str()), (options, comment));
                assert_eq!(parsed.to_string(), line);
            }
        }
        let parsed = AuthorizedLine::parse(&format!("\t no-pty\t {key} \t comment ")).unwrap();
        assert_eq!(parsed.to_string(), format!("no-pty {key} comment"));
    }

    #[test]
    fn lines_without_a_key_are_none() {
        let key = key("ssh-ed25519", "k");
        for line in
            ["", "hello", "ssh-ed25519", "ssh-rsa AAAA", &format!("no-pty, from=\"a\" {key}"), &key[5..]]
        {
            assert!(AuthorizedLine::parse(line).is_err(), "{line}");
        }
    }
}
