//! From what was prepared to the exit code: what all commands share that run something on hosts.

use std::sync::Arc;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::Reporter;
use refrain_engine::module::Registry;
use refrain_engine::runner::{self, Prepared, Stage};

use super::complain;
use crate::exit;
use crate::signals::Signals;

/// Runs what was prepared, and gives the exit code. Reporters are made first: what they can't write is refused like bad input.
/// `tells_changes` is `--exit-code`.
pub fn run(
    prepared: Result<Prepared, Vec<Diagnostic>>,
    registry: Arc<Registry>,
    signals: &Signals,
    reporters: impl FnOnce() -> Result<Vec<Box<dyn Reporter>>, Diagnostic>,
    tells_changes: bool,
) -> u8 {
    let ready =
        prepared.and_then(|prepared| Ok((Arc::new(prepared), reporters().map_err(|problem| vec![problem])?)));
    let (prepared, reporters) = match ready {
        Ok(ready) => ready,
        Err(problems) => {
            complain(&problems);
            return exit::BAD_INPUT;
        }
    };
    signals.stop_gently();
    let stage = Stage { registry, reporters, interrupt: signals.interrupt() };
    let recaps = runner::run(&prepared, stage);
    exit::verdict(&recaps, tells_changes, signals.first())
}
