//! The engine of refrain.

pub mod diagnostic;
pub mod transport;
