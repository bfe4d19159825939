//! `xbps-rindex`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::definition::Definition;
use super::super::disk::sha256;
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::index::Index;
use super::super::key::Key;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options};
use super::super::package::Package;
use super::super::plist::Value;
use super::super::version;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('d', "debug", None),
    ('f', "force", None),
    ('h', "help", None),
    ('v', "verbose", None),
    ('V', "version", None),
    ('C', "hashcheck", None),
    ('3', "compression", Required),
    ('4', "privkey", Required),
    ('5', "signedby", Required),
    ('a', "add", None),
    ('c', "clean", None),
    ('r', "remove-obsoletes", None),
    ('s', "sign", None),
    ('S', "sign-pkg", None),
];

const USAGE: &str = include_str!("usage/xbps-rindex.txt");

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let modes: Vec<char> = ['a', 'c', 'r', 's', 'S'].into_iter().filter(|mode| options.has(*mode)).collect();
    if options.operands.is_empty() || modes.is_empty() {
        call.print(USAGE);
        return 1;
    }
    if modes.len() > 1 {
        call.complain(
            "ERROR: Only one mode can be specified: add, clean, remove-obsoletes, sign or sign-pkg.",
        );
        return 1;
    }
    let operands: Vec<PathBuf> = options.operands.iter().map(|path| call.absolute(Path::new(path))).collect();
    let mut xbps = match Xbps::open(call, &options, Vec::new(), true, false) {
        Ok(xbps) => xbps,
        Err(_) => return 1,
    };
    let done = match modes[0] {
        'a' => add(&mut xbps, &operands, options.has('f')),
        'c' => clean(&mut xbps, &options, &operands[0]),
        'r' => remove_obsolete(&mut xbps, &operands[0]),
        's' => sign(&mut xbps, &options, &operands[0]),
        _ => sign_packages(&mut xbps, &options, &operands),
    };
    i32::from(done.is_err())
}

fn place(xbps: &Xbps<'_, '_>, directory: &Path) -> PathBuf {
    directory.join(format!("{}-repodata", xbps.architecture))
}

/// The index in a directory.
fn read(xbps: &mut Xbps<'_, '_>, directory: &Path) -> Result<Option<Index>, Errno> {
    let place = place(xbps, directory);
    let index = match xbps.disk.read(&place) {
        Err(Errno::ENOENT) => return Ok(Option::None),
        read => read.and_then(|bytes| Index::from_bytes(&bytes)),
    };
    if let Err(errno) = &index {
        xbps.error(format!("failed to open repodata: {}: {errno}", place.display()));
    }
    index.map(Some)
}

fn write(xbps: &mut Xbps<'_, '_>, directory: &Path, index: &Index) -> Result<(), Errno> {
    let place = place(xbps, directory);
    let written = xbps.disk.write(&place, &index.to_bytes(), 0o644);
    if let Err(errno) = written {
        xbps.error(format!("failed to write repodata: {errno}"));
    }
    written
}

/// Adds package files to the index of the directory that the first one is in.
fn add(xbps: &mut Xbps<'_, '_>, files: &[PathBuf], force: bool) -> Result<(), Errno> {
    let directory = files[0].parent().unwrap_or(Path::new("/")).to_owned();
    let mut index = read(xbps, &directory)?.unwrap_or_default();
    for file in files {
        add_one(xbps, &mut index, file, force);
    }
    if !index.stage.is_empty() {
        commit(xbps, &mut index);
        write(xbps, &directory, &index)?;
    }
    xbps.say(format!("index: {} packages registered.", index.packages.len()));
    Ok(())
}

fn add_one(xbps: &mut Xbps<'_, '_>, index: &mut Index, file: &Path, force: bool) {
    let read = xbps.disk.read(file).ok();
    let found = read.and_then(|archive| Some((Definition::from_archive(&archive)?, archive)));
    let Some((definition, archive)) = found else {
        let file = file.display();
        return xbps.error(format!("index: failed to read ./props.plist metadata for `{file}', skipping!"));
    };
    let mut package = definition.package(&xbps.architecture);
    let (pkgver, architecture) = (package.pkgver().to_owned(), package.text("architecture").to_owned());
    if !["noarch", xbps.architecture.as_str()].contains(&architecture.as_str()) {
        return xbps.complain(format!("index: ignoring {pkgver}, unmatched arch ({architecture})"));
    }
    let name = package.name().to_owned();
    let known = index.stage.get(&name).or_else(|| index.packages.get(&name));
    if let Some(known) = known.filter(|_| !force)
        && !is_newer(&package, known)
    {
        return xbps.complain(format!("index: skipping `{pkgver}' ({architecture}), already registered."));
    }
    package.set("filename-sha256", Value::Text(sha256(&archive)));
    package.set("filename-size", Value::Number(archive.len() as u64));
    index.stage.insert(name, package);
}

fn is_newer(package: &Package, known: &Package) -> bool {
    let order = version::compare(package.pkgver(), known.pkgver());
    (order.is_gt() && !known.reverts(package.pkgver())) || (order.is_lt() && package.reverts(known.pkgver()))
}

/// Takes what waits into the index, unless shared libraries would be missed that were there before.
fn commit(xbps: &mut Xbps<'_, '_>, index: &mut Index) {
    let missed = missed_libraries(index);
    if missed.is_empty() {
        for (name, package) in std::mem::take(&mut index.stage) {
            xbps.say(format!("index: added `{}' ({}).", package.pkgver(), package.text("architecture")));
            index.packages.insert(name, package);
        }
        return;
    }
    xbps.say("Inconsistent shlibs:");
    for (library, (provider, users)) in missed {
        xbps.say(format!("  {library} (provided by: {provider}; used by: {})", users.join(", ")));
    }
    for package in index.stage.values() {
        xbps.say(format!("stage: added `{}' ({})", package.pkgver(), package.text("architecture")));
    }
}

