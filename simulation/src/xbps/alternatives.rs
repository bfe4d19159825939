//! Groups of alternatives: links of which one package decides where they lead.

use std::path::{Path, PathBuf};

use super::errno::Errno;
use super::handle::Xbps;
use super::package::Package;

/// The links of a group as a package has them: `LINK:TARGET`.
fn links(package: &Package, group: &str) -> Vec<(String, String)> {
    let groups = package.alternatives();
    let found = groups.into_iter().find(|(name, _)| *name == group);
    let links = found.into_iter().flat_map(|(_, links)| links);
    links
        .filter_map(|link| link.split_once(':'))
        .map(|(link, target)| (link.to_owned(), target.to_owned()))
        .collect()
}

/// The names of the groups of a package.
fn group_names(package: &Package) -> Vec<String> {
    package.alternatives().into_iter().map(|(group, _)| group.to_owned()).collect()
}

/// Where a link is, inside the root: beside its target unless it says otherwise.
pub fn link_path(link: &str, target: &str) -> PathBuf {
    if link.starts_with('/') {
        return PathBuf::from(link);
    }
    Path::new(target).parent().unwrap_or(Path::new("/")).join(link)
}

/// A target as seen from a link.
pub fn relative(link: &Path, target: &str) -> String {
    if !target.starts_with('/') {
        return target.to_owned();
    }
    let from: Vec<_> = link.parent().into_iter().flat_map(Path::components).collect();
    let to: Vec<_> = Path::new(target).components().collect();
    let common = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    let down = to[common..].iter().filter_map(|part| part.as_os_str().to_str());
    up.chain(down).collect::<Vec<_>>().join("/")
}

fn create_links(xbps: &mut Xbps<'_, '_>, package: &Package, group: &str) {
    for (link, target) in links(package, group) {
        let path = link_path(&link, &target);
        xbps.say(format!("Creating '{group}' alternatives group symlink: {link} -> {target}"));
        let place = xbps.inside(&path.to_string_lossy());
        let directories =
            [place.parent().map(Path::to_owned), xbps.inside(&target).parent().map(Path::to_owned)];
        // A link that can't be made is not told of by the real one, either.
        for directory in directories.into_iter().flatten() {
            let _ = xbps.disk.make_directories(&directory);
        }
        let _ = xbps.disk.link(&place, &relative(&path, &target));
    }
}

fn remove_links(xbps: &mut Xbps<'_, '_>, package: &Package, group: &str) {
    for (link, target) in links(package, group) {
        let place = xbps.inside(&link_path(&link, &target).to_string_lossy());
        if xbps.disk.read_link(&place).is_some() {
            xbps.say(format!("Removing '{group}' alternatives group symlink: {link}"));
            // As with links that can't be made.
            let _ = xbps.disk.remove(&place);
        }
    }
}

/// The names of the packages that provide a group, the one in use first.
fn providers(xbps: &Xbps<'_, '_>, group: &str) -> Option<Vec<String>> {
    xbps.database.alternatives.as_ref()?.get(group).cloned()
}

fn set_providers(xbps: &mut Xbps<'_, '_>, group: &str, names: Vec<String>) {
    let groups = xbps.database.alternatives.get_or_insert_default();
    if names.is_empty() {
        groups.remove(group);
    } else {
        groups.insert(group.to_owned(), names);
    }
}

/// A package that was unpacked takes part in its groups; it decides where nobody did.
pub fn join(xbps: &mut Xbps<'_, '_>, package: &Package) {
    xbps.database.alternatives.get_or_insert_default();
    leave_dropped(xbps, package);
    let (name, pkgver) = (package.name(), package.pkgver());
    for group in group_names(package) {
        let Some(mut names) = providers(xbps, &group) else {
            set_providers(xbps, &group, vec![name.to_owned()]);
            xbps.say(format!("{pkgver}: registered '{group}' alternatives group"));
            create_links(xbps, package, &group);
            continue;
        };
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
            set_providers(xbps, &group, names);
            xbps.say(format!("{pkgver}: registered '{group}' alternatives group"));
        } else if names.first().is_some_and(|first| first == name) {
            create_links(xbps, package, &group);
        }
    }
}

