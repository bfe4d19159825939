//! The binary as people use it: whole runs, compared by their whole output.

mod actions;
mod ad_hoc;
mod bundles;
mod command_line;
mod containers;
mod coordination;
mod delegation;
mod documents;
mod downloads;
mod endings;
mod facts;
mod fetching;
mod first_process;
mod input;
mod interrupted_runs;
mod killed_runs;
mod language;
mod lists;
mod placement;
mod predictions;
mod progress;
mod reports;
mod rollback;
mod roots;
mod secrets;
mod services;
mod settings;
mod steps;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod tested_playbooks;
mod vendoring;
