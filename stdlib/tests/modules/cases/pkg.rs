//! Packages by the real apt, pacman and dnf, from repositories that the tests make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::module::{Context, NoMaterials, State};
use refrain_engine::step::Undo;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{RootKind, System, View, changes};
use refrain_stdlib::pkg::install::Install;
use refrain_stdlib::pkg::service_denial;
use serde_json::{Value, json};

use super::host::{inside as on_root, is_root, tool};
use super::placed;
use crate::debian_root::{NAMESPACE, WORKS, offline, root, within};
use crate::namespaces::inside;

/// A package manager of this machine.
struct Manager {
    /// Programs that the test needs.
    tools: &'static [&'static str],
    /// Makes a root's configuration.
    configure: fn(&Path),
    /// Puts a package of this name and version, that needs another one, into the repository of a root.
    offer: fn(&Path, &str, &str, Option<&str>),
    /// How a package's version is spelled.
    version: fn(&str) -> String,
}

const APT: Manager = Manager {
    tools: &["apt-get", "dpkg-deb", "mount"],
    configure: apt_root,
    offer: apt_offer,
    version: str::to_owned,
};
const PACMAN: Manager = Manager {
    tools: &["pacman", "tar", "mount"],
    configure: pacman_root,
    offer: pacman_offer,
    version: |version| format!("{version}-1"),
};
const DNF: Manager = Manager {
    tools: &["dnf", "rpmbuild", "createrepo_c", "mount"],
    configure: dnf_root,
    offer: dnf_offer,
    version: |version| format!("{version}-1"),
};

