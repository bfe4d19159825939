//! What is behind a URL, for whatever gets something from the network.
//!
//! The agent asks by itself: a host needs neither curl nor wget. Credentials go only to the server that they are meant for and
//! into no message.

mod address;
mod error;
mod get;
mod proxy;

pub use address::{Address, AddressError};
pub use error::WebError;
pub use get::{Get, MOST_REDIRECTS};
pub use proxy::Proxies;
