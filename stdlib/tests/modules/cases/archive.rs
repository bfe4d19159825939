//! Archives, read by the programs that everybody has, and by our own way back.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode, Report};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{RootKind, System, View, changes};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

struct Desk {
    directory: TempDir,
    system: Rc<dyn System>,
}

impl Desk {
    /// A directory `app` with some of everything.
    fn new() -> Self {
        let system = placed(|| Native::new(RootKind::Live), RootKind::Live);
        let desk = Self { directory: TempDir::with_prefix("refrain-archive-").unwrap(), system };
        fs::create_dir_all(desk.path("app/empty")).unwrap();
        fs::create_dir(desk.path("app/cache")).unwrap();
        fs::write(desk.path("app/cache/big"), vec![7; 100_000]).unwrap();
        fs::write(desk.path("app/run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(desk.path("app/run"), fs::Permissions::from_mode(0o750)).unwrap();
        fs::write(desk.path("app/é"), "é").unwrap();
        symlink("run", desk.path("app/link")).unwrap();
        desk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn call(&self, function: &str, arguments: Value, mode: Mode<'_>) -> Report {
        changes::note();
        let registry = refrain_stdlib::registry();
        registry.get(function).unwrap().call(arguments, &Call::new(mode, &NoMaterials, &Calls::default()))
    }

    fn pack(&self, archive: &str, options: &Value) -> Report {
        let mut arguments = json!({ "source": self.path("app"), "path": self.path(archive) });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.call("archive::pack", arguments, Mode::Change(&*self.system))
    }

    /// Unpacks an archive by our own means, and gives the directory.
    fn unpacked(&self, archive: &str) -> PathBuf {
        let to = self.path(&format!("{archive}.d"));
        let arguments = json!({ "source": self.path(archive), "directory": to, "remote": true });
        let report = self.call("file::unpack", arguments, Mode::Change(&*self.system));
        assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
        to
    }
}

/// All that is below a directory: names, kinds, modes, contents.
fn tree(directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(path) = todo.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(directory).unwrap().display().to_string();
        if metadata.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            all.push(format!("{name}/"));
        } else if metadata.is_symlink() {
            all.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
        } else {
            let (mode, content) = (metadata.permissions().mode() & 0o777, fs::read(&path).unwrap());
            all.push(format!("{name} {mode:o} {} {:?}", content.len(), content.first()));
        }
    }
    all.sort();
    all
}

const FORMATS: [&str; 5] = ["a.tar", "a.tgz", "a.tar.xz", "a.tar.zst", "a.zip"];

#[test]
fn what_is_packed_is_there_again_when_it_is_unpacked() {
    for archive in FORMATS {
        let desk = Desk::new();
        let overlay = Overlay::new(Rc::clone(&desk.system) as Rc<dyn View>);
        let arguments = json!({ "source": desk.path("app"), "path": desk.path(archive) });
        let foretold = desk.call("archive::pack", arguments, Mode::Check(&overlay));
        assert_eq!((foretold.status, desk.path(archive).exists()), (Status::WouldChange, false), "{archive}");
        let made = desk.pack(archive, &json!({}));
        assert_eq!(made.status, Status::Changed, "{archive}: {:?}", made.failure);
        assert_eq!(tree(&desk.unpacked(archive).join("app")), tree(&desk.path("app")), "{archive}");
        let mode = fs::metadata(desk.path(archive)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{archive} is for nobody else");
        assert_eq!(desk.pack(archive, &json!({})).status, Status::Ok, "{archive}");
        fs::write(desk.path("app/é"), "è").unwrap();
        assert_eq!(desk.pack(archive, &json!({})).status, Status::Changed, "{archive}");
    }
}

#[test]
fn the_usual_programs_read_it() {
    let desk = Desk::new();
    for (archive, program, options) in [
        ("a.tar", "tar", &["-xf"][..]),
        ("a.tgz", "tar", &["-xzf"]),
        ("a.tar.xz", "tar", &["-xJf"]),
        ("a.tar.zst", "tar", &["--zstd", "-xf"]),
        ("a.zip", "unzip", &["-q"]),
    ] {
        desk.pack(archive, &json!({}));
        let to = desk.path(&format!("{archive}.by"));
        fs::create_dir(&to).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&to).args(options).arg(desk.path(archive)).env("LC_ALL", "C.UTF-8");
        match command.output() {
            Ok(output) => {
                assert!(output.status.success(), "{archive}: {}", String::from_utf8_lossy(&output.stderr))
            }
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
                eprintln!("skipped: {program} is needed");
                continue;
            }
        }
        assert_eq!(tree(&to.join("app")), tree(&desk.path("app")), "{archive}");
    }
}

#[test]
fn names_are_those_that_are_asked_for() {
    let desk = Desk::new();
    fs::write(desk.path("single"), "s").unwrap();
    let options = json!({
        "source": [desk.path("app"), desk.path("single")],
        "base": desk.path(""), "exclude": ["app/cache", "*/link"], "format": "tar.gz",
    });
    assert_eq!(desk.pack("backup", &options).status, Status::Changed);
    let names: Vec<String> = tree(&desk.unpacked("backup"))
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["/", "app/", "app/empty/", "app/run", "app/é", "single"]);
    // An archive in what is packed is no part of itself.
    assert_eq!(desk.pack("app/self.tar", &json!({})).status, Status::Changed);
    assert_eq!(desk.pack("app/self.tar", &json!({})).status, Status::Ok);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let desk = Desk::new();
    for (archive, options, expected) in [
        ("a.rar", json!({}), "no format of archives"),
        ("a.tar", json!({ "source": desk.path("nothing") }), "there is no"),
        ("a.tar", json!({ "base": "/usr" }), "is not below `/usr`"),
        ("a.tar", json!({ "max_size": 1000 }), "too much to be packed"),
        ("a.tar", json!({ "format": "tar.bz2" }), "format"),
    ] {
        let refused = desk.pack(archive, &options).failure.expect("a failure").to_string();
        assert!(refused.contains(expected) && !desk.path(archive).exists(), "{refused}");
    }
}
