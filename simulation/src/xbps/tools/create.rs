//! `xbps-create`

use std::path::Path;

use indexmap::IndexMap;
use refrain_engine::base64;
use refrain_engine::system::Kind;

use super::super::definition::{Definition, Entry, Property, Special};
use super::super::disk::Disk;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options};
use super::super::version;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('A', "architecture", Required),
    ('B', "built-with", Required),
    ('C', "conflicts", Required),
    ('c', "changelog", Required),
    ('D', "dependencies", Required),
    ('F', "config-files", Required),
    ('H', "homepage", Required),
    ('h', "help", None),
    ('l', "license", Required),
    ('M', "mutable-files", Required),
    ('m', "maintainer", Required),
    ('n', "pkgver", Required),
    ('P', "provides", Required),
    ('p', "preserve", None),
    ('q', "quiet", None),
    ('R', "replaces", Required),
    ('r', "reverts", Required),
    ('S', "long-desc", Required),
    ('s', "desc", Required),
    ('t', "tags", Required),
    ('V', "version", None),
    ('0', "shlib-provides", Required),
    ('1', "shlib-requires", Required),
    ('2', "build-options", Required),
    ('3', "compression", Required),
    ('4', "alternatives", Required),
];

const USAGE: &str = include_str!("usage/xbps-create.txt");

/// Options whose value is a property as it is.
const TEXTS: [(char, &str); 6] = [
    ('c', "changelog"),
    ('H', "homepage"),
    ('l', "license"),
    ('m', "maintainer"),
    ('s', "short_desc"),
    ('t', "tags"),
];

/// Options whose value is a list that is separated by blanks.
const LISTS: [(char, &str); 7] = [
    ('C', "conflicts"),
    ('D', "run_depends"),
    ('P', "provides"),
    ('R', "replaces"),
    ('r', "reverts"),
    ('0', "shlib-provides"),
    ('1', "shlib-requires"),
];

/// Files of the directory that are no files of the package.
const SCRIPTS: [&str; 4] = ["/INSTALL", "/REMOVE", "/INSTALL.msg", "/REMOVE.msg"];

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(directory) = options.operands.first() else {
        call.print(USAGE);
        return 1;
    };
    let directory = call.absolute(Path::new(directory));
    match create(call, &options, &directory) {
        Ok(said) => {
            if !options.has('q') {
                call.say(said);
            }
            0
        }
        Err(problem) => {
            call.complain(format!("xbps-create: ERROR: {problem}"));
            1
        }
    }
}

/// Makes the package file in the working directory. What is to be told.
fn create(call: &Invocation<'_>, options: &Options, directory: &Path) -> Result<String, String> {
    let given = |letter: char| options.last(letter).filter(|value| !value.is_empty());
    let pkgver = given('n').ok_or("pkgver not set!")?;
    given('s').ok_or("short description not set!")?;
    let architecture = given('A').ok_or("architecture not set!")?;
    if version::version(pkgver).is_none() {
        return Err(format!("invalid pkgver! got `{pkgver}' expected `foo-1.0_1'"));
    }
    let disk = Disk(call.system);
    let script = |name: &str| disk.read_text(&directory.join(name)).ok();
    let configuration: Vec<&str> = given('F').unwrap_or_default().split_whitespace().collect();
    let mut tree = Tree { disk, root: directory, configuration, files: IndexMap::new(), empty: Vec::new() };
    tree.walk(directory)?;
    let definition = Definition {
        pkgver: pkgver.to_owned(),
        architecture: Some(architecture.to_owned()),
        properties: properties(options),
        install_script: script("INSTALL"),
        remove_script: script("REMOVE"),
        install_message: script("INSTALL.msg"),
        remove_message: script("REMOVE.msg"),
        files: tree.files,
        directories: tree.empty,
        ..Definition::default()
    };
    let name = format!("{pkgver}.{architecture}.xbps");
    let written = disk.write(&call.absolute(Path::new(&name)), &definition.to_archive(architecture), 0o644);
    written.map_err(|errno| format!("{name}: {errno}"))?;
    Ok(format!("{pkgver}: binary package created successfully ({name})"))
}

fn properties(options: &Options) -> IndexMap<String, Property> {
    let mut properties = IndexMap::new();
    let given = |letter: char| options.last(letter).filter(|value| !value.is_empty());
    let words = |value: &str| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (letter, property) in TEXTS {
        if let Some(value) = given(letter) {
            properties.insert(property.to_owned(), Property::Text(value.to_owned()));
        }
    }
    for (letter, property) in LISTS {
        if let Some(value) = given(letter) {
            properties.insert(property.to_owned(), Property::Texts(words(value)));
        }
    }
    if options.has('p') {
        properties.insert("preserve".to_owned(), Property::Flag(true));
    }
    if let Some(value) = given('4') {
        let mut groups = IndexMap::<_, Vec<_>>::new();
        for (group, link) in words(value).iter().filter_map(|word| word.split_once(':')) {
            groups.entry(group.to_owned()).or_default().push(link.to_owned());
        }
        properties.insert("alternatives".to_owned(), Property::Groups(groups));
    }
    properties
}

struct Tree<'a> {
    disk: Disk<'a>,
    root: &'a Path,
    configuration: Vec<&'a str>,
    files: IndexMap<String, Entry>,
    /// Directories that hold nothing.
    empty: Vec<String>,
}

impl Tree<'_> {
    fn walk(&mut self, directory: &Path) -> Result<(), String> {
        let names = self.disk.list(directory);
        if names.is_empty() && directory != self.root {
            self.empty.push(self.inside(directory));
        }
        for name in names {
            let place = directory.join(name);
            let stat = self.disk.lstat(&place);
            let (kind, mode) = stat.map_or((Kind::Other, 0), |stat| (stat.kind, stat.attributes.mode));
            let path = self.inside(&place);
            match kind {
                Kind::Directory => self.walk(&place)?,
                _ if SCRIPTS.contains(&path.as_str()) => {}
                _ => {
                    let entry = self.entry(&place, &path, kind, mode);
                    let entry = entry.ok_or_else(|| format!("{path}: can't be packaged"))?;
                    self.files.insert(path, Entry::Special(entry));
                }
            }
        }
        Ok(())
    }

    fn inside(&self, place: &Path) -> String {
        let inside = place.strip_prefix(self.root).unwrap_or(place);
        format!("/{}", inside.display())
    }

    fn entry(&self, place: &Path, path: &str, kind: Kind, mode: u32) -> Option<Special> {
        if kind == Kind::Link {
            let link = self.disk.read_link(place)?.to_str()?.to_owned();
            return Some(Special { link: Some(link), ..Special::default() });
        }
        let content = self.disk.read(place).ok()?;
        let mode = Some(format!("{mode:04o}"));
        match String::from_utf8(content) {
            Ok(text) if self.configuration.contains(&path) => {
                Some(Special { configuration: Some(text), mode, ..Special::default() })
            }
            Ok(text) => Some(Special { content: Some(text), mode, ..Special::default() }),
            Err(error) => {
                let data = Some(base64::encode(error.as_bytes()));
                Some(Special { data, mode, ..Special::default() })
            }
        }
    }
}
