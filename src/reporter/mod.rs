//! Readers of a run's events, one file each.

pub mod json;
pub mod terminal;
