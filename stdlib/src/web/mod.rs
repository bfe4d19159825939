//! What is behind a URL, for whatever gets something from the network.
//!
//! The agent asks by itself: a host needs neither curl nor wget. Credentials go only to the server that they are meant for and
//! into no message.

mod address;
pub mod arguments;
mod error;
mod get;
mod proxy;
mod request;
mod statuses;

pub use address::{Address, AddressError};
pub use error::WebError;
pub use get::Get;
pub use proxy::Proxies;
pub use request::{Answer, MOST_REDIRECTS, Request};
pub use statuses::Statuses;
