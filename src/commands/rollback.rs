//! `refrain rollback`: the way back.

use std::sync::Arc;

use refrain_engine::bundle::Settings;
use refrain_engine::runner::{self, Stage};

use super::{complain, reaching};
use crate::arguments::Rollback;
use crate::signals::Signals;
use crate::{exit, reporter};

/// Takes back what a run has changed.
pub fn execute(arguments: &Rollback) -> u8 {
    let signals = Signals::watch();
    let settings = Settings { check: arguments.check, ..Settings::default() };
    let prepared = reaching::options(&arguments.hosts, &arguments.connection, settings)
        .map_err(|problem| vec![problem])
        .and_then(|options| runner::prepare_rollback(options, &arguments.run));
    let prepared = match prepared {
        Ok(prepared) => Arc::new(prepared),
        Err(problems) => {
            complain(&problems);
            return exit::BAD_INPUT;
        }
    };
    signals.stop_gently();
    let registry = Arc::new(refrain_stdlib::registry());
    let reporters = vec![reporter::on_standard_output(&arguments.shown, false)];
    let stage = Stage { registry, reporters, interrupt: signals.interrupt() };
    let recaps = runner::run(&prepared, stage);
    exit::verdict(&recaps, false, signals.first())
}
