//! Where a play runs on behalf of a host, and how that host is reached.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::connection_options::ConnectionOptions;
use super::connection_variables::ConnectionVariables;
use super::plugin;
use crate::diagnostic::{Diagnostic, near_match};
use crate::escalation::{self, DEFAULT_USER, Escalation, EscalationOptions, Method, TaskEscalation};
use crate::secrets::SecretText;
use crate::system::sandbox::Programs;
use crate::system::{RootKind, root};
use crate::transport::{Remote, process, ssh};

/// The kinds of connection.
const CONNECTIONS: [&str; 6] = ["ssh", "openssh", "command", "local", "chroot", "sandbox"];

/// Where a play runs.
pub(super) enum Target {
    /// In this process.
    Local,
    /// In this process, in another root.
    Chroot(PathBuf, RootKind),
    /// In a directory.
    Sandbox(PathBuf, Option<fn() -> Box<dyn Programs>>),
    /// On another machine.
    Remote(Box<Remote>, Arc<ssh::Client>),
}

impl Target {
    /// What kind of root the agent will find.
    pub(super) fn root_kind(&self) -> RootKind {
        match self {
            Self::Chroot(_, kind) => *kind,
            _ => RootKind::Live,
        }
    }

    /// The host itself, whoever logs in there.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Remote(remote, _) => remote.place(),
            at_hand => at_hand.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Chroot(root, _) => write!(f, "chroot {}", root.display()),
            Self::Sandbox(directory, _) => write!(f, "sandbox {}", directory.display()),
            Self::Remote(remote, _) => remote.fmt(f),
        }
    }
}

fn process(target: process::Target, client: Arc<ssh::Client>) -> Target {
    Target::Remote(Box::new(Remote::Process(Box::new(target))), client)
}

/// The kind of connection that a name stands for: Ansible has several for some, and puts a collection in front of others.
fn kind(name: &str) -> &str {
    match name.rsplit('.').next().unwrap_or(name) {
        "smart" | "paramiko" | "paramiko_ssh" => "ssh",
        kind => kind,
    }
}

/// Checks the name of a kind of connection, where there is one.
///
/// # Errors
/// There is no such kind.
pub(super) fn check(connection: Option<&str>) -> Result<(), Diagnostic> {
    match connection {
        Some(connection)
            if !CONNECTIONS.contains(&kind(connection)) && !plugin::is_known(kind(connection)) =>
        {
            let hint = match near_match(connection, CONNECTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", CONNECTIONS.join(", ")),
            };
            Err(Diagnostic::new(format!("unknown connection `{connection}`")).hint(hint))
        }
        _ => Ok(()),
    }
}

/// Finds out how a host is reached.
pub(super) struct Reach<'a> {
    /// The host's name in the inventory.
    pub name: &'a str,
    /// What the play says about the kind.
    pub connection: Option<&'a str>,
    /// What the play says about becoming another user.
    pub escalation: &'a EscalationOptions,
    /// What the command line says.
    pub options: &'a ConnectionOptions,
    /// What the inventory says.
    pub variables: ConnectionVariables<'a>,
    /// Where sandbox hosts are kept, unless the command line says otherwise.
    pub sandboxes: PathBuf,
}

