//! From the command line to the hosts: which ones, and how they are reached.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::escalation::{self, EscalationOptions, Method};
use refrain_engine::runner::{ConnectionOptions, Options};
use refrain_engine::secrets::SecretText;
use refrain_engine::system::RootKind;
use refrain_engine::transport::ssh::LocalUser;
use refrain_simulation::Simulation;

use crate::arguments::{Connection, Hosts, RootKindArgument};
use crate::prompt;

/// The options of a run without a playbook. Passwords are asked for now.
///
/// # Errors
/// Arguments that contradict each other, or a password that nobody gives.
pub fn options(hosts: &Hosts, connection: &Connection, settings: Settings) -> Result<Options, Diagnostic> {
    Ok(Options {
        playbooks: Vec::new(),
        script: None,
        inventories: hosts.sources.inventories.clone(),
        limit: hosts.limit.clone(),
        extra: hosts.sources.extra_vars.clone(),
        settings,
        lock_timeout: connection.lock_timeout,
        forks: connection.forks.map(usize::from),
        connection: connection_options(connection)?,
        step: None,
        run: run_id(),
    })
}

fn connection_options(arguments: &Connection) -> Result<ConnectionOptions, Diagnostic> {
    let connection = match (&arguments.connection, &arguments.root) {
        (None, Some(_)) => Some("chroot".to_owned()),
        (connection, _) => connection.clone(),
    };
    if arguments.root.is_some() && matches!(connection.as_deref(), Some("ssh" | "local")) {
        return Err(Diagnostic::new("`--root` goes with the connections `chroot` and `sandbox`"));
    }
    let password = arguments.ask_pass.then(|| ask_password("SSH password")).transpose()?;
    let become_password = become_password(arguments, password.as_deref())?;
    Ok(ConnectionOptions {
        connection,
        root: arguments.root.clone(),
        root_kind: arguments.root_kind.and_then(|kind| match kind {
            RootKindArgument::Live => Some(RootKind::LiveThroughContainer),
            RootKindArgument::Offline => Some(RootKind::Offline),
            RootKindArgument::Auto => None,
        }),
        user: arguments.user.clone(),
        keys: arguments.private_keys.clone(),
        ssh_arguments: arguments.ssh_arguments.clone(),
        password,
        escalation: escalation(arguments)?,
        become_password,
        local_user: LocalUser::current(),
        ask: Some(Arc::new(|question| prompt::ask(question, true))),
        sandbox_programs: Some(|| Box::new(Simulation)),
    })
}

fn ask_password(question: &str) -> Result<String, Diagnostic> {
    prompt::ask(question, true).map_err(|reason| Diagnostic::new(format!("no password: {reason}")))
}

/// Asks for the password of `--become`; when the answer is empty, it is that of ssh.
fn become_password(arguments: &Connection, of_ssh: Option<&str>) -> Result<Option<SecretText>, Diagnostic> {
    if !arguments.ask_become_pass {
        return Ok(None);
    }
    let Some(of_ssh) = of_ssh else { return Ok(Some(SecretText::new(ask_password("BECOME password")?))) };
    let answer = ask_password("BECOME password [that of SSH]")?;
    Ok(Some(SecretText::new(if answer.is_empty() { of_ssh.to_owned() } else { answer })))
}

/// As whom plays are run, as far as the command line says so.
fn escalation(arguments: &Connection) -> Result<EscalationOptions, Diagnostic> {
    if let Some(user) = &arguments.become_user {
        escalation::check_user(user)?;
    }
    Ok(EscalationOptions {
        wanted: arguments.r#become.then_some(true),
        user: arguments.become_user.clone(),
        method: arguments.become_method.as_deref().map(Method::named).transpose()?,
    })
}

/// Names the run by its start, so that names sort, and by its process, so that two never share one.
pub fn run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_millis(), std::process::id())
}
