//! Getting what is at an address.

use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Method};

use super::address::Address;
use super::error::WebError;
use super::proxy::Proxies;
use super::request::Request;

/// Everything about one download.
pub struct Get {
    /// What to get.
    pub address: Address,
    /// What to tell the server, and no other one.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Which way to go.
    pub proxies: Proxies,
    /// How long all of it may take.
    pub timeout: Duration,
    /// How many bytes there may be.
    pub max_size: u64,
}

impl Get {
    /// Gets it, redirects followed, in memory.
    ///
    /// # Errors
    /// It can't be had whole, in time, and from a server that is trusted if the address says `https`.
    pub fn get(&self) -> Result<Vec<u8>, WebError> {
        let request = Request {
            address: self.address.clone(),
            method: Method::GET,
            headers: self.headers.clone(),
            body: None,
            proxies: self.proxies.clone(),
            check_certificate: true,
            follow: true,
            timeout: self.timeout,
            max_size: self.max_size,
        };
        let answer = request.send()?;
        if answer.status == 200 { Ok(answer.body) } else { Err(WebError::Status(answer.status)) }
    }
}