/// A new version of a package leaves the groups that the installed one was in and it is not.
fn leave_dropped(xbps: &mut Xbps<'_, '_>, package: &Package) {
    let Some(installed) = xbps.database.get(package.name()).cloned() else { return };
    for group in group_names(&installed) {
        let (before, now) = (links(&installed, &group), links(package, &group));
        let decides = providers(xbps, &group)
            .is_some_and(|names| names.first().is_some_and(|first| first == package.name()));
        if before != now && decides {
            remove_links(xbps, package, &group);
        }
        if now.is_empty() {
            prune(xbps, package, &group);
        }
    }
}

fn prune(xbps: &mut Xbps<'_, '_>, package: &Package, group: &str) {
    xbps.say(format!("{}: unregistered '{group}' alternatives group", package.pkgver()));
    let Some(mut names) = providers(xbps, group) else { return };
    let decided = names.first().is_some_and(|first| first == package.name());
    names.retain(|name| name != package.name());
    if decided && !names.is_empty() {
        let is_empty =
            package.texts("run_depends").next().is_none() && package.texts("shlib-requires").next().is_none();
        if !is_empty {
            // What others took over was registered last.
            names.rotate_right(1);
        }
        let next = names[0].clone();
        set_providers(xbps, group, names);
        switch(xbps, group, &next);
        return;
    }
    set_providers(xbps, group, names);
}

fn switch(xbps: &mut Xbps<'_, '_>, group: &str, name: &str) {
    xbps.say(format!("Switched '{group}' alternatives group to '{name}'"));
    if let Some(package) = xbps.database.get(name).cloned() {
        create_links(xbps, &package, group);
    }
}

/// A package leaves its groups: for good, or because a new version comes.
pub fn leave(xbps: &mut Xbps<'_, '_>, package: &Package, is_update: bool) {
    for group in group_names(package) {
        let Some(mut names) = providers(xbps, &group) else { continue };
        let decides = names.first().is_some_and(|first| first == package.name());
        if decides {
            remove_links(xbps, package, &group);
        }
        if is_update {
            continue;
        }
        xbps.say(format!("{}: unregistered '{group}' alternatives group", package.pkgver()));
        names.retain(|name| name != package.name());
        let next = names.first().cloned();
        set_providers(xbps, &group, names);
        if let Some(next) = next.filter(|_| decides) {
            switch(xbps, &group, &next);
        }
    }
}

/// Lets a package decide about its groups, or only about `group`.
///
/// # Errors
/// `ENOENT` if it is not installed or has no such group.
pub fn choose(xbps: &mut Xbps<'_, '_>, wanted: &str, group: Option<&str>) -> Result<(), Errno> {
    let package = xbps.database.get(wanted).cloned().ok_or(Errno::ENOENT)?;
    let groups = group_names(&package);
    let groups: Vec<_> = groups.into_iter().filter(|name| group.is_none_or(|group| group == name)).collect();
    if groups.is_empty() || xbps.database.alternatives.is_none() {
        return Err(Errno::ENOENT);
    }
    for group in groups {
        let Some(mut names) = providers(xbps, &group) else { continue };
        let before = names.first().filter(|first| *first != wanted);
        if let Some(before) = before.and_then(|name| xbps.database.get(name)).cloned() {
            remove_links(xbps, &before, &group);
        }
        names.retain(|name| name != wanted);
        names.insert(0, wanted.to_owned());
        set_providers(xbps, &group, names);
        xbps.say(format!("{}: applying '{group}' alternatives group", package.pkgver()));
        create_links(xbps, &package, &group);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_their_targets_from_where_they_are() {
        let cases = [
            ("vi", "/usr/bin/vim", "/usr/bin/vi", "vim"),
            ("/usr/bin/iptables", "/usr/bin/iptables-nft", "/usr/bin/iptables", "iptables-nft"),
            ("/etc/alternatives/sh", "/usr/bin/dash", "/etc/alternatives/sh", "../../usr/bin/dash"),
            ("/sh", "/usr/bin/dash", "/sh", "usr/bin/dash"),
        ];
        for (link, target, path, expected) in cases {
            assert_eq!(link_path(link, target), Path::new(path), "{link}");
            assert_eq!(relative(&link_path(link, target), target), expected, "{link}");
        }
    }
}
