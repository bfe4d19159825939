//! What `file::unpack` has to do on any host.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
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
use crate::archives::{self, Tar, zip};

/// A directory with an archive in it, and one to unpack it into.
struct Desk {
    directory: TempDir,
    system: Rc<dyn System>,
}

impl Desk {
    fn new() -> Self {
        let directory = TempDir::with_prefix("refrain-unpack-").unwrap();
        fs::create_dir(directory.path().join("to")).unwrap();
        Self { directory, system: placed(|| Native::new(RootKind::Live), RootKind::Live) }
    }

    fn with(archive: &[u8]) -> Self {
        let desk = Self::new();
        fs::write(desk.path("archive"), archive).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn arguments(&self, options: &Value) -> Value {
        let mut arguments =
            json!({ "source": self.path("archive"), "directory": self.path("to"), "remote": true });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        arguments
    }

    fn unpack(&self, options: &Value) -> Report {
        call(Mode::Change(&*self.system), &self.arguments(options))
    }

    /// Predicts it, does it, and does it again.
    fn law(&self, options: &Value) {
        let overlay = Overlay::new(Rc::clone(&self.system) as Rc<dyn View>);
        let before = tree(&self.path("to"));
        let predicted = call(Mode::Check(&overlay), &self.arguments(options));
        assert_eq!(tree(&self.path("to")), before, "check mode changes nothing");
        let made = self.unpack(options);
        assert_eq!(made.status, Status::Changed, "{:?}", made.failure);
        assert_eq!((predicted.status, predicted.steps), (Status::WouldChange, made.steps));
        assert_eq!(seen(&overlay, &self.path("to")), seen(&*self.system, &self.path("to")));
        let again = self.unpack(options);
        assert_eq!((again.status, again.steps.len()), (Status::Ok, 0));
    }

    /// Why it is refused. Nothing was unpacked then, and nothing was written beside the directory.
    fn refusal(&self, options: &Value) -> String {
        let before = tree(self.directory.path());
        let report = self.unpack(options);
        assert_eq!(tree(self.directory.path()), before);
        let failure = report.failure.expect("a failure").to_string();
        failure.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

fn call(mode: Mode<'_>, arguments: &Value) -> Report {
    // A test changes files by hand, too.
    changes::note();
    let registry = refrain_stdlib::registry();
    let calls = Calls::default();
    let call = Call::new(mode, &NoMaterials, &calls);
    registry.get("file::unpack").unwrap().call(arguments.clone(), &call)
}

/// What is below a directory: kind and mode, and content or target.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

fn tree(top: &Path) -> Tree {
    let mut found = Tree::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        let below = path.strip_prefix(top).unwrap().to_owned();
        found.insert(below, (metadata.mode(), content));
    }
    found
}

/// The same as a host shows it.
fn seen(host: &dyn View, top: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let stat = host.lstat(&path).unwrap().unwrap();
        let content = host.read_link(&path).unwrap().map_or_else(
            || format!("{:?}", host.read(&path).ok().flatten()),
            |target| target.display().to_string(),
        );
        lines.push(format!("{path:?} {:?} {:?} {content}", stat.kind, stat.attributes));
        todo.extend(host.list(&path).unwrap().into_iter().map(|name| path.join(name)));
    }
    lines.sort();
    lines
}

fn shell(directory: &Path, script: &str) {
    let status = Command::new("sh").args(["-ec", script]).current_dir(directory).status().unwrap();
    assert!(status.success(), "{script}");
}

/// Whether the program is here. At a desk its test is skipped.
fn have(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    let found = found.status.success();
    assert!(found || std::env::var_os("CI").is_none(), "{program} is missing");
    if !found {
        eprintln!("skipped: {program} is missing");
    }
    found
}

/// A tree with what a release has: programs, links, deep and empty directories, odd names, something large.
fn furnish(top: &Path) {
    let deep = "d".repeat(120);
    for directory in ["app/bin", "app/lib/empty", "app/share/with blank", &format!("app/{deep}/{deep}")] {
        fs::create_dir_all(top.join(directory)).unwrap();
    }
    for (path, content, mode) in [
        ("app/bin/tool", b"#!/bin/sh\n".repeat(3), 0o755),
        ("app/lib/data", (0..100_000_u32).flat_map(u32::to_le_bytes).collect(), 0o640),
        ("app/share/with blank/ümläut", Vec::new(), 0o444),
        (&format!("app/{deep}/{deep}/file"), b"deep".to_vec(), 0o600),
        ("app/LICENSE.md", b"Do what you want.\n".to_vec(), 0o644),
    ] {
        fs::write(top.join(path), content).unwrap();
        fs::set_permissions(top.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(top.join("app/lib/empty"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("../bin/tool", top.join("app/lib/tool")).unwrap();
    symlink("nowhere", top.join("app/dangling")).unwrap();
    fs::hard_link(top.join("app/bin/tool"), top.join("app/bin/twin")).unwrap();
}

#[test]
fn archives_of_the_usual_programs_are_unpacked_as_they_do_it() {
    for (program, pack, unpack) in [
        ("tar", "tar cf ../archive app", "tar xpf ../archive"),
        ("tar", "tar --format=pax -cf ../archive app", "tar xpf ../archive"),
        ("tar", "tar --format=gnu -czf ../archive ./app", "tar xpf ../archive"),
        ("xz", "tar cJf ../archive app", "tar xpf ../archive"),
        ("zstd", "tar c app | zstd -q --long=27 - -o ../archive", "tar xpf ../archive"),
        (
            "zstd",
            "tar c app | split -b 100k --filter='zstd -q' > ../archive",
            "zstd -dcq ../archive | tar xp",
        ),
        ("zip", "zip -qry ../archive.zip app && mv ../archive.zip ../archive", "unzip -qX ../archive"),
        ("zip", "zip -0qry ../archive.zip app && mv ../archive.zip ../archive", "unzip -qX ../archive"),
    ] {
        if !have(program) || (program == "zip" && !have("unzip")) {
            continue;
        }
        let desk = Desk::new();
        for directory in ["from", "expected"] {
            fs::create_dir(desk.path(directory)).unwrap();
        }
        furnish(&desk.path("from"));
        shell(&desk.path("from"), pack);
        shell(&desk.path("expected"), &format!("umask 0; {unpack}"));
        desk.law(&json!({}));
        // What holds it is not in the archive.
        let (mut found, mut expected) = (tree(&desk.path("to")), tree(&desk.path("expected")));
        found.remove(Path::new(""));
        expected.remove(Path::new(""));
        assert!(found == expected, "{pack}: {:?}", found.keys().collect::<Vec<_>>());
    }
}

#[test]
fn files_with_holes_are_unpacked_or_refused() {
    for (format, whole) in [("gnu", true), ("pax", false)] {
        let desk = Desk::new();
        let holes = "dd if=/dev/null of=holes bs=1M seek=1 2>&1; echo end >> holes";
        shell(desk.directory.path(), &format!("{holes}; tar --sparse --format={format} -cf archive holes"));
        if whole {
            desk.law(&json!({}));
            let same = fs::read(desk.path("to/holes")).unwrap() == fs::read(desk.path("holes")).unwrap();
            assert!(same, "{format}");
        } else {
            let refusal = desk.refusal(&json!({}));
            assert!(refusal.ends_with("is a file with holes in the format of pax"), "{refusal}");
        }
    }
}

#[test]
fn only_what_differs_is_changed() {
    let desk = Desk::with(
        &Tar::new()
            .directory("bin", 0o755)
            .file("bin/a", 0o755, b"one\n")
            .file("bin/b", 0o644, b"two\n")
            .link("bin/c", "a")
            .gzip(),
    );
    desk.law(&json!({}));
    fs::write(desk.path("to/bin/mine"), "stays").unwrap();
    fs::write(desk.path("to/bin/a"), "drifted\n").unwrap();
    fs::set_permissions(desk.path("to/bin/b"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(desk.path("to/bin/c")).unwrap();
    symlink("b", desk.path("to/bin/c")).unwrap();
    let report = desk.unpack(&json!({}));
    let bin = desk.path("to/bin").display().to_string();
    let steps: Vec<_> =
        report.steps.iter().map(|step| (step.text.replace(&bin, ""), step.diff.clone())).collect();
    assert_eq!(
        steps,
        [
            ("write /a".to_owned(), Some("@@ -1 +1 @@\n-drifted\n+one\n".to_owned())),
            ("set mode 0644 (was 0600) of /b".to_owned(), None),
            ("link /c -> a (was b)".to_owned(), None),
        ]
    );
    assert!(desk.path("to/bin/mine").exists());
}

#[test]
fn directories_that_are_implied_or_missing_are_made() {
    let desk = Desk::with(&Tar::new().file("./app-1.0/a/b/c", 0o666, b"x").bytes());
    fs::remove_dir(desk.path("to")).unwrap();
    desk.system.lstat(&desk.path("to")).unwrap();
    let report = desk.unpack(&json!({ "strip": 1, "mode": "go-w", "directory": desk.path("to/deeper") }));
    assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
    let found = tree(&desk.path("to"));
    let modes: Vec<_> = found.values().map(|(mode, _)| mode & 0o7777).collect();
    assert_eq!(modes, [0o755, 0o755, 0o755, 0o755, 0o644]);
    assert!(found.contains_key(Path::new("deeper/a/b/c")));
}

#[test]
fn what_is_excluded_or_stripped_away_is_left_out() {
    let archive = Tar::new()
        .file("app/README.md", 0o644, b"x")
        .file("app/doc/deep/page", 0o644, b"x")
        .file("app/bin/app", 0o755, b"x")
        .file("top", 0o644, b"x")
        .device("app/doc/null");
    let desk = Desk::with(&archive.bytes());
    desk.law(&json!({ "strip": 1, "exclude": ["*.md", "doc"] }));
    let found: Vec<_> = tree(&desk.path("to")).into_keys().collect();
    assert_eq!(found, ["", "bin", "bin/app"].map(PathBuf::from));
    assert_eq!(desk.unpack(&json!({ "strip": 9 })).status, Status::Ok);
    for pattern in ["/bin", "../bin", ""] {
        assert_eq!(
            desk.refusal(&json!({ "exclude": pattern })),
            format!("`{pattern}` is no path below the directory")
        );
    }
}

#[test]
fn special_bits_are_kept_only_when_asked_for() {
    let archive = Tar::new().file("su", 0o4755, b"x").directory("tmp", 0o1777).bytes();
    let desk = Desk::with(&archive);
    let modes =
        || tree(&desk.path("to")).into_values().skip(1).map(|(mode, _)| mode & 0o7777).collect::<Vec<_>>();
    desk.law(&json!({}));
    assert_eq!(modes(), [0o755, 0o777]);
    desk.law(&json!({ "special_bits": true }));
    assert_eq!(modes(), [0o4755, 0o1777]);
    desk.law(&json!({}));
    assert_eq!(modes(), [0o755, 0o1777], "a directory keeps what it has");
    assert_eq!(
        desk.refusal(&json!({ "mode": "0644" })),
        "the mode 0644 can't be that of files and directories alike"
    );
}

#[test]
fn owners_are_those_that_are_asked_for() {
    let desk =
        Desk::with(&Tar::new().directory("d", 0o755).file("d/a", 0o600, b"x").link("d/l", "a").bytes());
    if desk.system.identity().0 != 0 {
        assert!(std::env::var_os("CI").is_none(), "needs root");
        eprintln!("skipped: giving files away needs root");
        return;
    }
    desk.law(&json!({}));
    desk.law(&json!({ "owner": 1234, "group": 5678 }));
    let owner = |name: &str| {
        let metadata = fs::symlink_metadata(desk.path(name)).unwrap();
        (metadata.uid(), metadata.gid())
    };
    for name in ["to/d", "to/d/a", "to/d/l"] {
        assert_eq!(owner(name), (1234, 5678), "{name}");
    }
    assert_eq!(owner("to"), (0, 0), "what is there stays as it is");
    // A link that is replaced keeps its owner.
    fs::write(desk.path("archive"), Tar::new().file("d/a", 0o600, b"x").link("d/l", "b").bytes()).unwrap();
    desk.law(&json!({}));
    assert_eq!(owner("to/d/l"), (1234, 5678));
}

#[test]
fn an_entry_that_comes_again_replaces_the_first() {
    let archive = Tar::new()
        .file("a", 0o644, b"old")
        .hard_link("b", "a")
        .hard_link("c", "b")
        .file("a", 0o600, b"new")
        .link("d", "a")
        .file("d", 0o644, b"a file now");
    let desk = Desk::with(&archive.bytes());
    desk.law(&json!({}));
    assert_eq!(fs::read(desk.path("to/a")).unwrap(), b"new");
    assert_eq!(fs::read(desk.path("to/d")).unwrap(), b"a file now");
    assert_eq!(fs::metadata(desk.path("to/c")).unwrap().nlink(), 1, "a hard link is a file of its own");
    // The content of a hard link can come from the host.
    fs::remove_file(desk.path("to/c")).unwrap();
    desk.law(&json!({}));
    assert_eq!(fs::read(desk.path("to/c")).unwrap(), b"new");
}

#[test]
fn links_on_the_host_are_replaced_and_never_followed() {
    let desk = Desk::with(&Tar::new().file("a", 0o644, b"new").file("d/b", 0o644, b"x").bytes());
    fs::create_dir(desk.path("outside")).unwrap();
    fs::write(desk.path("outside/a"), "outside").unwrap();
    symlink("../outside/a", desk.path("to/a")).unwrap();
    symlink("../outside", desk.path("to/d")).unwrap();
    assert_eq!(desk.refusal(&json!({})), "`to/d` is a link, and the archive has a directory there");
    fs::remove_file(desk.path("to/d")).unwrap();
    desk.law(&json!({}));
    assert_eq!(fs::read(desk.path("outside/a")).unwrap(), b"outside");
    assert_eq!(fs::read(desk.path("to/a")).unwrap(), b"new");
    // The directory itself may be reached through a link.
    symlink("to", desk.path("by")).unwrap();
    assert_eq!(desk.unpack(&json!({ "directory": desk.path("by") })).status, Status::Ok);
}

#[test]
fn what_is_in_the_way_is_not_removed() {
    let desk = Desk::with(&Tar::new().directory("a", 0o755).file("b", 0o644, b"x").link("c", "b").bytes());
    for (name, directory, refusal) in [
        ("to/a", false, "`to/a` is a file, and the archive has a directory there"),
        ("to/b", true, "`to/b` is a directory, and the archive has a file there"),
        ("to/c", true, "`to/c` is a directory, and the archive has a link there"),
    ] {
        if directory {
            fs::create_dir(desk.path(name)).unwrap();
            assert_eq!(desk.refusal(&json!({})), refusal);
            fs::remove_dir(desk.path(name)).unwrap();
        } else {
            fs::write(desk.path(name), "").unwrap();
            assert_eq!(desk.refusal(&json!({})), refusal);
            fs::remove_file(desk.path(name)).unwrap();
        }
    }
}

#[test]
fn nothing_leads_out_of_the_directory() {
    let name = |name: &str, problem: &str| format!("it has an entry `{name}`: the name {problem}");
    let link = |path: &str, target: &str| format!("its link `{path}` leads out of the directory: {target}");
    let cases: [(Tar, String); 14] = [
        (Tar::new().file("/etc/x", 0o644, b"x"), name("/etc/x", "is absolute")),
        (Tar::new().file("../x", 0o644, b"x"), name("../x", "has `..` in it")),
        (
            Tar::new().file("ok", 0o644, b"").file("a/../../x", 0o644, b"x"),
            name("a/../../x", "has `..` in it"),
        ),
        (Tar::new().link("l", "/etc"), link("l", "/etc")),
        (Tar::new().link("l", ".."), link("l", "..")),
        (Tar::new().directory("d", 0o755).link("d/l", "../../x"), link("d/l", "../../x")),
        // Taken letter by letter, `d/e/up/../..` would be `d`.
        (
            Tar::new().directory("d/e", 0o755).link("d/e/up", "../..").link("l", "d/e/up/../.."),
            link("l", "d/e/up/../.."),
        ),
        (Tar::new().link("a", "b/../..").link("b", "."), link("a", "b/../..")),
        (
            Tar::new().link("l", "d").directory("d", 0o755).file("l/x", 0o644, b"x"),
            "it has something below `l`, which is no directory in it".to_owned(),
        ),
        (
            Tar::new().file("f", 0o644, b"").file("f/x/y", 0o644, b"x"),
            "it has something below `f`, which is no directory in it".to_owned(),
        ),
        (Tar::new().device("null"), "its entry `null` is a device".to_owned()),
        (Tar::new().pipe("p"), "its entry `p` is a named pipe".to_owned()),
        (Tar::new().hard_link("h", "../x"), name("../x", "has `..` in it")),
        (
            Tar::new().hard_link("h", "x"),
            "its hard link `h` is to `x`, which is no file that is unpacked".to_owned(),
        ),
    ];
    for (archive, expected) in cases {
        let desk = Desk::with(&archive.gzip());
        assert_eq!(desk.refusal(&json!({})), format!("can't unpack `archive`: {expected}"));
    }
}

#[test]
fn links_on_the_host_count_when_a_link_is_followed() {
    let desk = Desk::with(&Tar::new().link("l", "up/x").bytes());
    symlink("..", desk.path("to/up")).unwrap();
    assert!(desk.refusal(&json!({})).contains("leads out of the directory: up/x"));
    fs::remove_file(desk.path("to/up")).unwrap();
    fs::create_dir_all(desk.path("to/up")).unwrap();
    desk.law(&json!({}));
}

#[test]
fn zip_archives_that_mean_harm_are_refused() {
    let file = 0o100_644;
    let cases: [(Vec<u8>, &str); 6] = [
        (zip(&[("../x", file, b"x")]), "it has an entry `../x`: the name has `..` in it"),
        (zip(&[("/x", file, b"x")]), "it has an entry `/x`: the name is absolute"),
        (zip(&[("l", 0o120_777, b"/etc/passwd")]), "its link `l` leads out of the directory: /etc/passwd"),
        (zip(&[("l", 0o120_777, b".."), ("l/x", file, b"x")]), "its link `l` leads out of the directory: .."),
        (zip(&[("p", 0o010_644, b"")]), "its entry `p` is a special file"),
        (zip(&[("l", 0o120_777, &[b'x'; 5000])]), "it is damaged: the link `l` is too long"),
    ];
    for (archive, expected) in cases {
        assert_eq!(Desk::with(&archive).refusal(&json!({})), format!("can't unpack `archive`: {expected}"));
    }
    let damaged = Desk::with(
        &zip(&[("a", file, b"content")])
            .iter()
            .map(|byte| if *byte == b'c' { b'C' } else { *byte })
            .collect::<Vec<_>>(),
    );
    assert!(damaged.refusal(&json!({})).contains("it is damaged"));
}

#[test]
fn modes_of_other_systems_are_the_usual_ones() {
    let desk = Desk::with(&zip(&[("d/", 0, b""), ("d/a", 0, b"x")]));
    desk.law(&json!({}));
    let modes: Vec<_> = tree(&desk.path("to")).into_values().map(|(mode, _)| mode & 0o7777).collect();
    assert_eq!(modes[1..], [0o755, 0o644]);
}

#[test]
fn small_archives_of_large_things_are_refused() {
    let bomb = Tar::new().file("zeros", 0o644, &vec![0; 5_000_000]).gzip();
    assert!(bomb.len() < 10_000);
    let desk = Desk::with(&bomb);
    let too_large = |limit: u64| format!("can't unpack `archive`: it unpacks to more than {limit} bytes");
    assert_eq!(desk.refusal(&json!({ "max_size": 1_000_000 })), too_large(1_000_000));
    assert_eq!(desk.refusal(&json!({ "max_size": 1_000_000, "exclude": "zeros" })), too_large(1_000_000));
    desk.law(&json!({ "max_size": 6_000_000 }));

    // Many files of nothing, and many names of one large file.
    let empty = (0..1000).fold(Tar::new(), |tar, number| tar.file(&number.to_string(), 0o644, b""));
    assert_eq!(Desk::with(&empty.bytes()).refusal(&json!({ "max_size": 3_000_000 })), too_large(3_000_000));
    let large = Tar::new().file("0", 0o644, &[0; 100_000]);
    let linked = (1..100).fold(large, |tar, number| tar.hard_link(&number.to_string(), "0"));
    assert_eq!(Desk::with(&linked.bytes()).refusal(&json!({ "max_size": 5_000_000 })), too_large(5_000_000));
    // What is more than everything.
    let sparse = Tar::new().of_size("huge", u64::MAX >> 2);
    assert_eq!(Desk::with(&sparse.bytes()).refusal(&json!({})), too_large(512 * 1024 * 1024));
}

#[test]
fn what_is_no_archive_says_so() {
    let whole = Tar::new().file("a", 0o644, &[b'x'; 5000]).bytes();
    let gzip = Tar::new().file("a", 0o644, &[b'x'; 5000]).gzip();
    let mut flipped = gzip.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is no archive of a known format"),
        (b"#!/bin/sh\n", "it is no archive of a known format"),
        (&archives::gzip(b"only text"), "it is one file compressed with gzip, not an archive"),
        (&whole[..3000], "it is damaged"),
        (&gzip[..gzip.len() - 9], "it is damaged"),
        (&flipped, "it is damaged"),
    ];
    for (archive, expected) in cases {
        let refusal = Desk::with(archive).refusal(&json!({}));
        assert!(refusal.starts_with(&format!("can't unpack `archive`: {expected}")), "{refusal}");
    }
    let desk = Desk::new();
    assert_eq!(desk.refusal(&json!({})), "there is no file `archive` on the host");
    assert_eq!(Desk::with(&[0; 10240]).unpack(&json!({})).status, Status::Ok, "an empty archive");
}

#[test]
fn check_mode_goes_on_where_the_archive_is_not_known() {
    let desk = Desk::with(b"");
    let overlay = Overlay::new(Rc::clone(&desk.system) as Rc<dyn View>);
    let attributes = desk.system.lstat(&desk.path("archive")).unwrap().unwrap().attributes;
    overlay.write(&desk.path("archive"), refrain_engine::system::Content::Unknown, attributes).unwrap();
    let report = call(Mode::Check(&overlay), &desk.arguments(&json!({})));
    assert_eq!(report.status, Status::MayChange, "{:?}", report.failure);
    let new = desk.arguments(&json!({ "directory": desk.path("new") }));
    let report = call(Mode::Check(&overlay), &new);
    assert_eq!((report.status, report.steps.len()), (Status::WouldChange, 2));
    assert!(overlay.lstat(&desk.path("new")).unwrap().is_some());
}
