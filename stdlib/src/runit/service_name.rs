//! Names of services, as arguments.

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use crate::argument_schema::text_argument;

/// The name of a service: that of its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// What `sv` calls the service in a directory, whether it is enabled or not.
    pub fn at(directory: &Path) -> Self {
        Self(directory.display().to_string())
    }

    fn new(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("the name of a service can't be empty".to_owned());
        }
        if name.contains(['/', '\0', '\n']) {
            return Err(format!("the name of a service has no slash in it, got `{name}`"));
        }
        if name.starts_with('.') {
            return Err(format!("runit overlooks services whose name begins with a dot, got `{name}`"));
        }
        if name.starts_with('-') {
            return Err(format!("programs take a name that begins with a dash for an option, got `{name}`"));
        }
        Ok(Self(name.to_owned()))
    }
}

impl Deref for ServiceName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_argument!(ServiceName, ServiceName::new);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_directory() {
        let name = ServiceName::new;
        assert_eq!(&*name("dhcpcd-eth0").unwrap(), "dhcpcd-eth0");
        for wrong in ["", "/etc/sv/sshd", "sshd/", ".sshd", "-f", "a\nb"] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
