//! `refrain run`: the main job.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::Reporter;
use refrain_engine::runner::{self, AskStep, Options};
use refrain_engine::script::controller::Consent;

use super::{lists, reaching, running};
use crate::arguments::Run;
use crate::reporter::junit::Junit;
use crate::signals::Signals;
use crate::{exit, junit, prompt, reporter};

/// Runs playbooks.
pub fn execute(arguments: Run) -> u8 {
    let signals = Signals::watch();
    let registry = Arc::new(refrain_stdlib::registry());
    let prepared = options(&arguments)
        .map_err(|problem| vec![problem])
        .and_then(|options| runner::prepare(options, &registry, || Box::new(prompt::ask)));
    match &prepared {
        Ok(prepared) if arguments.lists.any() => {
            print!("{}", lists::of(prepared, &registry, arguments.lists));
            exit::DONE
        }
        _ => running::run(prepared, registry, &signals, || reporters(&arguments), arguments.check.exit_code),
    }
}

fn options(arguments: &Run) -> Result<Options, Diagnostic> {
    let settings = Settings {
        check: arguments.check.check,
        tags: arguments.tags.clone(),
        skip_tags: arguments.skip_tags.clone(),
        start_at: arguments.start_at.clone(),
        ..Settings::default()
    };
    let options = reaching::options(&arguments.hosts, &arguments.connection, settings)?;
    let step = if arguments.step { Some(asking()?) } else { None };
    Ok(Options { playbooks: arguments.playbooks.clone(), step, ..options })
}

/// The report first: if it can't be written at the end of the run, that can still be said.
fn reporters(arguments: &Run) -> Result<Vec<Box<dyn Reporter>>, Diagnostic> {
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    if let Some(path) = &arguments.junit {
        let file = junit::File::create(path)?;
        reporters.push(Box::new(Junit::new(file, arguments.shown.diff, arguments.check.exit_code)));
    }
    reporters.push(reporter::on_standard_output(&arguments.shown, arguments.step));
    Ok(reporters)
}

/// Asks before each call, until the person says that it may go on.
fn asking() -> Result<AskStep, Diagnostic> {
    if !io::stderr().is_terminal() {
        return Err(Diagnostic::new("`--step` asks at a terminal, and there is none"));
    }
    let goes_on = AtomicBool::new(false);
    Ok(Arc::new(move |call| {
        if goes_on.load(Ordering::Relaxed) {
            return Consent::Yes;
        }
        loop {
            match prompt::ask(&format!("{call} (yes, no, continue)"), false).as_deref().map(str::trim) {
                Ok("y" | "yes") => return Consent::Yes,
                Ok("n" | "no" | "") => return Consent::No,
                Ok("c" | "continue") => {
                    goes_on.store(true, Ordering::Relaxed);
                    return Consent::Yes;
                }
                Ok(_) => {}
                Err(_) => return Consent::Nobody,
            }
        }
    }))
}
