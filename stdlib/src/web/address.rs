//! Addresses of the web: reading them, following redirects, and showing them without what is secret.

use std::fmt;

use refrain_engine::base64;
use refrain_engine::secrets::HIDDEN;
use ureq::http::Uri;
use ureq::http::uri::Authority;

/// The URL of something that can be got by HTTP.
///
/// It shows itself without credentials and without a query, in which there often is a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Without credentials and fragment.
    uri: Uri,
    /// The header `Authorization` that the credentials make.
    authorization: Option<String>,
    /// Whether all of it is a secret.
    secret: bool,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It can't be read as one.
    #[error("it is no URL")]
    Malformed,
    /// It begins with something else than `http:` or `https:`.
    #[error("it does not begin with `http://` or `https://`")]
    Scheme,
}

impl Address {
    /// The address that a text is. One that is a `secret` is never shown.
    ///
    /// # Errors
    /// The text is none, or not one of HTTP.
    pub fn new(text: &str, secret: bool) -> Result<Self, AddressError> {
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(AddressError::Scheme);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let uri: Uri = format!("{}://{host}{slash}{path}", scheme.to_ascii_lowercase())
            .parse()
            .map_err(|_| AddressError::Malformed)?;
        let no_port = |authority: &Authority| authority.as_str() == authority.host();
        if uri.host().is_none_or(str::is_empty)
            || !(uri.port_u16().is_some() || uri.authority().is_some_and(no_port))
        {
            return Err(AddressError::Malformed);
        }
        Ok(Self { uri, authorization: credentials.map(basic), secret })
    }

    /// The address that `location` means where this one redirects to it.
    ///
    /// # Errors
    /// As [`Address::new`].
    pub fn join(&self, location: &str) -> Result<Self, AddressError> {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map(Authority::as_str).unwrap_or_default();
        let path = self.uri.path();
        if has_scheme(location) {
            return Self::new(location, self.secret);
        }
        let rest = match location {
            _ if location.starts_with("//") => {
                return Self::new(&format!("{scheme}:{location}"), self.secret);
            }
            _ if location.starts_with('/') => location.to_owned(),
            _ if location.starts_with('?') => format!("{path}{location}"),
            _ => format!("{}/{location}", path.rsplit_once('/').map_or("", |(above, _)| above)),
        };
        Self::new(&format!("{scheme}://{authority}{}", without_dots(&rest)), self.secret)
    }

    /// What is asked for.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The header `Authorization` that the credentials in the URL make.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Whether nobody on the way can read what is asked and answered.
    pub fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Whether both are of the same server: credentials for one may go to the other.
    pub fn same_server(&self, other: &Self) -> bool {
        self.server() == other.server()
    }

    /// Whether there is something in it that not everybody may see.
    pub fn is_confidential(&self) -> bool {
        self.secret || self.authorization.is_some()
    }

    fn server(&self) -> (bool, Option<String>, u16) {
        let encrypted = self.is_encrypted();
        let port = self.uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        (encrypted, self.uri.host().map(str::to_ascii_lowercase), port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return f.write_str(HIDDEN);
        }
        let authority = self.uri.authority().map(Authority::as_str).unwrap_or_default();
        write!(f, "{}://{authority}{}", self.uri.scheme_str().unwrap_or_default(), self.uri.path())?;
        if self.uri.query().is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text has a scheme before anything else.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A path, maybe with a query, in which no part is `.` or `..`.
fn without_dots(rest: &str) -> String {
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}{query}", parts.join("/"))
}

/// The header `Authorization` of a name and a password as they stand in a URL.
fn basic(credentials: &str) -> String {
    let (name, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let text = [percent_decoded(name), b":".to_vec(), percent_decoded(password)].concat();
    format!("Basic {}", base64::encode(&text))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                // Two digits are a byte.
                decoded.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::new(text, false).unwrap()
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, error) in [
            ("", AddressError::Scheme),
            ("example.com/a", AddressError::Scheme),
            ("ftp://example.com/a", AddressError::Scheme),
            ("file:///etc/passwd", AddressError::Scheme),
            ("http://", AddressError::Malformed),
            ("http:///a", AddressError::Malformed),
            ("http://user@/a", AddressError::Malformed),
            ("http://a b/", AddressError::Malformed),
            ("http://a/b c", AddressError::Malformed),
            ("http://a/b\r\nX: y", AddressError::Malformed),
            ("http://a:99999/", AddressError::Malformed),
        ] {
            assert_eq!(Address::new(text, false), Err(error), "{text}");
        }
    }

    #[test]
    fn it_shows_itself_without_what_is_secret() {
        for (text, shown) in [
            ("http://example.com", "http://example.com/"),
            ("HTTPS://example.com:8443/a/b#c", "https://example.com:8443/a/b"),
            ("https://ada:pass@example.com/a", "https://example.com/a"),
            ("https://ada:p@ss@example.com/a@b", "https://example.com/a@b"),
            ("https://example.com?token=x", "https://example.com/?…"),
            ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ] {
            assert_eq!(
                (address(text).to_string(), format!("{:?}", address(text))),
                (shown.into(), shown.into())
            );
        }
        assert_eq!(Address::new("https://example.com/secret", true).unwrap().to_string(), HIDDEN);
    }

    #[test]
    fn credentials_become_a_header() {
        let authorization = |text: &str| address(text).authorization().map(ToOwned::to_owned);
        assert_eq!(authorization("http://example.com/a@b"), None);
        // "ada:lovelace", "a@b:c:d", "token:"
        assert_eq!(authorization("http://ada:lovelace@h/").as_deref(), Some("Basic YWRhOmxvdmVsYWNl"));
        assert_eq!(authorization("http://a%40b:c%3Ad@h/").as_deref(), Some("Basic YUBiOmM6ZA=="));
        assert_eq!(authorization("http://token@h/").as_deref(), Some("Basic dG9rZW46"));
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let from = address("https://ada:pass@example.com:8443/a/b?c");
        for (location, to) in [
            ("http://other/x", "http://other/x"),
            ("//other/x", "https://other/x"),
            ("/x#y", "https://example.com:8443/x"),
            ("x", "https://example.com:8443/a/x"),
            ("../../x/./y", "https://example.com:8443/x/y"),
            ("..", "https://example.com:8443/"),
            ("x/http:y", "https://example.com:8443/a/x/http:y"),
        ] {
            assert_eq!(from.join(location).unwrap(), address(to), "{location}");
        }
        assert_eq!(from.join("?d").unwrap().uri().to_string(), "https://example.com:8443/a/b?d");
        assert_eq!(from.join("ftp://other/x"), Err(AddressError::Scheme));
        assert_eq!(from.join("mailto:a@b"), Err(AddressError::Scheme));
        assert!(Address::new("https://h/a", true).unwrap().join("/b").unwrap().secret);
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let same = |one: &str, other: &str| address(one).same_server(&address(other));
        assert!(same("https://h/a", "https://H:443/b"));
        assert!(same("http://a:b@h/a", "http://h:80/b"));
        assert!(!same("https://h/", "http://h/"));
        assert!(!same("https://h/", "https://h:8443/"));
        assert!(!same("https://h/", "https://h.example/"));
    }
}
