//! The files and templates that a play declares because their names are computed: `files: ["certs/${host.name}.*"]`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bundle::{candidates, join};
use crate::diagnostic::Diagnostic;
use crate::failure::reason;
use crate::glob;
use crate::project::Project;

/// What stands for the name of the host that the play runs on.
const HOST_NAME: &str = "${host.name}";

/// The patterns of a play.
pub(super) struct DeclaredFiles {
    patterns: Vec<String>,
    /// The directories in which they are looked for.
    places: Places,
    listings: Mutex<HashMap<String, Arc<Vec<String>>>>,
}

/// Directories of the project.
struct Places {
    files: Vec<String>,
    templates: Vec<String>,
}

/// What patterns stand for: paths in the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub files: BTreeSet<String>,
    pub templates: BTreeSet<String>,
}

impl DeclaredFiles {
    /// The patterns that a play declares. `owners` are the scripts beside which files are looked for, `computes_templates` says
    /// whether one of them names a template by a name that is computed: then what is not in a `files/` may be one, too.
    ///
    /// # Errors
    /// A pattern makes no sense.
    pub fn new(
        patterns: &[String],
        owners: &BTreeSet<String>,
        playbook: &str,
        computes_templates: bool,
    ) -> Result<Self, Diagnostic> {
        for pattern in patterns {
            check(pattern)?;
        }
        let beside = |kind: &str| {
            let mut all: Vec<String> = Vec::new();
            for place in owners.iter().flat_map(|owner| candidates(owner, playbook, kind, "")) {
                if !all.contains(&place) {
                    all.push(place);
                }
            }
            all
        };
        let (files, mut templates) = (beside("files"), beside("templates"));
        templates.retain(|place| computes_templates || !files.contains(place));
        let places = Places { files, templates };
        Ok(Self { patterns: patterns.to_vec(), places, listings: Mutex::default() })
    }

    /// Whether every host gets the same.
    pub fn is_same_for_all(&self) -> bool {
        !self.patterns.iter().any(|pattern| pattern.contains(HOST_NAME))
    }

    /// What all hosts get.
    ///
    /// # Errors
    /// A directory can't be read, or a pattern stands for nothing.
    pub fn of_all(&self, project: &Project) -> Result<Found, Diagnostic> {
        let mut all = Found::default();
        for pattern in self.patterns.iter().filter(|pattern| !pattern.contains(HOST_NAME)) {
            let found = self.matches(project, &segments(pattern, ""))?;
            if found == Found::default() {
                let named = |place: &String| if place.is_empty() { ".".to_owned() } else { place.clone() };
                let looked: Vec<String> = self.places.files.iter().map(named).collect();
                return Err(Diagnostic::new(format!("no file of the project matches `{pattern}`"))
                    .hint(format!("looked in {}", looked.join(", "))));
            }
            all.files.extend(found.files);
            all.templates.extend(found.templates);
        }
        Ok(all)
    }

    /// What is for one host alone.
    ///
    /// # Errors
    /// A directory can't be read, or the host's name can't be that of a file.
    pub fn of_host(&self, project: &Project, host: &str) -> Result<Found, Diagnostic> {
        let mut all = Found::default();
        if self.is_same_for_all() {
            return Ok(all);
        }
        if host.contains('/') || matches!(host, "." | "..") {
            return Err(Diagnostic::new(format!("`{host}` can't be part of a file's name"))
                .hint(format!("the play declares `files` with `{HOST_NAME}`")));
        }
        for pattern in self.patterns.iter().filter(|pattern| pattern.contains(HOST_NAME)) {
            let found = self.matches(project, &segments(pattern, host))?;
            all.files.extend(found.files);
            all.templates.extend(found.templates);
        }
        Ok(all)
    }

    fn matches(&self, project: &Project, pattern: &[Segment]) -> Result<Found, Diagnostic> {
        let mut found = Found::default();
        for (places, into) in
            [(&self.places.files, &mut found.files), (&self.places.templates, &mut found.templates)]
        {
            for place in places {
                let mut matching = vec![place.clone()];
                for segment in pattern {
                    matching = self.step(project, matching, segment)?;
                }
                for path in matching {
                    let below = project.files_below(&path).map_err(|error| unreadable(&path, &error))?;
                    into.extend(below);
                }
            }
        }
        Ok(found)
    }

    /// What a segment of a pattern stands for in each of some directories.
    fn step(
        &self,
        project: &Project,
        directories: Vec<String>,
        segment: &Segment,
    ) -> Result<Vec<String>, Diagnostic> {
        let mut next = Vec::new();
        for directory in directories {
            match segment {
                Segment::Plain(name) => {
                    let path = join(&directory, name);
                    next.extend(project.on_disk(&path).exists().then_some(path));
                }
                Segment::Pattern { start, matcher, hidden } => {
                    let names = self.listing(project, &directory)?;
                    let from = names.partition_point(|name| name < start);
                    let names = names[from..].iter().take_while(|name| name.starts_with(start.as_str()));
                    let names = names.filter(|name| *hidden || !name.starts_with('.'));
                    next.extend(
                        names.filter(|name| matcher.is_match(name)).map(|name| join(&directory, name)),
                    );
                }
            }
        }
        Ok(next)
    }