impl Reach<'_> {
    /// Where the play runs; `client` is for ssh.
    ///
    /// # Errors
    /// A connection variable makes no sense.
    pub(super) fn target(&self, client: impl FnOnce() -> Arc<ssh::Client>) -> Result<Target, Diagnostic> {
        let options = self.options;
        let kind = match options.connection.as_deref().or(self.connection) {
            Some(kind) => kind.to_owned(),
            None => {
                let default = if self.name == "localhost" { "local" } else { "ssh" };
                self.variables.text(&["ansible_connection"])?.unwrap_or_else(|| default.to_owned())
            }
        };
        check(Some(&kind))?;
        match self::kind(&kind) {
            "local" => Ok(Target::Local),
            "chroot" => self.chroot(),
            "sandbox" => {
                let base = options.root.as_ref().unwrap_or(&self.sandboxes);
                Ok(Target::Sandbox(base.join(self.name), options.sandbox_programs))
            }
            "ssh" => {
                let client = client();
                let target = Box::new(client.target(self.ssh()?)?);
                Ok(Target::Remote(Box::new(Remote::Ssh(target)), client))
            }
            "openssh" => {
                let client = client();
                let executable = self.variables.text(&["ansible_ssh_executable"])?;
                let target = process::OpenSsh::new(self.ssh()?, executable, &client)?;
                Ok(process(process::Target::OpenSsh(target), client))
            }
            "command" => {
                let line = self.variables.read(&["refrain_command"], process::CommandLine::new)?;
                let line = line.ok_or_else(|| {
                    Diagnostic::new("a command connection needs the command that gives a shell on the host")
                        .hint("the variable `refrain_command` says it: `podman exec -i web sh`")
                })?;
                Ok(process(process::Target::Command(line), client()))
            }
            plugin => {
                let line = plugin::command(plugin, self.name, &self.variables)?;
                Ok(process(process::Target::Command(line), client()))
            }
        }
    }

    /// Who the play becomes at `target`, if anybody.
    ///
    /// Each part is taken from the command line, else from the play, else from the variables, as the connection is.
    ///
    /// # Errors
    /// A variable makes no sense, or the target has no such user.
    pub(super) fn escalation(&self, target: &Target) -> Result<Option<Escalation>, Diagnostic> {
        let wanted = match self.options.escalation.over(self.escalation).wanted {
            Some(wanted) => wanted,
            None => self.variables.flag(&["ansible_become"])?.unwrap_or(false),
        };
        if !wanted {
            return Ok(None);
        }
        let escalation = self.whom()?;
        let place = match target {
            Target::Chroot(..) => "a chroot",
            Target::Sandbox(..) => "a sandbox",
            Target::Local | Target::Remote(..) => return Ok(Some(escalation)),
        };
        match escalation.user.as_str() {
            DEFAULT_USER => Ok(Some(escalation)),
            user => Err(Diagnostic::new(format!(
                "in {place}, a play can become nobody but `{DEFAULT_USER}`, not `{user}`"
            ))),
        }
    }

    /// What tasks that become another user are given.
    ///
    /// # Errors
    /// A variable makes no sense.
    pub(super) fn task_escalation(&self) -> Result<TaskEscalation, Diagnostic> {
        let Escalation { method, user, password } = self.whom()?;
        let options = EscalationOptions { wanted: None, user: Some(user), method: Some(method) };
        Ok(TaskEscalation { options, password, play: None })
    }

    /// Whom to become where somebody is, by what, and with which password.
    fn whom(&self) -> Result<Escalation, Diagnostic> {
        let options = self.options.escalation.over(self.escalation);
        let method = match options.method {
            Some(method) => method,
            None => self.variables.read(&["ansible_become_method"], Method::named)?.unwrap_or_default(),
        };
        let of_method = |what: &str| format!("ansible_{}_{what}", method.name());
        let user = match options.user {
            Some(user) => user,
            None => {
                let name = |user: &str| escalation::check_user(user).map(|()| user.to_owned());
                let user = self.variables.read(&["ansible_become_user", &of_method("user")], name)?;
                user.unwrap_or_else(|| DEFAULT_USER.to_owned())
            }
        };
        let password = match &self.options.become_password {
            Some(password) => Some(password.clone()),
            None => {
                let names = ["ansible_become_password", "ansible_become_pass", &of_method("pass")];
                self.variables.text(&names)?.map(SecretText::new)
            }
        };
        Ok(Escalation { method, user, password })
    }

    fn chroot(&self) -> Result<Target, Diagnostic> {
        let root = match &self.options.root {
            Some(root) => Some(root.clone()),
            None => self.variables.text(&["ansible_host"])?.map(PathBuf::from),
        };
        let Some(root) = root else {
            return Err(Diagnostic::new("a chroot connection needs the root to work on")
                .hint("say it with `--root DIR`"));
        };
        let kind = self.options.root_kind.unwrap_or_else(|| root::kind_of(&root));
        Ok(Target::Chroot(root, kind))
    }

    /// What is said of a host that is reached by ssh.
    fn ssh(&self) -> Result<ssh::Wanted, Diagnostic> {
        let (options, variables) = (self.options, &self.variables);
        let host = variables.text(&["ansible_host", "ansible_ssh_host"])?;
        let mut keys = options.keys.clone();
        if keys.is_empty() {
            let key = variables.text(&["ansible_private_key_file", "ansible_ssh_private_key_file"])?;
            keys.extend(key.map(PathBuf::from));
        }
        let user = match &options.user {
            Some(user) => Some(user.clone()),
            None => variables.text(&["ansible_user", "ansible_ssh_user"])?,
        };
        let password = match &options.password {
            Some(password) => Some(password.clone()),
            None => variables.text(&["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"])?,
        };
        Ok(ssh::Wanted {
            host: host.unwrap_or_else(|| self.name.to_owned()),
            port: variables.port(&["ansible_port", "ansible_ssh_port"])?,
            user,
            keys,
            password,
            check_host_key: variables
                .flag(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"])?,
            timeout: variables.seconds(&["ansible_timeout", "ansible_ssh_timeout"])?,
            arguments: self.ssh_arguments()?,
        })
    }

    /// Arguments of the program ssh: what comes first counts.
    fn ssh_arguments(&self) -> Result<Vec<String>, Diagnostic> {
        let mut arguments = self.options.ssh_arguments.clone();
        for name in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
            arguments.extend(self.variables.text(&[name])?);
        }
        Ok(arguments)
    }
}
