//! How each program is told to run a script as somebody else.

use std::process::Command;

use super::{Escalation, Method};

/// What of this process's environment the programs are started with. Whatever else it holds belongs to the user who is
/// left: directories of theirs would be taken for those of the other one.
const KEPT: [&str; 2] = ["PATH", "TZ"];

/// Where the program reads and writes its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wiring {
    /// It is standard input and output; the password is asked for at the terminal.
    Pipes,
    /// It is a socket, as standard output. The standard input is the terminal, since that is where su reads the password.
    Socket,
}

impl Method {
    /// Where its stream goes.
    pub(super) fn wiring(self) -> Wiring {
        match self {
            Self::Sudo | Self::Doas => Wiring::Pipes,
            Self::Su => Wiring::Socket,
        }
    }
}

/// The command that runs `script` (for any POSIX shell), its streams and terminal not set yet.
///
/// Its messages are to be English, since they are looked into. Where there is no password to give, sudo and doas are told
/// not to ask for one; that is no failed attempt in the host's log.
pub(super) fn command(escalation: &Escalation, script: &str) -> Command {
    let Escalation { method, user, password } = escalation;
    let mut command = Command::new(method.name());
    if *method != Method::Su && password.is_none() {
        command.arg("-n");
    }
    match method {
        Method::Sudo => command.args(["-H", "-u", user, "--", "/bin/sh", "-c", script]),
        Method::Doas => command.args(["-u", user, "--", "/bin/sh", "-c", script]),
        Method::Su => command.args(["-s", "/bin/sh", "-c", &format!("exec <&1; {script}"), user]),
    };
    let kept = KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    // The directory of the user who is left may be closed to the other one.
    command.env_clear().envs(kept).env("LC_ALL", "C").current_dir("/");
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretText;

    fn words(method: Method, password: Option<&str>) -> String {
        let password = password.map(SecretText::new);
        let command = command(&Escalation { method, user: "app".to_owned(), password }, "true");
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_password_is_no_argument() {
        assert_eq!(words(Method::Sudo, None), "sudo -n -H -u app -- /bin/sh -c true");
        assert_eq!(words(Method::Sudo, Some("pw")), "sudo -H -u app -- /bin/sh -c true");
        assert_eq!(words(Method::Doas, None), "doas -n -u app -- /bin/sh -c true");
        assert_eq!(words(Method::Doas, Some("pw")), "doas -u app -- /bin/sh -c true");
        assert_eq!(words(Method::Su, Some("pw")), "su -s /bin/sh -c exec <&1; true app");
    }
}
