//! `ssh-keygen`, as far as it makes key pairs.
//!
//! What it makes is no secret: the keys follow from where they are and what the host is called, so that a run on a sandbox can be
//! repeated.

use std::path::Path;

use refrain_engine::base64;
use refrain_engine::hmac_sha1::hmac_sha1;
use refrain_engine::system::{Attributes, Content};

use crate::Invocation;

/// What it was told to make.
#[derive(Default)]
struct Wanted<'a> {
    kind: Option<&'a str>,
    path: Option<&'a str>,
    comment: Option<&'a str>,
}

/// `ssh-keygen -t TYPE -N "" [-b BITS] [-C COMMENT] [-q] -f FILE`.
pub fn ssh_keygen(call: &mut Invocation<'_>) -> i32 {
    let Some(wanted) = wanted(call.arguments) else {
        call.complain(
            "usage: ssh-keygen [-q] [-b bits] [-C comment] [-f output_keyfile] [-N new_passphrase] [-t type]",
        );
        return 1;
    };
    let kind = match wanted.kind.unwrap_or("rsa") {
        "ed25519" => "ssh-ed25519",
        "rsa" => "ssh-rsa",
        "ecdsa" => "ecdsa-sha2-nistp256",
        other => {
            call.complain(format_args!("unknown key type {other}"));
            return 255;
        }
    };
    let path = wanted.path.unwrap_or("/root/.ssh/id_rsa");
    if matches!(call.system.lstat(Path::new(path)), Ok(Some(_))) {
        call.say(format_args!("{path} already exists."));
        call.print("Overwrite (y/n)? ");
        return 1;
    }
    let host = host_name(call);
    let comment = wanted.comment.map_or_else(|| format!("root@{host}"), ToOwned::to_owned);
    match save(call, kind, path, &host, &comment) {
        Some(()) => 0,
        None => {
            call.complain(format_args!("Saving key \"{path}\" failed: No such file or directory"));
            1
        }
    }
}

fn wanted(arguments: &[String]) -> Option<Wanted<'_>> {
    let mut wanted = Wanted::default();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-q" => {}
            "-t" => wanted.kind = Some(words.next()?),
            "-f" => wanted.path = Some(words.next()?),
            "-C" => wanted.comment = Some(words.next()?),
            "-N" | "-b" => drop(words.next()?),
            _ => return None,
        }
    }
    Some(wanted)
}

fn host_name(call: &Invocation<'_>) -> String {
    let content = call.system.read(Path::new("/etc/hostname")).ok().flatten();
    let text = content.as_ref().and_then(Content::known).map(String::from_utf8_lossy).unwrap_or_default();
    text.trim().to_owned()
}

/// Writes both files. Absent where they can't be.
fn save(call: &Invocation<'_>, kind: &str, path: &str, host: &str, comment: &str) -> Option<()> {
    let (uid, gid) = call.system.identity();
    let secret = hmac_sha1(host.as_bytes(), path.as_bytes());
    let private = base64::encode(&[&b"openssh-key-v1\0"[..], &secret].concat());
    let private =
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{private}\n-----END OPENSSH PRIVATE KEY-----\n");
    let public = format!("{kind} {} {comment}\n", base64::encode(&public_key(kind, &secret)));
    for (path, text, mode) in [(path.to_owned(), private, 0o600), (format!("{path}.pub"), public, 0o644)] {
        call.system.write(Path::new(&path), text.as_bytes(), Attributes { mode, uid, gid }).ok()?;
    }
    Some(())
}

/// A public key in SSH's binary format: byte strings, each behind its length.
fn public_key(kind: &str, secret: &[u8; 20]) -> Vec<u8> {
    let long: Vec<u8> = secret.iter().copied().cycle().take(64).collect();
    let point = [&[4][..], &long].concat();
    let modulus = [&[0][..], &long].concat();
    let parts: &[&[u8]] = match kind {
        "ssh-ed25519" => &[&long[..32]],
        "ssh-rsa" => &[&[1, 0, 1], &modulus],
        _ => &[b"nistp256", &point],
    };
    let mut key = Vec::new();
    for part in [&[kind.as_bytes()], parts].concat() {
        // None is longer than 65 bytes.
        key.extend([0, 0, 0, part.len() as u8]);
        key.extend(part);
    }
    key
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::sandbox::Sandbox;
    use refrain_engine::system::{Command, View};

    use super::*;
    use crate::Simulation;

    #[test]
    fn a_key_pair_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(Simulation)).unwrap();
        let generate = |path: &str| {
            let output =
                host.probe(&Command::new(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]));
            let output = output.unwrap();
            (output.status, output.both_streams())
        };
        assert_eq!(generate("/etc/key"), (0, String::new()));
        let public = host.read(Path::new("/etc/key.pub")).unwrap().unwrap();
        let text = String::from_utf8_lossy(public.known().unwrap()).into_owned();
        let key = text.strip_prefix("ssh-ed25519 ").unwrap().split(' ').next().unwrap();
        assert_eq!(base64::decode(key).unwrap().len(), 4 + 11 + 4 + 32);
        assert_eq!(host.stat(Path::new("/etc/key")).unwrap().unwrap().attributes.mode, 0o600);
        assert_eq!(generate("/etc/key").1, "/etc/key already exists.\nOverwrite (y/n)? ");
        assert_eq!(
            generate("/none/key"),
            (1, "Saving key \"/none/key\" failed: No such file or directory\n".to_owned())
        );
    }
}
