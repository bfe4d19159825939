//! The name of a job.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::argument_schema::argument_schema;

/// A name that cron does not pass over: letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobName(String);

impl JobName {
    /// The crontab of the job.
    pub fn crontab(&self) -> PathBuf {
        Path::new("/etc/cron.d").join(&self.0)
    }

    /// The service that waits for the times of the job.
    pub fn service(&self) -> String {
        format!("cron-{}", self.0)
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for JobName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(letter) {
            let message = format!(
                "`{name}` is no name of a job: letters, digits, `-` and `_`; cron passes over all else"
            );
            return Err(D::Error::custom(message));
        }
        Ok(Self(name))
    }
}

argument_schema!(JobName, { "type": "string" });
