//! Playbooks: Rhai scripts, what they can say, and how they run on a host.

pub mod marks;
