//! `refrain rollback`: the way back.

use std::sync::Arc;

use refrain_engine::bundle::Settings;
use refrain_engine::runner;

use super::{reaching, running};
use crate::arguments::Rollback;
use crate::reporter;
use crate::signals::Signals;

/// Takes back what a run has changed.
pub fn execute(arguments: &Rollback) -> u8 {
    let signals = Signals::watch();
    let settings = Settings { check: arguments.check, ..Settings::default() };
    let prepared = reaching::options(&arguments.hosts, &arguments.connection, settings)
        .map_err(|problem| vec![problem])
        .and_then(|options| runner::prepare_rollback(options, &arguments.run));
    let registry = Arc::new(refrain_stdlib::registry());
    let reporters = || Ok(vec![reporter::on_standard_output(&arguments.shown, false)]);
    running::run(prepared, registry, &signals, reporters, false)
}