/// Libraries that would be gone, with the names of who provides them now and of who needs them.
fn missed_libraries(index: &Index) -> BTreeMap<String, (String, Vec<String>)> {
    let staged = |name: &String| index.stage.contains_key(name);
    let leaving = index.packages.iter().filter(|(name, _)| staged(name));
    let provided_before: BTreeMap<&str, &String> = leaving
        .flat_map(|(name, package)| package.texts("shlib-provides").map(move |one| (one, name)))
        .collect();
    let staying = index.packages.iter().filter(|(name, _)| !staged(name)).map(|(_, package)| package);
    let provided_after: BTreeSet<&str> =
        staying.chain(index.stage.values()).flat_map(|package| package.texts("shlib-provides")).collect();
    let mut missed = BTreeMap::<_, (String, Vec<String>)>::new();
    for (name, package) in &index.packages {
        let package = index.stage.get(name).unwrap_or(package);
        for library in package.texts("shlib-requires").filter(|library| !provided_after.contains(library)) {
            if let Some(provider) = provided_before.get(library) {
                let entry = missed.entry(library.to_owned());
                entry.or_insert_with(|| ((*provider).clone(), Vec::new())).1.push(name.clone());
            }
        }
    }
    missed
}

/// Forgets packages whose files are gone, or, with `-C`, differ.
fn clean(xbps: &mut Xbps<'_, '_>, options: &Options, directory: &Path) -> Result<(), Errno> {
    let Some(mut index) = read(xbps, directory)? else { return Ok(()) };
    xbps.say(format!("Cleaning `{}' index, please wait...", options.operands[0]));
    let before = index.clone();
    let mut removed = Vec::new();
    for packages in [&mut index.packages, &mut index.stage] {
        packages.retain(|_, package| {
            let sha256 = xbps.disk.sha256(&directory.join(package.file_name()));
            let is_good =
                sha256.is_ok_and(|sha256| !options.has('C') || sha256 == package.text("filename-sha256"));
            if !is_good {
                removed.push(package.pkgver().to_owned());
            }
            is_good
        });
    }
    removed.into_iter().for_each(|pkgver| xbps.say(format!("index: removed pkg {pkgver}")));
    if index != before {
        write(xbps, directory, &index)?;
        xbps.say(format!("stage: {} packages registered.", index.stage.len()));
        xbps.say(format!("index: {} packages registered.", index.packages.len()));
    }
    Ok(())
}

/// Removes package files that the index does not have.
fn remove_obsolete(xbps: &mut Xbps<'_, '_>, directory: &Path) -> Result<(), Errno> {
    let index = read(xbps, directory)?.unwrap_or_default();
    let all = index.packages.values().chain(index.stage.values());
    let kept: BTreeSet<String> = all.map(Package::file_name).collect();
    let ours = [format!(".{}.xbps", xbps.architecture), ".noarch.xbps".to_owned()];
    let names = xbps.disk.list(directory).into_iter();
    for name in names.filter(|name| ours.iter().any(|end| name.ends_with(end)) && !kept.contains(name)) {
        xbps.disk.remove(&directory.join(&name))?;
        // The signature may be missing.
        let _ = xbps.disk.remove(&directory.join(format!("{name}.sig2")));
        xbps.say(format!("Removed obsolete package `{name}'."));
    }
    Ok(())
}

/// The key to sign with: in this world, the private half of a key is as good as the public one.
fn key(xbps: &mut Xbps<'_, '_>, options: &Options) -> Result<Key, Errno> {
    let home = "root/.ssh/id_rsa";
    let place = options.last('4').map_or_else(|| xbps.inside(home), PathBuf::from);
    let pem = xbps.disk.read(&place).unwrap_or_default();
    let key = Key::from_pem(&pem, options.last('5').unwrap_or_default());
    key.ok_or_else(|| {
        xbps.error("xbps-rindex: failed to read the RSA privkey");
        Errno::EINVAL
    })
}

fn sign(xbps: &mut Xbps<'_, '_>, options: &Options, directory: &Path) -> Result<(), Errno> {
    if options.last('5').is_none() {
        xbps.error("--signedby unset! cannot initialize signed repository");
        return Err(Errno::EINVAL);
    }
    let Some(mut index) = read(xbps, directory)? else {
        xbps.error(format!("xbps-rindex: cannot read repository data: {}", Errno::ENOENT));
        return Err(Errno::ENOENT);
    };
    let key = key(xbps, options)?;
    if index.key.as_ref() != Some(&key) {
        index.key = Some(key);
        write(xbps, directory, &index)?;
        let count = index.packages.len();
        let plural = if count == 1 { "" } else { "s" };
        xbps.say(format!("Initialized signed repository ({count} package{plural})"));
    }
    Ok(())
}

fn sign_packages(xbps: &mut Xbps<'_, '_>, options: &Options, files: &[PathBuf]) -> Result<(), Errno> {
    let key = key(xbps, options)?;
    for (file, shown) in files.iter().zip(&options.operands) {
        let mut signature = file.clone().into_os_string();
        signature.push(".sig2");
        let signature = PathBuf::from(signature);
        if xbps.disk.exists(&signature) && !options.has('f') {
            continue;
        }
        let archive = xbps.disk.read(file);
        if let Err(errno) = &archive {
            xbps.error(format!("failed to sign {shown}: {errno}"));
        }
        xbps.disk.write(&signature, &key.sign(&archive?), 0o644)?;
        xbps.say(format!("signed successfully {shown}"));
    }
    Ok(())
}