    /// The names in a directory, sorted; read once, however many hosts ask. Empty where there is no directory.
    fn listing(&self, project: &Project, directory: &str) -> Result<Arc<Vec<String>>, Diagnostic> {
        let mut known = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known.get(directory) {
            return Ok(Arc::clone(names));
        }
        let place = project.on_disk(directory);
        let mut names = Vec::new();
        if place.is_dir() {
            for entry in std::fs::read_dir(place).map_err(|error| unreadable(directory, &error))? {
                let entry = entry.map_err(|error| unreadable(directory, &error))?;
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort_unstable();
        let names = Arc::new(names);
        known.insert(directory.to_owned(), Arc::clone(&names));
        Ok(names)
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("could not read `{path}`: {}", reason(error)))
}

/// A part of a pattern between slashes.
enum Segment {
    /// A name.
    Plain(String),
    /// A pattern, the plain text that it starts with, and whether names that begin with a dot are meant, too.
    Pattern { start: String, matcher: regex::Regex, hidden: bool },
}

/// A pattern in its parts, for a host.
fn segments(pattern: &str, host: &str) -> Vec<Segment> {
    let segment = |text: &str| {
        let escaped = text.replace(HOST_NAME, &escape(host));
        match glob::compile(&escaped) {
            Ok(matcher) if glob::is_glob(text) => {
                let start = text.find(['*', '?', '[']).map_or(text, |end| &text[..end]);
                let start = start.replace(HOST_NAME, host);
                Segment::Pattern { hidden: start.starts_with('.'), start, matcher }
            }
            // `check` has seen that it can be compiled, so this is a name.
            _ => Segment::Plain(text.replace(HOST_NAME, host)),
        }
    };
    pattern.split('/').filter(|text| !text.is_empty() && *text != ".").map(segment).collect()
}

/// A text as a pattern that stands for itself.
fn escape(text: &str) -> String {
    let escape = |c: char| if "*?[".contains(c) { format!("[{c}]") } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Checks a pattern.
fn check(pattern: &str) -> Result<(), Diagnostic> {
    if pattern.replace(HOST_NAME, "").contains("${") {
        return Err(Diagnostic::new(format!("`{pattern}` has a `${{…}}` that means nothing in `files`"))
            .hint(format!("only `{HOST_NAME}` is replaced, for each host")));
    }
    match glob::compile(&pattern.replace(HOST_NAME, "")) {
        Ok(_) => Ok(()),
        Err(_) => Err(Diagnostic::new(format!("`{pattern}` is not a pattern of file names"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> (tempfile::TempDir, Project) {
        let directory = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, "").expect("a file");
        }
        let playbook = directory.path().join("site.rhai");
        std::fs::write(&playbook, "").expect("a file");
        std::fs::write(directory.path().join("refrain.toml"), "").expect("a file");
        let (project, _) = Project::find(&playbook).expect("a project");
        (directory, project)
    }

    fn declared(pattern: &str, computes_templates: bool) -> Result<DeclaredFiles, Diagnostic> {
        let owners = ["site.rhai", "roles/web/role.rhai"].map(str::to_owned);
        DeclaredFiles::new(&[pattern.to_owned()], &owners.into(), "site.rhai", computes_templates)
    }

    #[test]
    fn patterns_stand_for_the_files_of_one_host() {
        let files = [
            "files/certs/web1.crt",
            "files/certs/web1.key",
            "files/certs/web10.key",
            "files/certs/web[1].key",
            "files/certs/.web1.old",
            "roles/web/files/web1/etc/a",
            "roles/web/files/web1/etc/.b",
            "other/web1.key",
        ];
        let (_directory, project) = project(&files);
        let cases: [(&str, &str, &[&str]); 8] = [
            ("certs/${host.name}.*", "web1", &["files/certs/web1.crt", "files/certs/web1.key"]),
            ("certs/${host.name}.*", "web10", &["files/certs/web10.key"]),
            ("certs/${host.name}.key", "web1", &["files/certs/web1.key"]),
            ("certs/${host.name}.*", "web[1]", &["files/certs/web[1].key"]),
            ("certs/${host.name}.*", "*", &[]),
            ("certs/.${host.name}*", "web1", &["files/certs/.web1.old"]),
            ("${host.name}", "web1", &["roles/web/files/web1/etc/.b", "roles/web/files/web1/etc/a"]),
            ("o*/${host.name}.*", "web1", &["other/web1.key"]),
        ];
        for (pattern, host, expected) in cases {
            let declared = declared(pattern, false).expect("a pattern");
            let found = declared.of_host(&project, host).expect("files");
            assert_eq!(found.files.iter().collect::<Vec<_>>(), expected, "{pattern} {host}");
            assert_eq!(found.templates, BTreeSet::new(), "{pattern} {host}");
            assert_eq!(declared.of_all(&project), Ok(Found::default()), "{pattern}");
        }
    }

    #[test]
    fn templates_are_declared_like_files() {
        let (_directory, project) = project(&["templates/a.j2", "roles/web/templates/a.j2", "a.j2"]);
        let templates = |computes_templates| {
            declared("*.j2", computes_templates)
                .expect("a pattern")
                .of_all(&project)
                .expect("files")
                .templates
        };
        assert_eq!(
            templates(false),
            ["roles/web/templates/a.j2", "templates/a.j2"].map(str::to_owned).into()
        );
        assert_eq!(
            templates(true),
            ["a.j2", "roles/web/templates/a.j2", "templates/a.j2"].map(str::to_owned).into()
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (_directory, project) = project(&[]);
        let message = |result: Result<Found, Diagnostic>| result.expect_err("an error").message;
        assert_eq!(
            declared("${host.groups}", false).err().expect("an error").message,
            "`${host.groups}` has a `${…}` that means nothing in `files`"
        );
        assert_eq!(
            declared("[z-a]", false).err().expect("an error").message,
            "`[z-a]` is not a pattern of file names"
        );
        let all = declared("certs/*", false).expect("a pattern");
        assert_eq!(message(all.of_all(&project)), "no file of the project matches `certs/*`");
        let one = declared("certs/${host.name}", false).expect("a pattern");
        assert_eq!(message(one.of_host(&project, "../x")), "`../x` can't be part of a file's name");
    }
}
