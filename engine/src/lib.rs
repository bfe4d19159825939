//! The engine of refrain: everything but the modules and the command line.
//!
//! It never prints: whatever happens is an [`event::Event`]. It knows no module by name: the standard library registers
//! itself in a [`module::Registry`].

pub mod accounts;
pub mod diagnostic;
pub mod diff;
pub mod event;
pub mod failure;
pub mod module;
pub mod script;
pub mod step;
pub mod syscall;
pub mod system;
pub mod template;
pub mod transport;
pub mod variables;
