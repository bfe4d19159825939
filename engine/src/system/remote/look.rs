//! Looking at a path for somebody far away: all about it, and about what is on the way to it, in one answer.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::call::{LOOKED_AT, Seen, SeenContent};
use crate::raw_path::RawPath;
use crate::system::path::resolve;
use crate::system::{Content, Kind, View};

/// Where files are made up by the kernel: their sizes mean nothing, and reading one may be an act.
const MADE_UP: [&str; 2] = ["/proc", "/sys"];

/// All about `paths`: each path itself, the directories above it as it is written and as links lead, and where it leads.
///
/// # Errors
/// Never as a whole: what a path can't tell is in what is said of it.
pub(super) fn look(host: &dyn View, paths: &[RawPath]) -> Vec<Seen> {
    let mut looking = Looking { host, told: HashSet::new(), seen: Vec::new() };
    for RawPath(path) in paths {
        looking.at(path);
    }
    looking.seen
}

/// As much is told of the entries of one directory: more would be too long an answer.
const MOST_ENTRIES: usize = 4096;

/// What the entries of a directory are that have these names. Nothing of their contents.
pub(super) fn look_at_entries(host: &dyn View, directory: &Path, names: &[OsString]) -> Vec<Seen> {
    let mut looking = Looking { host, told: HashSet::new(), seen: Vec::new() };
    for name in names.iter().take(MOST_ENTRIES) {
        looking.tell(&directory.join(name), None);
    }
    looking.seen
}

struct Looking<'a> {
    host: &'a dyn View,
    told: HashSet<PathBuf>,
    seen: Vec<Seen>,
}

impl Looking<'_> {
    fn at(&mut self, path: &Path) {
        let mut way = Vec::new();
        let place = resolve(path, true, |on_the_way| {
            way.push(on_the_way.to_owned());
            self.host.read_link(on_the_way)
        });
        // A circle of links leads nowhere, which the path itself tells.
        let place = place.unwrap_or_else(|_| path.to_owned());
        // Each path is told once: first those that are told with their contents.
        self.tell(path, Some(&place));
        self.tell(&place, Some(&place));
        for above in path.ancestors().chain(way.iter().map(PathBuf::as_path)) {
            self.tell(above, None);
        }
    }

    /// Tells of a path; of the content only where the path leads to a `place`.
    fn tell(&mut self, path: &Path, place: Option<&Path>) {
        if !self.told.insert(path.to_owned()) {
            return;
        }
        let lstat = self.host.lstat(path);
        let is_link = matches!(&lstat, Ok(Some(stat)) if stat.kind == Kind::Link);
        let stat = is_link.then(|| self.host.stat(path));
        let link = if is_link { self.host.read_link(path) } else { Ok(None) };
        let content = place.map_or(SeenContent::Untold, |place| self.content(path, place));
        self.seen.push(Seen {
            path: path.to_owned(),
            lstat,
            stat,
            link: link.map(|link| link.map(RawPath)),
            content,
        });
    }

    /// The content of what is at a path that leads to `place`, unless it is long.
    fn content(&self, path: &Path, place: &Path) -> SeenContent {
        if MADE_UP.iter().any(|directory| place.starts_with(directory)) {
            return SeenContent::Apart;
        }
        match self.host.stat(path) {
            Ok(None) => SeenContent::Told(Ok(None)),
            Ok(Some(stat)) if stat.kind == Kind::File && stat.size <= LOOKED_AT => {
                let content = self.host.read(path);
                // It may have grown meanwhile.
                let long =
                    matches!(&content, Ok(Some(Content::Known(bytes))) if bytes.len() as u64 > LOOKED_AT);
                if long { SeenContent::Apart } else { SeenContent::Told(content) }
            }
            _ => SeenContent::Apart,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::system::RootKind;
    use crate::system::native::Native;

    #[test]
    fn everything_about_a_path_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("run/sv")).unwrap();
        fs::write(root.join("run/sv/conf"), "text").unwrap();
        symlink(root.join("run/sv"), root.join("service")).unwrap();
        let seen = look(&Native::new(RootKind::Live), &[RawPath(root.join("service/conf"))]);

        let of = |name: &str| seen.iter().find(|seen| seen.path == root.join(name)).unwrap();
        assert_eq!(of("service").link, Ok(Some(RawPath(root.join("run/sv")))));
        assert_eq!(
            of("service").stat.as_ref().unwrap().as_ref().unwrap().as_ref().unwrap().kind,
            Kind::Directory
        );
        for name in ["service/conf", "run/sv/conf"] {
            let text = Some(Content::Known(b"text".to_vec()));
            assert_eq!(of(name).content, SeenContent::Told(Ok(text)), "{name}");
            assert_eq!(of(name).link, Ok(None));
        }
        for name in ["run/sv", "run", ""] {
            assert_eq!(of(name).content, SeenContent::Untold);
            assert!(matches!(&of(name).lstat, Ok(Some(stat)) if stat.kind == Kind::Directory), "{name}");
        }
        let paths: HashSet<_> = seen.iter().map(|seen| &seen.path).collect();
        assert_eq!(paths.len(), seen.len(), "each path is told once");
    }

    #[test]
    fn long_files_and_the_kernels_are_only_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let long = directory.path().join("long");
        fs::write(&long, vec![0; 256 * 1024 + 1]).unwrap();
        let host = Native::new(RootKind::Live);
        let content = |path: &Path| look(&host, &[RawPath(path.to_owned())])[0].content.clone();
        assert_eq!(content(&long), SeenContent::Apart);
        assert_eq!(content(Path::new("/proc/self/status")), SeenContent::Apart);
        assert_eq!(content(directory.path()), SeenContent::Apart);
        assert_eq!(content(&directory.path().join("nothing")), SeenContent::Told(Ok(None)));
    }
}
