//! Links in paths: followed, but not where an ordinary user's link leads to what is not that user's.
//!
//! The agent is root as a rule, and some directories that it works in belong to users. A link that a user put there must not
//! make root write to, give away or remove what the user could not touch.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::path::resolve;
use refrain_engine::system::{Kind, Stat, View};

/// Where a path leads if it is a link, else the path as it is; and what is there.
///
/// # Errors
/// The host can't be looked at, the links run in a circle, or an ordinary user's link leads to what is not theirs.
pub fn follow(host: &dyn View, path: &Path) -> Result<(PathBuf, Option<Stat>), Failure> {
    let (place, stat) = walk(host, path, true)?;
    let is_link = host.lstat(path)?.is_some_and(|stat| stat.kind == Kind::Link);
    Ok((if is_link { place } else { path.to_owned() }, stat))
}

/// What is at a path, where a link is itself what is meant.
///
/// # Errors
/// As [`follow`], for links above.
pub fn look_at(host: &dyn View, path: &Path) -> Result<Option<Stat>, Failure> {
    walk(host, path, false).map(|(_, stat)| stat)
}

/// The path with every link in it followed, so that two paths to one place are equal; and what is there.
///
/// # Errors
/// As [`follow`].
pub fn real(host: &dyn View, path: &Path) -> Result<(PathBuf, Option<Stat>), Failure> {
    walk(host, path, true)
}

fn walk(host: &dyn View, path: &Path, follow_last: bool) -> Result<(PathBuf, Option<Stat>), Failure> {
    host.look_ahead(&[path]);
    let (agent, _) = host.identity();
    let mut foreign: Vec<(PathBuf, u32)> = Vec::new();
    let place = resolve(path, follow_last, |path| {
        let target = host.read_link(path)?;
        if target.is_some() {
            let owner = host.lstat(path)?.map(|stat| stat.attributes.uid);
            foreign.extend(owner.filter(|uid| *uid != 0 && *uid != agent).map(|uid| (path.to_owned(), uid)));
        }
        Ok(target)
    })?;
    let stat = host.lstat(&place)?;
    if !foreign.is_empty() {
        let owner = owner(host, &place, stat.as_ref())?;
        if let Some((link, uid)) = foreign.into_iter().find(|(_, uid)| owner != Some(*uid)) {
            return Err(leads_astray(path, &place, &link, uid));
        }
    }
    Ok((place, stat))
}

/// Who owns what is at a path, or the nearest directory above where there is nothing.
fn owner(host: &dyn View, place: &Path, stat: Option<&Stat>) -> Result<Option<u32>, Failure> {
    if let Some(stat) = stat {
        return Ok(Some(stat.attributes.uid));
    }
    for above in place.ancestors().skip(1) {
        if let Some(stat) = host.lstat(above)? {
            return Ok(Some(stat.attributes.uid));
        }
    }
    Ok(None)
}

fn leads_astray(path: &Path, place: &Path, link: &Path, uid: u32) -> Failure {
    let (path, place, link) = (path.display(), place.display(), link.display());
    Failure::state(format!(
        "`{path}` leads to `{place}` through `{link}`, a link of user {uid}, who does not own what is there"
    ))
    .advise(format!("name `{place}` itself if that is meant; else remove the link with file::absent"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{chown, lchown, symlink};

    use refrain_engine::system::RootKind;
    use refrain_engine::system::native::Native;

    use super::*;

    #[test]
    fn links_are_followed_to_where_they_end() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir(root.join("real")).unwrap();
        fs::write(root.join("real/file"), "").unwrap();
        symlink("real", root.join("above")).unwrap();
        symlink("above/file", root.join("link")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        let host = Native::new(RootKind::Live);
        let follow = |name: &str| {
            let (place, stat) = follow(&host, &root.join(name)).unwrap();
            (place.strip_prefix(&root).unwrap().display().to_string(), stat.map(|stat| stat.kind))
        };
        assert_eq!(follow("link"), ("real/file".to_owned(), Some(Kind::File)));
        assert_eq!(follow("above/file"), ("above/file".to_owned(), Some(Kind::File)));
        assert_eq!(follow("dangling"), ("nothing".to_owned(), None));
        assert_eq!(look_at(&host, &root.join("link")).unwrap().unwrap().kind, Kind::Link);
        assert_eq!(look_at(&host, &root.join("above/file")).unwrap().unwrap().kind, Kind::File);
    }

    #[test]
    fn a_users_link_leads_only_to_what_is_theirs() {
        let host = Native::new(RootKind::Live);
        if host.identity().0 != 0 {
            assert!(std::env::var_os("CI").is_none(), "needs root");
            eprintln!("skipped: giving files away needs root");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["system", "home"] {
            fs::create_dir(root.join(name)).unwrap();
            fs::write(root.join(name).join("file"), "").unwrap();
        }
        chown(root.join("home"), Some(4001), Some(4001)).unwrap();
        chown(root.join("home/file"), Some(4001), Some(4001)).unwrap();
        for (link, target) in [
            ("home/own", "file"),
            ("home/new", "not-yet"),
            ("home/system-file", "../system/file"),
            ("home/system-new", "../system/not-yet"),
            ("home/system", "../system"),
        ] {
            symlink(target, root.join(link)).unwrap();
            lchown(root.join(link), Some(4001), Some(4001)).unwrap();
        }
        symlink("../home/system-file", root.join("system/through-home")).unwrap();
        for (name, fine) in [
            ("home/own", true),
            ("home/new", true),
            ("home/system-file", false),
            ("home/system-new", false),
            ("home/system/file", false),
            ("system/through-home", false),
        ] {
            assert_eq!(follow(&host, &root.join(name)).is_ok(), fine, "{name}");
        }
        assert!(look_at(&host, &root.join("home/system-file")).is_ok(), "the link itself is theirs");
        let failure = look_at(&host, &root.join("home/system/file")).unwrap_err();
        assert!(failure.to_string().contains("home/system`, a link of user 4001"), "{failure}");
    }
}
