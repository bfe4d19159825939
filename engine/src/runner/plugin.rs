//! Connections that Ansible has and that are commands which give a shell.

use super::connection_variables::ConnectionVariables;
use crate::diagnostic::Diagnostic;
use crate::transport::process::CommandLine;

/// What makes the command of a plugin: its words before and after the name of the host, and the variables that name it, the
/// last of which counts.
struct Plugin {
    name: &'static str,
    before: &'static [&'static str],
    after: &'static [&'static str],
    variables: &'static [&'static str],
    /// The option that names the user, where there is one.
    user: Option<&'static str>,
}

const PLUGINS: [Plugin; 8] = [
    Plugin {
        name: "podman",
        before: &["podman", "exec", "-i"],
        after: &["sh"],
        variables: &["ansible_host", "ansible_podman_host"],
        user: Some("--user"),
    },
    Plugin {
        name: "docker",
        before: &["docker", "exec", "-i"],
        after: &["sh"],
        variables: &["ansible_host", "ansible_docker_host"],
        user: Some("--user"),
    },
    Plugin {
        name: "buildah",
        before: &["buildah", "run"],
        after: &["--", "sh"],
        variables: &["ansible_host"],
        user: Some("--user"),
    },
    Plugin {
        name: "lxc",
        before: &["lxc-attach", "-n"],
        after: &["--", "sh"],
        variables: &["ansible_host", "ansible_lxc_host"],
        user: None,
    },
    Plugin {
        name: "lxd",
        before: &["lxc", "exec"],
        after: &["--", "sh"],
        variables: &["ansible_host", "ansible_lxd_host"],
        user: None,
    },
    Plugin {
        name: "incus",
        before: &["incus", "exec"],
        after: &["--", "sh"],
        variables: &["ansible_host", "ansible_incus_host"],
        user: None,
    },
    Plugin {
        name: "kubectl",
        before: &["kubectl", "exec", "-i"],
        after: &["--", "sh"],
        variables: &["ansible_host", "ansible_kubectl_pod"],
        user: None,
    },
    Plugin {
        name: "nsenter",
        before: &["nsenter", "--all", "--target"],
        after: &["--", "sh"],
        variables: &["ansible_nsenter_pid"],
        user: None,
    },
];

/// Whether Ansible has such a connection, which is a command here.
pub(super) fn is_known(name: &str) -> bool {
    PLUGINS.iter().any(|plugin| plugin.name == name)
}

/// The command of a plugin for a host.
///
/// # Errors
/// There is no such plugin, or a variable makes no sense.
pub(super) fn command(
    name: &str,
    host: &str,
    variables: &ConnectionVariables<'_>,
) -> Result<CommandLine, Diagnostic> {
    let Some(plugin) = PLUGINS.iter().find(|plugin| plugin.name == name) else {
        return Err(Diagnostic::new(format!("unknown connection `{name}`")));
    };
    let named = variables.text(plugin.variables)?;
    let named = match (named, name) {
        (Some(named), _) => named,
        // The first process: what a container that shares the host's processes sees of it.
        (None, "nsenter") => "1".to_owned(),
        (None, _) => host.to_owned(),
    };
    let mut words = plugin.before.to_vec();
    let user = match plugin.user {
        Some(option) => variables.text(&["ansible_user"])?.map(|user| (option, user)),
        None => None,
    };
    if let Some((option, user)) = &user {
        words.extend([*option, user.as_str()]);
    }
    let mut options = Vec::new();
    if name == "kubectl" {
        for (option, variable) in [
            ("-n", "ansible_kubectl_namespace"),
            ("-c", "ansible_kubectl_container"),
            ("--context", "ansible_kubectl_context"),
        ] {
            options.extend(variables.text(&[variable])?.map(|value| (option, value)));
        }
    }
    words.extend(options.iter().flat_map(|(option, value)| [*option, value.as_str()]));
    words.push(&named);
    words.extend(plugin.after);
    Ok(CommandLine::of(&words))
}
