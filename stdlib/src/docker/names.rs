//! Names of images and containers, as arguments.

use std::fmt;
use std::ops::Deref;

use crate::argument_schema::text_argument;

/// The name of an image: `nginx:1.27`, `registry.example.net:5000/app@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName(String);

/// The name of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerName(String);

impl ImageName {
    fn new(name: &str) -> Result<Self, String> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-/:@".contains(letter);
        match name.chars().next() {
            None => Err("the name of an image can't be empty".to_owned()),
            Some(first) if first.is_ascii_alphanumeric() && name.chars().all(is_letter) => {
                Ok(Self(name.to_owned()))
            }
            Some(_) => Err(format!("`{name}` can't be the name of an image")),
        }
    }
}

impl ContainerName {
    fn new(name: &str) -> Result<Self, String> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
        let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if begins_well && name.len() > 1 && name.chars().all(is_letter) {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "`{name}` can't be the name of a container: that is at least two letters, digits, `_`, `.` or `-`, and \
             begins with a letter or a digit"
        ))
    }
}

macro_rules! name {
    ($name:ident) => {
        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_argument!($name, $name::new);
    };
}

name!(ImageName);
name!(ContainerName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_would_take_for_an_option_is_no_name() {
        for good in ["nginx", "registry.example.net:5000/team/app:1.2_3", "app@sha256:0123"] {
            assert_eq!(ImageName::new(good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", "--all", "a b", "/etc", "a\n"] {
            assert!(ImageName::new(bad).is_err(), "{bad}");
        }
        for good in ["web", "a1", "web-1_b.c"] {
            assert_eq!(ContainerName::new(good).as_deref(), Ok(good));
        }
        for bad in ["", "a", "-ab", ".ab", "a/b", "a b"] {
            assert!(ContainerName::new(bad).is_err(), "{bad}");
        }
    }
}