fn put(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs a shell script of the test's own.
fn sh(directory: &Path, script: &str) -> String {
    let output =
        Command::new("sh").args(["-ec", script]).current_dir(directory).stdin(Stdio::null()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn apt_root(root: &Path) {
    for directory in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/log/apt",
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "etc/dpkg/dpkg.cfg.d",
    ] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    put(root.join("var/lib/dpkg/status"), "");
    put(root.join("etc/os-release"), "ID=debian\n");
    put(root.join("etc/apt/sources.list"), "deb [trusted=yes] file:/srv/repo ./\n");
}

fn apt_offer(root: &Path, name: &str, version: &str, needs: Option<&str>) {
    let build = root.join("srv/build");
    let _ = fs::remove_dir_all(&build);
    let needs = needs.map(|needs| format!("Depends: {needs}\n")).unwrap_or_default();
    put(
        build.join("DEBIAN/control"),
        &format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@localhost>\n{needs}\
             Provides: {name}-provided\nDescription: of a test\n"
        ),
    );
    put(build.join("DEBIAN/conffiles"), &format!("/etc/{name}.conf\n"));
    put(build.join(format!("etc/{name}.conf")), "setting\n");
    put(build.join(format!("opt/{name}/data")), version);
    fs::create_dir_all(root.join("srv/repo")).unwrap();
    let script = "dpkg-deb --root-owner-group -Zxz -b build repo >&2; cd repo; \
        for d in *.deb; do dpkg-deb -f $d; echo Filename: ./$d; echo Size: $(stat -c %s $d); \
        echo SHA256: $(sha256sum $d | cut -d' ' -f1); echo; done > Packages";
    sh(&root.join("srv"), script);
}

fn pacman_root(root: &Path) {
    for directory in ["var/lib/pacman", "var/cache/pacman/pkg"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    put(root.join("etc/os-release"), "ID=arch\n");
    let text = "[options]\nArchitecture = auto\nSigLevel = Never\n[test]\nServer = file:///srv/repo\n";
    put(root.join("etc/pacman.conf"), text);
}

fn pacman_offer(root: &Path, name: &str, version: &str, needs: Option<&str>) {
    let build = root.join("srv/build");
    let _ = fs::remove_dir_all(&build);
    let needs_line = needs.map(|needs| format!("depend = {needs}\n")).unwrap_or_default();
    put(
        build.join(".PKGINFO"),
        &format!(
            "pkgname = {name}\npkgbase = {name}\npkgver = {version}-1\npkgdesc = x\nurl = x\nbuilddate = 1700000000\n\
             packager = t\nsize = 10\narch = any\nprovides = {name}-provided\n{needs_line}"
        ),
    );
    put(build.join(format!("etc/{name}.conf")), "setting\n");
    put(build.join(format!("opt/{name}/data")), version);
    let file = format!("{name}-{version}-1-any.pkg.tar.gz");
    fs::create_dir_all(root.join("srv/repo")).unwrap();
    sh(&root.join("srv"), &format!("tar -C build --owner=0 --group=0 -czf repo/{file} .PKGINFO etc opt"));
    // The newest of each name is in the index.
    let database = root.join("srv/database");
    for entry in fs::read_dir(&database).into_iter().flatten().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with(name) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let size = fs::metadata(root.join("srv/repo").join(&file)).unwrap().len();
    let mut description = format!(
        "%FILENAME%\n{file}\n\n%NAME%\n{name}\n\n%VERSION%\n{version}-1\n\n%ARCH%\nany\n\n%CSIZE%\n{size}\n\n\
         %PROVIDES%\n{name}-provided\n\n"
    );
    if let Some(needs) = needs {
        description.push_str(&format!("%DEPENDS%\n{needs}\n\n"));
    }
    put(database.join(format!("{name}-{version}-1/desc")), &description);
    // The second of its last change says whether it is another one.
    let minutes = fs::read_dir(root.join("srv/repo")).unwrap().count();
    sh(&database, &format!("tar -czf ../repo/test.db *; touch -d '+{minutes} minutes' ../repo/test.db"));
}

fn dnf_root(root: &Path) {
    let made = Command::new("chroot").arg(root).args(["rpm", "--initdb"]).status().unwrap();
    assert!(made.success());
    put(root.join("etc/os-release"), "ID=fedora\nVERSION_ID=40\n");
    put(root.join("etc/dnf/dnf.conf"), "[main]\ngpgcheck=False\n");
    put(
        root.join("etc/yum.repos.d/test.repo"),
        "[test]\nname=test\nbaseurl=file:///srv/repo\nmetadata_expire=0\n",
    );
}

fn dnf_offer(root: &Path, name: &str, version: &str, needs: Option<&str>) {
    let needs = needs.map(|needs| format!("Requires: {needs}\n")).unwrap_or_default();
    let spec = format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n\
         Provides: {name}-provided\n{needs}%description\nx\n%install\nmkdir -p %{{buildroot}}/opt/{name} %{{buildroot}}/etc\n\
         echo {version} > %{{buildroot}}/opt/{name}/data\necho setting > %{{buildroot}}/etc/{name}.conf\n\
         %files\n/opt/{name}/data\n%config(noreplace) /etc/{name}.conf\n"
    );
    put(root.join("srv/test.spec"), &spec);
    let script = "rpmbuild -bb --quiet --define \"_topdir $PWD/build\" --define \"_rpmdir $PWD/repo\" test.spec >&2; \
        createrepo_c -q repo";
    sh(&root.join("srv"), script);
}

fn call(mode: Mode<'_>, name: &str, arguments: &Value) -> Report {
    changes::note();
    let calls = Calls::default();
    refrain_stdlib::registry()
        .get(name)
        .unwrap()
        .call(arguments.clone(), &Call::new(mode, &NoMaterials, &calls))
}

fn words(report: &Report) -> Vec<&str> {
    report.steps.iter().map(|step| step.text.as_str()).collect()
}

/// All files of a root but those of the machine, with the times of their last changes.
fn files(root: &Path) -> BTreeMap<PathBuf, u128> {
    let mut all = BTreeMap::new();
    let mut todo: Vec<PathBuf> = ["etc", "var", "opt", "run", "root"].map(|name| root.join(name)).to_vec();
    while let Some(path) = todo.pop() {
        // dpkg takes `/opt` away with the last package that had something there.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        // A database that is opened has these beside it.
        if path.to_string_lossy().ends_with("-shm") || path.to_string_lossy().ends_with("-wal") {
            continue;
        }
        let modified = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
        all.insert(path, modified.as_nanos());
    }
    all
}

/// What is foretold, and writes nothing; then what is done, which is that.
fn change(root: &Path, host: &Rc<dyn System>, name: &str, arguments: &Value) -> Report {
    let untouched = files(root);
    let overlay = Overlay::new(Rc::clone(host) as Rc<dyn View>);
    let foretold = call(Mode::Check(&overlay), name, arguments);
    assert!(foretold.failure.is_none(), "{name} {arguments}: {:?}", foretold.failure);
    assert_eq!(foretold.status, Status::WouldChange, "{name} {arguments}");
    let twice = call(Mode::Check(&overlay), name, arguments);
    assert_eq!(twice.status, Status::Ok, "{name} {arguments}: {:?} {:?}", twice.steps, twice.failure);
    let touched: Vec<_> =
        files(root).into_iter().filter(|(path, time)| untouched.get(path) != Some(time)).collect();
    assert!(touched.is_empty(), "{name} {arguments} in check mode wrote {touched:?}");
    let made = call(Mode::Change(&**host), name, arguments);
    assert_eq!((made.status, &made.failure), (Status::Changed, &None), "{name} {arguments}");
    assert_eq!(words(&foretold), words(&made));
    let again = call(Mode::Change(&**host), name, arguments);
    assert_eq!(again.status, Status::Ok, "{name} {arguments}: {:?} {:?}", again.steps, again.failure);
    made
}

fn refuse(host: &Rc<dyn System>, name: &str, arguments: &Value) -> String {
    let report = call(Mode::Change(&**host), name, arguments);
    report.failure.unwrap_or_else(|| panic!("{name} {arguments}: {:?}", report.status)).to_string()
}

fn answer(host: &Rc<dyn System>, name: &str, package: &str) -> Value {
    match &call(Mode::Change(&**host), name, &json!({ "package": package })).fields[..] {
        [(_, Field::Known(value))] => value.clone(),
        fields => panic!("{fields:?}"),
    }
}

/// Whether the test `name` goes on in this process, and with which root.
fn begin(manager: &Manager, name: &str) -> Option<tempfile::TempDir> {
    if manager.tools.iter().any(|name| tool(name).is_none())
        || !inside(module_path!(), name, &NAMESPACE, &WORKS)
    {
        return None;
    }
    let root = root();
    (manager.configure)(root.path());
    (manager.offer)(root.path(), "beta", "1.0", None);
    (manager.offer)(root.path(), "alpha", "1.0", Some("beta"));
    Some(root)
}

/// The whole life of packages.
fn live(manager: &Manager, name: &str) {
    let Some(root) = begin(manager, name) else { return };
    let version = manager.version;
    let place = || placed(offline, RootKind::Offline);
    within(root.path(), place, |host| {
        // The index was never fetched: that comes first, and check mode knows what it would say.
        let installed = change(Path::new("/"), &host, "pkg::install", &json!({ "packages": "alpha" }));
        let mut steps = words(&installed);
        steps.sort_unstable();
        assert_eq!(
            steps,
            [format!("install alpha {}", version("1.0")), format!("install beta {}", version("1.0"))]
        );
        assert_eq!(fs::read_to_string("/opt/alpha/data").unwrap().trim(), "1.0");
        assert_eq!(answer(&host, "pkg::version", "alpha"), version("1.0"));
        assert_eq!(answer(&host, "pkg::installed", "beta-provided"), true);
        assert_eq!(answer(&host, "pkg::installed", "gamma"), false);

        let complaint = refuse(&host, "pkg::install", &json!({ "packages": ["alpha", "gamma"] }));
        assert!(complaint.contains("no repository has one of the packages"), "{complaint}");
        let complaint = refuse(&host, "pkg::remove", &json!({ "packages": "beta" }));
        assert!(complaint.contains("need"), "{complaint}");
        assert_eq!(answer(&host, "pkg::installed", "alpha"), true);
        change(Path::new("/"), &host, "pkg::remove", &json!({ "packages": ["alpha", "beta"] }));
        assert_eq!(answer(&host, "pkg::installed", "alpha"), false);
    });
}

/// A newer version is seen once the index is, and is taken by `update` and by an upgrade.
fn grow(manager: &Manager, name: &str) {
    let Some(root) = begin(manager, name) else { return };
    let version = manager.version;
    let place = || placed(offline, RootKind::Offline);
    within(root.path(), place, |host| {
        change(Path::new("/"), &host, "pkg::install", &json!({ "packages": "alpha" }));
        let arguments = json!({ "packages": ["alpha", "beta"], "update": true });
        assert_eq!(call(Mode::Change(&*host), "pkg::install", &arguments).status, Status::Ok);
    });
    (manager.offer)(root.path(), "beta", "2.0", None);
    within(root.path(), place, |host| {
        let refreshed = call(Mode::Change(&*host), "pkg::refresh", &json!({}));
        assert_eq!(refreshed.failure, None);
        let arguments = json!({ "packages": "beta", "update": true });
        let overlay = Overlay::new(Rc::clone(&host) as Rc<dyn View>);
        let update = format!("update beta to {} (was {})", version("2.0"), version("1.0"));
        assert_eq!(words(&call(Mode::Check(&overlay), "pkg::install", &arguments)), [update.as_str()]);
        let upgraded = change(Path::new("/"), &host, "pkg::upgrade", &json!({}));
        assert_eq!(words(&upgraded), [update.as_str()]);
        assert_eq!(call(Mode::Change(&*host), "pkg::install", &arguments).status, Status::Ok);
    });
}

/// What was installed is taken back.
fn go_back(manager: &Manager, name: &str) {
    let Some(root) = begin(manager, name) else { return };
    within(
        root.path(),
        || placed(offline, RootKind::Offline),
        |host| {
            let install: Install = serde_json::from_value(json!({ "packages": "alpha" })).unwrap();
            let found = install.look(&Context { host: &*host, materials: &NoMaterials }).unwrap();
            let steps = install.plan(&found).unwrap();
            let Undo::Run { commands, kept: None } = steps[0].undo() else { panic!("{:?}", steps[0].undo()) };
            steps[0].act(&*host).unwrap();
            assert_eq!(answer(&host, "pkg::installed", "beta"), true);
            for command in commands {
                host.run(&command).unwrap().require_success(&command).unwrap();
            }
            for name in ["alpha", "beta"] {
                assert_eq!(answer(&host, "pkg::installed", name), false);
                assert!(!Path::new("/etc").join(format!("{name}.conf")).exists());
            }
        },
    );
}

#[test]
fn apt_installs_and_removes() {
    live(&APT, "apt_installs_and_removes");
}

#[test]
fn apt_upgrades() {
    grow(&APT, "apt_upgrades");
}

#[test]
fn what_apt_installed_is_taken_back() {
    go_back(&APT, "what_apt_installed_is_taken_back");
}

#[test]
fn pacman_installs_and_removes() {
    live(&PACMAN, "pacman_installs_and_removes");
}

#[test]
fn pacman_upgrades() {
    grow(&PACMAN, "pacman_upgrades");
}

#[test]
fn what_pacman_installed_is_taken_back() {
    go_back(&PACMAN, "what_pacman_installed_is_taken_back");
}

#[test]
fn dnf_installs_and_removes() {
    live(&DNF, "dnf_installs_and_removes");
}

#[test]
fn dnf_upgrades() {
    grow(&DNF, "dnf_upgrades");
}

#[test]
fn what_dnf_installed_is_taken_back() {
    go_back(&DNF, "what_dnf_installed_is_taken_back");
}

#[test]
fn a_locked_database_is_waited_for_with_a_bound() {
    let Some(root) = begin(&PACMAN, "a_locked_database_is_waited_for_with_a_bound") else { return };
    within(
        root.path(),
        || placed(offline, RootKind::Offline),
        |host| {
            let install = |packages: &str| json!({ "packages": packages, "lock_timeout": 0.5 });
            change(Path::new("/"), &host, "pkg::install", &install("beta"));
            fs::write("/var/lib/pacman/db.lck", "").unwrap();
            let complaint = refuse(&host, "pkg::install", &install("alpha"));
            assert!(complaint.contains("has the package database locked for more than 0.5 s"), "{complaint}");
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(std::time::Duration::from_millis(600));
                    fs::remove_file("/var/lib/pacman/db.lck").unwrap();
                });
                let patient = json!({ "packages": "alpha", "lock_timeout": 60 });
                assert_eq!(call(Mode::Change(&*host), "pkg::install", &patient).failure, None);
            });
        },
    );
}

