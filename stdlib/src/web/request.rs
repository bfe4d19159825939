//! Asking a server for something.

use std::io::Read;
use std::time::{Duration, Instant};

use refrain_engine::syscall::resolve_without_plugins;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Body, Proxy};

use super::address::Address;
use super::error::WebError;
use super::proxy::Proxies;

/// So many redirects are followed.
pub const MOST_REDIRECTS: usize = 10;

/// A server that does not answer at all is given up after this, or earlier if there is less time.
const CONNECT: Duration = Duration::from_secs(30);

/// As long as anything can take: so that no sum of times is more than a clock can hold.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Everything about one request.
pub struct Request {
    /// What is asked for.
    pub address: Address,
    /// What is to be done with it.
    pub method: Method,
    /// What to tell the server, and no other one.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the server is sent, and no other one.
    pub body: Option<Vec<u8>>,
    /// Which way to go.
    pub proxies: Proxies,
    /// Whether the server has to show that it is who it says it is, where the address says `https`.
    pub check_certificate: bool,
    /// Whether redirects are followed: only for methods that ask and change nothing.
    pub follow: bool,
    /// How long all of it may take.
    pub timeout: Duration,
    /// How many bytes the answer may have.
    pub max_size: u64,
}

/// What a server has answered.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The content, whole.
    pub body: Vec<u8>,
    /// Where the answer came from in the end.
    pub address: Address,
}

impl Request {
    /// Asks, redirects followed, with the answer in memory. Any status is an answer.
    ///
    /// # Errors
    /// There is no whole answer, in time, and from a server that is trusted if the address says `https`.
    pub fn send(&self) -> Result<Answer, WebError> {
        resolve_without_plugins();
        let end = Instant::now() + self.timeout.min(LONGEST);
        let mut address = self.address.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut response = self.ask(&address, end)?;
            let status = response.status().as_u16();
            if self.follow && matches!(status, 301 | 302 | 303 | 307 | 308) {
                address = follow(&address, &response)?;
                continue;
            }
            let body = if self.method == Method::HEAD { Vec::new() } else { self.content(&mut response)? };
            return Ok(Answer { status, headers: response.headers().clone(), body, address });
        }
        Err(WebError::TooManyRedirects)
    }

    fn ask(&self, address: &Address, end: Instant) -> Result<Response<Body>, WebError> {
        let left = end.checked_duration_since(Instant::now()).ok_or(WebError::Timeout)?;
        // The certificates of the system, not those that a crate brings along.
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .disable_verification(!self.check_certificate)
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("refrain/", env!("CARGO_PKG_VERSION")))
            .proxy(self.proxies.of(address).map(Proxy::new).transpose()?)
            // Followed here: ureq would show headers with a token in them to any server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(left))
            .timeout_connect(Some(CONNECT.min(left)))
            .build()
            .new_agent();
        let mut request = ureq::http::Request::builder().method(&self.method).uri(address.uri());
        if let Some(authorization) = address.authorization() {
            request = request.header(AUTHORIZATION, authorization);
        }
        let is_meant = address.same_server(&self.address);
        for (name, value) in self.headers.iter().filter(|_| is_meant) {
            request = request.header(name, value);
        }
        let wrong = |error: ureq::http::Error| WebError::Protocol(error.to_string());
        match self.body.as_ref().filter(|_| is_meant) {
            Some(body) => Ok(agent.run(request.body(&body[..]).map_err(wrong)?)?),
            None => Ok(agent.run(request.body(()).map_err(wrong)?)?),
        }
    }

    fn content(&self, response: &mut Response<Body>) -> Result<Vec<u8>, WebError> {
        let promised: Option<u64> = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.trim().parse().ok());
        if promised.is_some_and(|promised| promised > self.max_size) {
            return Err(WebError::TooLarge(self.max_size));
        }
        let mut content = Vec::new();
        let limit = self.max_size.saturating_add(1);
        let read = response.body_mut().as_reader().take(limit).read_to_end(&mut content);
        let got = content.len() as u64;
        match (read, promised) {
            (Err(error), expected) => Err(match (WebError::from(ureq::Error::from(error)), expected) {
                (WebError::Timeout, _) => WebError::Timeout,
                (_, Some(expected)) if got < expected => WebError::CutShort { got, expected },
                (error, _) => error,
            }),
            (Ok(_), Some(expected)) if got < expected => Err(WebError::CutShort { got, expected }),
            (Ok(_), _) if got > self.max_size => Err(WebError::TooLarge(self.max_size)),
            (Ok(_), _) => Ok(content),
        }
    }
}

/// Where an answer leads.
fn follow(address: &Address, response: &Response<Body>) -> Result<Address, WebError> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or(WebError::Status(response.status().as_u16()))?;
    let next = address.join(location).map_err(WebError::Redirect)?;
    match address.is_encrypted() && !next.is_encrypted() {
        true => Err(WebError::Downgrade),
        false => Ok(next),
    }
}
