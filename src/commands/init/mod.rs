//! `refrain init`: a project to go on from.

mod settings;

use std::fs;
use std::io;
use std::path::Path;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::failure::reason;
use refrain_engine::project::{MARKER, ProjectSettings};

use super::{complain, print, warn};
use crate::arguments::Init;
use crate::exit;

/// The files of a new project, but for its settings.
const FILES: [(&str, &str); 6] = [
    (".gitignore", include_str!("project/gitignore")),
    ("inventory/hosts", include_str!("project/hosts")),
    ("inventory/group_vars/all.yml", include_str!("project/all.yml")),
    ("playbooks/site.rhai", include_str!("project/site.rhai")),
    ("roles/greeting/role.rhai", include_str!("project/role.rhai")),
    ("roles/greeting/templates/motd.j2", include_str!("project/motd.j2")),
];

/// What a person may do next.
const NEXT: &str = "
refrain run playbooks/site.rhai -c sandbox    # on hosts that are only played
refrain run playbooks/site.rhai --check       # what it would change on the real ones
";

/// What a person may do next who has an inventory and roles.
const FROM_ANSIBLE: &str = "
refrain inventory     # the hosts and groups as they are read
refrain vars HOST     # what their variables come to, and where each is set
refrain doc           # the modules that playbooks and roles are written with
";

/// Begins a project.
pub fn execute(arguments: &Init) -> u8 {
    match begin(&arguments.directory) {
        Ok(told) => print(&told),
        Err(problem) => {
            complain(&[problem]);
            exit::BAD_INPUT
        }
    }
}

fn begin(directory: &Path) -> Result<String, Diagnostic> {
    if directory.join(MARKER).exists() {
        let marker = directory.join(MARKER);
        return Err(Diagnostic::new(format!("there is a project already: `{}`", marker.display())));
    }
    let known = ProjectSettings::of(directory)?;
    // The first warning is that the file is read, which it is for the last time.
    warn(known.warnings.get(1..).unwrap_or_default());
    let mut told = write(directory, MARKER, &settings::text(&known))?;
    // Who comes from Ansible has all but the playbooks.
    let comes_from_ansible = known != ProjectSettings::default();
    let (files, next) = if comes_from_ansible { (&FILES[..1], FROM_ANSIBLE) } else { (&FILES[..], NEXT) };
    for (path, text) in files {
        told.push_str(&write(directory, path, text)?);
    }
    Ok(told + next)
}

/// Writes a file, unless there is one, and says so.
fn write(directory: &Path, path: &str, text: &str) -> Result<String, Diagnostic> {
    let place = directory.join(path);
    let written = place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&place);
        file.and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
    });
    match written {
        Ok(()) => Ok(format!("wrote {}\n", place.display())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(format!("kept  {}\n", place.display()))
        }
        Err(error) => {
            Err(Diagnostic::new(format!("could not write `{}`: {}", place.display(), reason(&error))))
        }
    }
}
