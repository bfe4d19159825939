//! What functions that ask a server take as arguments.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Text};
use schemars::{Schema, SchemaGenerator, json_schema};
use ureq::http::{HeaderName, HeaderValue};

use super::address::Address;
use super::proxy::Proxies;

/// A text that can be a secret. One that is unknown in check mode makes the whole call so.
pub fn secret_string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "x-secret": true })
}

/// The address that the argument `url` is.
///
/// # Errors
/// It is none. The error does not show it: what can't be read as a URL may have a password anywhere in it.
pub fn address(url: &Text) -> Result<Address, Failure> {
    let text = url.content.known().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    Address::new(text, url.secret).map_err(|error| {
        Failure::argument("url", format!("nothing can be asked at the `url`: {error}")).advise(
            "a URL is like `https://example.com/file`; what is no letter or digit in it may need a `%`",
        )
    })
}

/// The headers that are known. Check mode may not know some, and sends none.
///
/// # Errors
/// A name or a value can't be sent.
pub fn headers(headers: &BTreeMap<String, Text>) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let known = headers.iter().filter_map(|(name, value)| Some((name, value.content.known()?)));
    known
        .map(|(name, value)| {
            let wrong =
                |what| Failure::argument("headers", format!("{what} of the header `{name}` can't be sent"));
            let value = HeaderValue::from_bytes(value).map_err(|_| wrong("the value"))?;
            Ok((name.parse().map_err(|_| wrong("the name"))?, value))
        })
        .collect()
}

/// The proxies that the environment of the call names, or else that of whoever asks.
pub fn proxies(context: &Context<'_>) -> Proxies {
    let environment = context.materials.environment();
    Proxies::new(|name| environment.get(name).cloned().or_else(|| std::env::var(name).ok()))
}
