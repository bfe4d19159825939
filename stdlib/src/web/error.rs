//! Why nothing was got from an address.

use std::io;
use std::time::Duration;

use refrain_engine::failure::{Failure, reason};
use ureq::http::StatusCode;

use super::address::{Address, AddressError};
use super::request::MOST_REDIRECTS;

/// What went wrong between a host and a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The server can't be reached, or stopped in the middle: the system's words.
    #[error("{0}")]
    Connection(String),
    /// Its host name leads to no address: the system's words.
    #[error("its host name can't be resolved: {0}")]
    Name(String),
    /// It is not known to be the server that it says it is.
    #[error("its certificate can't be trusted: {0}")]
    Certificate(String),
    /// No encrypted connection came about.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The proxy does not lead there.
    #[error("the proxy does not lead there: {0}")]
    Proxy(String),
    /// It answered that it has nothing for us.
    #[error("it answered {}", status(*.0))]
    Status(u16),
    /// Its answer is not HTTP.
    #[error("its answer is no HTTP: {0}")]
    Protocol(String),
    /// It redirected to something that is no address.
    #[error("it redirects to where nothing can be: {0}")]
    Redirect(AddressError),
    /// It redirected from TLS to where everybody can read along.
    #[error("it redirects to an address without TLS")]
    Downgrade,
    /// It redirected again and again.
    #[error("it redirects more than {MOST_REDIRECTS} times")]
    TooManyRedirects,
    /// The answer is longer than was allowed, in bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// The connection ended before the answer did.
    #[error("the connection ended after {got} of {expected} bytes")]
    CutShort {
        /// How many bytes came.
        got: u64,
        /// How many the server had promised.
        expected: u64,
    },
    /// It took too long.
    #[error("it took too long")]
    Timeout,
}

fn status(code: u16) -> String {
    let reason = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| code.to_string(), |reason| format!("{code} ({})", reason.to_ascii_lowercase()))
}

impl WebError {
    /// What to do about it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Certificate(_) => Some(
                "are the host's CA certificates there (package `ca-certificates`) and its clock right? A CA of your own \
                 belongs among them",
            ),
            Self::Status(401 | 403) => Some("credentials go into `headers` or into the URL, as a secret"),
            Self::Downgrade => Some("give an address with `https://` that stays with it"),
            Self::TooLarge(_) => Some("if that is right, say so with `max_size`"),
            _ => None,
        }
    }

    /// The failure to get what is at `address` in so much time.
    pub fn failure(&self, address: &Address, timeout: Duration) -> Failure {
        self.failure_of("download", &format!("the download of `{address}`"), address, timeout)
    }

    /// The failure to do something (`ask`) with `address` in so much time; `what` is what takes so long then.
    pub fn failure_of(&self, verb: &str, what: &str, address: &Address, timeout: Duration) -> Failure {
        if *self == Self::Timeout {
            let what = what.to_owned();
            return Failure::Timeout { what, seconds: timeout.as_secs_f64(), output: String::new() };
        }
        let failure = Failure::state(format!("could not {verb} `{address}`: {self}"));
        match self.hint() {
            Some(hint) => failure.advise(hint),
            None => failure,
        }
    }
}

impl From<ureq::Error> for WebError {
    /// Some errors of ureq show the address with its query: their own words are left out.
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Connection("the connection ended too early".to_owned())
            }
            ureq::Error::Io(error) => connection(&reason(&error)),
            ureq::Error::HostNotFound => Self::Name("it has no address".to_owned()),
            ureq::Error::Timeout(_) => Self::Timeout,
            ureq::Error::NativeTls(error) => tls(&error.to_string()),
            ureq::Error::ConnectProxyFailed(said) => Self::Proxy(said),
            ureq::Error::InvalidProxyUrl => {
                Self::Proxy("its address is no URL of a proxy by HTTP".to_owned())
            }
            ureq::Error::Protocol(error) => {
                Self::Protocol(error.to_string().trim_start_matches("http parse fail: ").to_owned())
            }
            ureq::Error::LargeResponseHeader(..) => Self::Protocol("its headers are too large".to_owned()),
            _ => Self::Connection("the connection failed".to_owned()),
        }
    }
}

/// Looking for a name's addresses fails like anything else of a connection, but for the words.
fn connection(reason: &str) -> WebError {
    match reason.strip_prefix("failed to lookup address information: ") {
        Some(reason) => WebError::Name(reason.to_lowercase()),
        None => WebError::Connection(reason.to_owned()),
    }
}

/// OpenSSL names its functions and source files; people need what is in the brackets at the end.
fn tls(text: &str) -> WebError {
    let inside = text.rsplit_once('(').map(|(_, inside)| inside.trim_end_matches(')'));
    match inside {
        Some(inside) if text.contains("certificate verify failed") => {
            WebError::Certificate(inside.to_owned())
        }
        _ => {
            WebError::Tls(text.rsplit(':').find(|part| part.contains(' ')).unwrap_or(text).trim().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_for_people() {
        assert_eq!(WebError::Status(404).to_string(), "it answered 404 (not found)");
        assert_eq!(WebError::Status(599).to_string(), "it answered 599");
        assert_eq!(
            connection("failed to lookup address information: Name or service not known").to_string(),
            "its host name can't be resolved: name or service not known"
        );
        assert_eq!(
            tls("error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:\
                 ../ssl/statem/statem_clnt.c:1889: (unable to get local issuer certificate)"),
            WebError::Certificate("unable to get local issuer certificate".to_owned())
        );
        assert_eq!(
            tls(
                "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:"
            ),
            WebError::Tls("wrong version number".to_owned())
        );
    }

    #[test]
    fn addresses_in_errors_are_not_told() {
        let error = ureq::Error::BadUri("http://h/?token=x".to_owned());
        assert!(!WebError::from(error).to_string().contains("token"));
    }
}
