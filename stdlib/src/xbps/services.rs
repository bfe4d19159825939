//! Which runit services run what is no longer on disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::{Content, RootKind, View};

/// Where the services are that run.
const SERVICES: &str = "/var/service";
/// What the kernel appends to the name of a file that was replaced or removed.
const DELETED: &str = " (deleted)";
/// Where programs and libraries are. Much else that is mapped was never meant to have a name.
const PLACES: [&str; 6] = ["/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/etc/"];

/// Services whose process runs files that were replaced or removed.
///
/// # Errors
/// The host can't be looked at.
pub fn outdated(host: &dyn View) -> Result<Vec<String>, Failure> {
    of_which(host, |file| {
        let deleted = file.strip_suffix(DELETED);
        deleted.is_some_and(|file| PLACES.iter().any(|place| file.starts_with(place)))
    })
}

/// Services whose process runs one of these files.
///
/// # Errors
/// The host can't be looked at.
pub fn using(host: &dyn View, files: &HashSet<PathBuf>) -> Result<Vec<String>, Failure> {
    of_which(host, |file| files.contains(Path::new(file)))
}

fn of_which(host: &dyn View, is_meant: impl Fn(&str) -> bool) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    if host.root_kind() == RootKind::Offline {
        return Ok(names);
    }
    let services = Path::new(SERVICES);
    for name in host.list(services)? {
        let Some(maps) = maps(host, &services.join(&name))? else { continue };
        if files(&maps).any(&is_meant) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// What the process of a service has mapped. `None` when it does not run, or has just ended.
fn maps(host: &dyn View, service: &Path) -> Result<Option<String>, Failure> {
    let text = |content: Option<Content>| {
        content.as_ref().and_then(Content::known).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let pid = text(host.read(&service.join("supervise/pid"))?);
    let Some(pid) = pid.and_then(|pid| pid.trim().parse::<u32>().ok()) else { return Ok(None) };
    Ok(host.read(&Path::new("/proc").join(pid.to_string()).join("maps")).ok().and_then(text))
}

/// The files in a table of mappings: the sixth word and what follows.
fn files(maps: &str) -> impl Iterator<Item = &str> {
    maps.lines().filter_map(|line| line.find('/').map(|start| &line[start..]))
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use refrain_engine::system::{Attributes, System};

    use super::*;

    fn host(maps: &str) -> (tempfile::TempDir, Sandbox) {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        // A link to where runit keeps them, which leads nowhere before it runs.
        std::fs::remove_file(directory.path().join("root/var/service")).unwrap();
        for path in ["var/service/sshd/supervise", "var/service/down", "proc/42"] {
            std::fs::create_dir_all(directory.path().join("root").join(path)).unwrap();
        }
        let attributes = Attributes { mode: 0o755, uid: 0, gid: 0 };
        host.write(Path::new("/var/service/sshd/supervise/pid"), b"42\n", attributes).unwrap();
        host.write(Path::new("/proc/42/maps"), maps.as_bytes(), attributes).unwrap();
        (directory, host)
    }

    #[test]
    fn what_runs_replaced_files_is_found() {
        let line = |file: &str| format!("7f00-7f01 r-xp 00000000 08:01 123    {file}\n");
        let (_directory, fresh) =
            host(&[line("/usr/bin/sshd"), line("/memfd:x (deleted)"), line("[heap]")].concat());
        assert!(outdated(&fresh).unwrap().is_empty());
        let files = HashSet::from([PathBuf::from("/usr/bin/sshd")]);
        assert_eq!(using(&fresh, &files).unwrap(), ["sshd"]);
        assert!(using(&fresh, &HashSet::new()).unwrap().is_empty());
        let (_directory, old) = host(&line("/usr/lib/libcrypto.so.3 (deleted)"));
        assert_eq!(outdated(&old).unwrap(), ["sshd"]);
    }
}
