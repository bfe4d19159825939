//! The engine of refrain.

pub mod diagnostic;
pub mod template;
pub mod transport;
pub mod variables;
