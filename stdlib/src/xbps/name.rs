//! The name of a package, as an argument.

use std::fmt;
use std::ops::Deref;

use super::pattern::Pattern;
use crate::argument_schema::text_argument;

/// A name without a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageName(String);

impl PackageName {
    /// The name in a text.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, String> {
        let pattern = Pattern::new(text)?;
        if pattern.is_bounded() {
            return Err(format!("a name without a version is meant here: `{}`", pattern.name()));
        }
        Ok(Self(pattern.to_string()))
    }
}

impl Deref for PackageName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_argument!(PackageName, PackageName::new);
