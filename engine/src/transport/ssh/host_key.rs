//! Whether the host is the one that it should be.

use sha2::{Digest, Sha256};
use ssh2::Session;

use super::config::HostKeyChecking;
use super::known_hosts::{DEFAULT_PORT, KnownHosts, Verdict, key_type};
use super::target::Route;
use super::{Client, Target, algorithms};
use crate::base64;
use crate::diagnostic::Diagnostic;
use crate::transport::{Stage, Unreachable};

/// The types of host keys that are accepted, by preference, and the algorithms to ask for them with.
const TYPES: [(&str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
];

/// The algorithms to ask for, those first by whose keys the host is known: a host that is known by one key and asked for
/// another would seem to be a stranger.
pub(super) fn algorithms(known: &KnownHosts, target: &Target) -> String {
    let (name, port) = target.known_as();
    let types = known.key_types(name, port);
    let mut usual = TYPES;
    usual.sort_by_key(|(key_type, _)| !types.contains(key_type));
    let usual = usual.map(|(_, algorithms)| algorithms).join(",");
    algorithms::chosen(target.algorithms.host_keys.as_deref(), &usual)
}

/// Checks the key that the host has shown. Returns whether a password may be sent to it.
///
/// # Errors
/// The key is not the host's, as far as is known.
pub(super) fn check(
    session: &Session,
    known: &KnownHosts,
    target: &Target,
    client: &Client,
) -> Result<bool, Unreachable> {
    let Some((key, _)) = session.host_key() else {
        return Err(refused(Diagnostic::new(format!("`{}` has shown no host key", target.host))));
    };
    let shown = format!("{} {}", name(key_type(key)), fingerprint(key));
    let (known_as, port) = target.known_as();
    let verdict = known.check(known_as, port, key);
    let host = &target.host;
    match verdict {
        Verdict::Known => Ok(true),
        Verdict::Revoked { place } => {
            Err(refused(Diagnostic::new(format!("the host key of `{host}` is revoked: {shown}, at {place}"))))
        }
        Verdict::Unknown { .. } if target.host_key_checking == HostKeyChecking::Off => Ok(true),
        Verdict::Unknown { .. } if target.host_key_checking == HostKeyChecking::AcceptNew => {
            client.take_down(target, key).map_err(refused).map(|()| true)
        }
        // As with ssh: who does not check must not hand a password to whoever that is.
        Verdict::Changed { .. } if target.host_key_checking == HostKeyChecking::Off => Ok(false),
        Verdict::Unknown { authority } => Err(refused(unknown(target, &shown, authority))),
        Verdict::Changed { place, key_type } => {
            let now = format!("it is now {shown}, and {place} has another one ({})", name(&key_type));
            Err(refused(Diagnostic::new(format!("the host key of `{host}` has changed")).because(now).hint(
                format!(
                    "someone may be listening in; if the host was installed anew, remove the old key \
                     with `ssh-keygen -R '{}'`",
                    name_in_file(target)
                ),
            )))
        }
    }
}

fn unknown(target: &Target, shown: &str, authority: Option<String>) -> Diagnostic {
    let port = if target.port == DEFAULT_PORT { String::new() } else { format!("-p {} ", target.port) };
    let host = &target.host;
    let hint = match target.route {
        Route::Direct => format!(
            "if this is the host's fingerprint, add its key with \
             `ssh-keyscan {port}{host} >> ~/.ssh/known_hosts`, or connect once with `ssh {port}{host}`"
        ),
        // From here, ssh-keyscan does not get there.
        _ => "if this is the host's fingerprint, connect once with `ssh`, which adds its key".to_owned(),
    };
    let error = Diagnostic::new(format!("the host key of `{host}` is not known: {shown}")).hint(hint);
    match authority {
        Some(place) => error
            .because(format!(
                "{place} has a certificate authority for it, and certificates of hosts can't be checked here"
            ))
            .hint("the connection `openssh` checks certificates of hosts"),
        None => error,
    }
}

fn refused(error: Diagnostic) -> Unreachable {
    Unreachable { stage: Stage::HostKey, error }
}

/// The name of the host in `known_hosts`.
pub(super) fn name_in_file(target: &Target) -> String {
    match target.known_as() {
        (name, DEFAULT_PORT) => name.to_owned(),
        (name, port) => format!("[{name}]:{port}"),
    }
}

/// How people call a type of key.
pub(super) fn name(key_type: &str) -> &str {
    match key_type {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        ecdsa if ecdsa.starts_with("ecdsa-") => "ECDSA",
        other => other,
    }
}

/// The fingerprint of a key as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", base64::encode(&Sha256::digest(key)).trim_end_matches('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_are_asked_for_first() {
        let target = Target::new("web1".to_owned());
        let default = algorithms(&KnownHosts::default(), &target);
        assert!(default.starts_with("ssh-ed25519,ecdsa-sha2-nistp256,"));
        assert!(default.ends_with(",rsa-sha2-512,rsa-sha2-256"));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("known_hosts");
        std::fs::write(&file, "web1 ssh-rsa AAAAB3NzaC1yc2E=\n").unwrap();
        let known = KnownHosts::read(&[file]).unwrap();
        assert!(algorithms(&known, &target).starts_with("rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"));
    }

    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let key = base64::decode("AAAAC3NzaC1lZDI1NTE5AAAAIEutNxO0dUQw/JGXdTa3RPbXV1oWj/NmD53AoWLgRnAT");
        assert_eq!(fingerprint(&key.unwrap()), "SHA256:pJ8m/uYtyUzcaRSV/TGyeRkCKSLwpzD0slB0Oek/Bss");
    }
}
