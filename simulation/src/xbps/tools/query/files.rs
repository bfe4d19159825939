//! Files of packages.

use super::super::super::definition::{Definition, Unpacked};
use super::super::super::errno::Errno;
use super::super::super::handle::Xbps;
use super::super::super::network::is_remote;
use super::super::super::package::Package;
use super::super::super::plist::{Dictionary, Value};
use super::search::Pattern;
use super::{Query, meant};

/// The lists of files that are shown, sorted, with the word for what is in them.
const LISTS: [(&str, &str); 3] =
    [("conf_files", "configuration file"), ("files", "regular file"), ("links", "link")];

/// A path, and where it leads if it is a link.
fn shown(entry: &Dictionary) -> Option<(String, String)> {
    let path = entry.get("file")?.text()?;
    let target = entry.get("target").and_then(Value::text);
    Some((path.to_owned(), target.map_or_else(|| path.to_owned(), |target| format!("{path} -> {target}"))))
}

/// Each path of a package: as it is, as it is shown, and what it is.
fn each(files: &Dictionary) -> impl Iterator<Item = (String, String, &'static str)> {
    LISTS.into_iter().flat_map(|(list, word)| {
        let entries = files.get(list).and_then(Value::list).unwrap_or_default().iter();
        let entries = entries.filter_map(Value::dictionary).filter_map(shown);
        entries.map(move |(path, shown)| (path, shown, word))
    })
}

/// Lists the files of a package.
pub(super) fn list(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Errno> {
    let package = meant(xbps, query, wanted)?;
    let files = if query.in_repositories {
        fetched(xbps, &package)?.file_list().unwrap_or_default()
    } else {
        let files = xbps.database.files(xbps.disk, &xbps.meta, package.name());
        files.ok_or(Errno::ENOENT)?
    };
    each(&files).for_each(|(_, shown, _)| xbps.say(shown));
    Ok(())
}

/// What is in the file of a package, wherever that is.
fn fetched(xbps: &mut Xbps<'_, '_>, package: &Package) -> Result<Definition, Errno> {
    let repository = package.text("repository");
    let archive = xbps.archive(package);
    if let Err(errno) = &archive {
        if is_remote(repository) {
            xbps.error(format!("failed to open archive: {repository}/{}: {errno}", package.file_name()));
        }
        if *errno != Errno::ENOENT {
            xbps.error(format!("Unexpected error: {errno}"));
        }
    }
    Definition::from_archive(&archive?).ok_or(Errno::EINVAL)
}

/// Tells whose files these are.
pub(super) fn owners(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Errno> {
    let pattern = Pattern::new(xbps, query, wanted).map_err(|_| Errno::EINVAL)?;
    let packages: Vec<Package> = if query.in_repositories {
        let mut packages = Vec::new();
        xbps.search(|repository| {
            packages.extend(repository.all());
            None::<()>
        })?;
        packages
    } else {
        xbps.database.packages().cloned().collect()
    };
    for package in packages {
        let files = match query.in_repositories {
            true => fetched(xbps, &package)?.file_list(),
            false => xbps.database.files(xbps.disk, &xbps.meta, package.name()),
        };
        for (path, shown, word) in each(&files.unwrap_or_default()) {
            if pattern.is_path(&path) {
                xbps.say(format!("{}: {shown} ({word})", package.pkgver()));
            }
        }
    }
    Ok(())
}

/// Prints a file out of the file of a package.
pub(super) fn print(
    xbps: &mut Xbps<'_, '_>,
    query: &Query<'_>,
    wanted: &str,
    path: &str,
) -> Result<(), Errno> {
    let package = meant(xbps, query, wanted)?;
    let definition = match xbps.archive(&package) {
        Ok(archive) => Definition::from_archive(&archive).ok_or(Errno::EINVAL)?,
        Err(errno) => {
            let place = format!("{}/{}", package.text("repository"), package.file_name());
            xbps.error(format!("failed to open archive: {place}: {errno}"));
            return Err(Errno::EINVAL);
        }
    };
    let content = definition.unpack().find(|(file, _)| *file == path);
    if let Some((_, Unpacked::File { content, .. })) = content {
        let content = String::from_utf8_lossy(&content).into_owned();
        xbps.print(content);
    }
    Ok(())
}
