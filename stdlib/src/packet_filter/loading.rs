//! Loading rules into the running kernel.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Done};
use refrain_engine::system::{Command, Content, Kind, RootKind, System, View};

use crate::host_namespaces::{Namespace, on_host};

/// Why nothing is loaded: in an image no kernel of the host's runs.
pub fn needless(host: &dyn View) -> Option<String> {
    (host.root_kind() == RootKind::Offline).then(|| "nothing runs in an image".to_owned())
}

/// The rules in files, one after another. Of a directory, those that are in it, in the order of their names, but for hidden ones.
///
/// # Errors
/// There is no such file, or it can't be read.
pub fn rules(host: &dyn View, paths: &[PathBuf]) -> Result<Vec<u8>, Failure> {
    let mut rules = Vec::new();
    for path in paths {
        for file in files(host, path)? {
            match host.read(&file)? {
                Some(Content::Known(text)) => rules.extend_from_slice(&text),
                _ => return Err(Failure::state(format!("there are no rules in `{}`", file.display()))),
            }
            if !rules.ends_with(b"\n") {
                rules.push(b'\n');
            }
        }
    }
    Ok(rules)
}

fn files(host: &dyn View, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if host.stat(path)?.is_none_or(|stat| stat.kind != Kind::Directory) {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for name in host.list(path)? {
        let file = path.join(&name);
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if !hidden && host.stat(&file)?.is_some_and(|stat| stat.kind == Kind::File) {
            files.push(file);
        }
    }
    Ok(files)
}

/// Has a program load rules from its standard input, in the host's own network.
///
/// # Errors
/// It does not accept them: then those that were loaded before still hold.
pub fn load(
    system: &dyn System,
    context: &Context<'_>,
    words: &[&str],
    rules: Vec<u8>,
) -> Result<Done, Failure> {
    let command = context.command(on_host(system, Namespace::Network, words));
    let command = Command { stdin: Some(rules), ..command };
    system.run(&command)?.require_success(&command)?;
    Ok(Done { changed: true, ..Done::default() })
}
