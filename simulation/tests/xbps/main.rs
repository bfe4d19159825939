//! The simulated package manager.

mod host;
mod mirror;
