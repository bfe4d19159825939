//! What templates make, against what ansible-core makes of the same templates.

mod cases;
mod corpus;
mod documents;
mod errors;
mod filters;
mod generated;
mod rendered;
#[path = "../support/mod.rs"]
mod support;
