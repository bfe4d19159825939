//! `refrain run`: the main job.

use std::io::{self, BufWriter};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;
use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Recap, Reporter};
use refrain_engine::runner::{self, ConnectionOptions, Options, Prepared, Stage};
use refrain_engine::system::RootKind;
use refrain_engine::transport::ssh::LocalUser;

use super::complain;
use crate::arguments::{Output, RootKindArgument, Run};
use crate::reporter::{json::Json, terminal::Terminal};
use crate::signals::Signals;
use crate::{exit, prompt};

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
        Ok(prepared) => prepared,
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
    let reporter: Box<dyn Reporter> = match arguments.output {
        Output::Terminal => {
            let out = BufWriter::new(io::stdout());
            Box::new(Terminal::new(out, arguments.verbose, arguments.diff))
        }
        Output::Json => Box::new(Json),
    };
    let stage = Stage { registry, reporter, interrupt: signals.interrupt() };
    let recaps = runner::run(&prepared, stage);
    verdict(&recaps, arguments.exit_code, signals.first())
}

fn options(arguments: &Run) -> Result<Options, Diagnostic> {
    let password = if arguments.ask_pass {
        let answer = prompt::ask("SSH password", true);
        Some(answer.map_err(|reason| Diagnostic::new(format!("no password: {reason}")))?)
    } else {
        None
    };
    let connection = match (&arguments.connection, &arguments.root) {
        (None, Some(_)) => Some("chroot".to_owned()),
        (connection, _) => connection.clone(),
    };
    if arguments.root.is_some() && matches!(connection.as_deref(), Some("ssh" | "local")) {
        return Err(Diagnostic::new("`--root` goes with the connections `chroot` and `sandbox`"));
    }
    Ok(Options {
        playbooks: arguments.playbooks.clone(),
        inventories: arguments.inventories.clone(),
        limit: arguments.limit.clone(),
        extra: arguments.extra_vars.clone(),
        settings: Settings {
            check: arguments.check,
            tags: arguments.tags.clone(),
            skip_tags: arguments.skip_tags.clone(),
            start_at: arguments.start_at.clone(),
        },
        forks: arguments.forks.map(usize::from),
        connection: ConnectionOptions {
            connection,
            root: arguments.root.clone(),
            root_kind: arguments.root_kind.and_then(|kind| match kind {
                RootKindArgument::Live => Some(RootKind::LiveThroughContainer),
                RootKindArgument::Offline => Some(RootKind::Offline),
                RootKindArgument::Auto => None,
            }),
            user: arguments.user.clone(),
            keys: arguments.private_keys.clone(),
            password,
            local_user: LocalUser::current(),
            ask: Some(Arc::new(|question| prompt::ask(question, true))),
            sandbox_programs: None,
        },
        run: run_id(),
    })
}

/// Names the run by its start, so that names sort, and by its process, so that two never share one.
fn run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_millis(), std::process::id())
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

fn verdict(recaps: &IndexMap<String, Recap>, tell_changes: bool, signal: Option<u8>) -> u8 {
    if let Some(signal) = signal {
        exit::interrupted_by(signal)
    } else if recaps.values().any(|recap| recap.failed || recap.interrupted) {
        exit::FAILED
    } else if recaps.values().any(|recap| recap.unreachable) {
        exit::UNREACHABLE
    } else if tell_changes && recaps.values().any(|recap| recap.changed > 0 || recap.may_change > 0) {
        exit::WOULD_CHANGE
    } else {
        exit::DONE
    }
}