#[test]
fn versions_and_edited_files_of_debian() {
    let Some(root) = begin(&APT, "versions_and_edited_files_of_debian") else { return };
    (APT.offer)(root.path(), "beta", "2.0", None);
    within(
        root.path(),
        || placed(offline, RootKind::Offline),
        |host| {
            let old = json!({ "packages": "beta=1.0" });
            let new = json!({ "packages": "beta=2.0" });
            assert_eq!(words(&change(Path::new("/"), &host, "pkg::install", &old)), ["install beta 1.0"]);
            fs::write("/etc/beta.conf", "edited\n").unwrap();
            change(Path::new("/"), &host, "pkg::install", &new);
            change(Path::new("/"), &host, "pkg::install", &old);
            assert_eq!(fs::read_to_string("/etc/beta.conf").unwrap(), "edited\n");
            change(Path::new("/"), &host, "pkg::remove", &json!({ "packages": "beta" }));
            assert!(Path::new("/etc/beta.conf").exists());
            change(Path::new("/"), &host, "pkg::install", &old);
            change(Path::new("/"), &host, "pkg::remove", &json!({ "packages": "beta", "purge": true }));
            assert!(!Path::new("/etc/beta.conf").exists());
        },
    );
}

#[test]
fn nothing_is_started_where_nothing_may_be() {
    if !is_root() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("usr/sbin")).unwrap();
    let policy = Path::new("/usr/sbin/policy-rc.d");
    on_root(root.path(), |host| {
        service_denial::during(host, || {
            let words = fs::read_to_string(policy).unwrap();
            assert!(words.starts_with("#!/bin/sh\n") && words.ends_with("exit 101\n"), "{words}");
            Ok(())
        })
        .unwrap();
        assert!(!policy.exists());
        fs::write(policy, "#!/bin/sh\nexit 0\n").unwrap();
        service_denial::during(host, || Ok(())).unwrap();
        assert!(policy.exists(), "one that somebody else has put there stays");
    });
}
