//! Whether the host is the one that it should be.

use sha2::{Digest, Sha256};
use ssh2::Session;

use super::Target;
use super::known_hosts::{DEFAULT_PORT, KnownHosts, Verdict, key_type};
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
    let types = known.key_types(&target.host, target.port);
    let mut algorithms = TYPES;
    algorithms.sort_by_key(|(key_type, _)| !types.contains(key_type));
    algorithms.map(|(_, algorithms)| algorithms).join(",")
}

/// Checks the key that the host has shown. Returns whether a password may be sent to it.
///
/// # Errors
/// The key is not the host's, as far as is known.
pub(super) fn check(session: &Session, known: &KnownHosts, target: &Target) -> Result<bool, Unreachable> {
    let Some((key, _)) = session.host_key() else {
        return Err(refused(Diagnostic::new(format!("`{}` has shown no host key", target.host))));
    };
    let shown = format!("{} {}", name(key_type(key)), fingerprint(key));
    let verdict = known.check(&target.host, target.port, key);
    let host = &target.host;
    match verdict {
        Verdict::Known => Ok(true),
        Verdict::Revoked { place } => {
            Err(refused(Diagnostic::new(format!("the host key of `{host}` is revoked: {shown}, at {place}"))))
        }
        Verdict::Unknown { .. } if !target.check_host_key => Ok(true),
        // As with ssh: who does not check must not hand a password to whoever that is.
        Verdict::Changed { .. } if !target.check_host_key => Ok(false),
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
    let error =
        Diagnostic::new(format!("the host key of `{}` is not known: {shown}", target.host)).hint(format!(
            "if this is the host's fingerprint, add its key with \
             `ssh-keyscan {port}{} >> ~/.ssh/known_hosts`, or connect once with `ssh {port}{0}`",
            target.host
        ));
    match authority {
        Some(place) => error.because(format!(
            "{place} has a certificate authority for it, and certificates of hosts can't be checked here"
        )),
        None => error,
    }
}

fn refused(error: Diagnostic) -> Unreachable {
    Unreachable { stage: Stage::HostKey, error }
}

/// The name of the host in `known_hosts`.
fn name_in_file(target: &Target) -> String {
    if target.port == DEFAULT_PORT {
        target.host.clone()
    } else {
        format!("[{}]:{}", target.host, target.port)
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
