//! `refrain run`: the main job.

use std::sync::Arc;

use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::runner::{self, Options, Prepared, Stage};

use super::{complain, reaching};
use crate::arguments::Run;
use crate::signals::Signals;
use crate::{exit, prompt, reporter};

/// Runs playbooks.
pub fn execute(arguments: Run) -> u8 {
    let signals = Signals::watch();
    let registry = Arc::new(refrain_stdlib::registry());
    let options = match options(&arguments) {
        Ok(options) => options,
        Err(problem) => {
            complain(&[problem]);
            return exit::BAD_INPUT;
        }
    };
    let prepared = match runner::prepare(options, &registry, || Box::new(prompt::ask)) {
        Ok(prepared) => Arc::new(prepared),
        Err(problems) => {
            complain(&problems);
            return exit::BAD_INPUT;
        }
    };
    if arguments.list_hosts {
        list_hosts(&prepared);
        return exit::DONE;
    }
    signals.stop_gently();
    let stage = Stage { registry, reporter: reporter::of(&arguments.shown), interrupt: signals.interrupt() };
    let recaps = runner::run(&prepared, stage);
    exit::verdict(&recaps, arguments.exit_code, signals.first())
}

fn options(arguments: &Run) -> Result<Options, Diagnostic> {
    let settings = Settings {
        check: arguments.check,
        tags: arguments.tags.clone(),
        skip_tags: arguments.skip_tags.clone(),
        start_at: arguments.start_at.clone(),
        lock_timeout: arguments.connection.lock_timeout,
    };
    let options = reaching::options(&arguments.hosts, &arguments.connection, settings)?;
    Ok(Options { playbooks: arguments.playbooks.clone(), ..options })
}

fn list_hosts(prepared: &Prepared) {
    for playbook in &prepared.playbooks {
        for (definition, hosts) in &playbook.plays {
            let count = hosts.len();
            let plural = if count == 1 { "" } else { "s" };
            println!("{} — {}: {count} host{plural}", playbook.name, definition.play.name);
            for host in hosts {
                println!("  {host}");
            }
        }
    }
}
