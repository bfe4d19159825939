//! The simulated package manager.

mod exceptions;
mod host;
mod mirror;
mod properties;
mod replay;
mod scenes;
mod stage;
mod transcript;
