//! Accounts that packages make, as Void's trigger `system-accounts` makes them.

use std::path::Path;

use refrain_engine::accounts::{parse_groups, parse_users};
use refrain_engine::system::{Attributes, Time};

use super::errno::Errno;
use super::handle::Xbps;

/// The largest number of a system account, which is taken first.
const HIGHEST: u32 = 999;

/// What a script says of an account, by the name of the account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Details<'a> {
    /// The home directory; `/var/empty` when absent.
    pub home: Option<&'a str>,
    /// The login shell; `/sbin/nologin` when absent.
    pub shell: Option<&'a str>,
    /// The comment.
    pub description: Option<&'a str>,
}

/// Splits `NAME:ID`.
fn parts(account: &str) -> (&str, Option<u32>) {
    let (name, id) = account.split_once(':').unwrap_or((account, ""));
    (name, id.parse().ok())
}

/// Makes a group unless it is there. What is to be told of it.
///
/// # Errors
/// The files can't be changed.
pub fn add_group(xbps: &Xbps<'_, '_>, account: &str) -> Result<Option<String>, Errno> {
    let (name, id) = parts(account);
    let text = text(xbps, "/etc/group");
    let groups = parse_groups(&text);
    if groups.iter().any(|group| group.name == name) {
        return Ok(None);
    }
    let taken: Vec<u32> = groups.iter().map(|group| group.gid).collect();
    let gid = id.or_else(|| free(&taken)).ok_or(Errno::EAGAIN)?;
    append(xbps, "/etc/group", &format!("{name}:x:{gid}:"), 0o644)?;
    if xbps.disk.exists(&xbps.inside("/etc/gshadow")) {
        append(xbps, "/etc/gshadow", &format!("{name}:!::"), 0o600)?;
    }
    Ok(Some(format!("Created {name} system group.")))
}

/// Makes a user with its own group, unless it is there. What is to be told of it, line by line.
///
/// # Errors
/// The files can't be changed.
pub fn add_user(
    xbps: &Xbps<'_, '_>,
    account: &str,
    pkgname: &str,
    details: Details<'_>,
) -> Result<Vec<String>, Errno> {
    let mut told: Vec<String> = add_group(xbps, account)?.into_iter().collect();
    let (name, id) = parts(account);
    let users = parse_users(&text(xbps, "/etc/passwd"));
    if users.iter().any(|user| user.name == name) {
        return Ok(told);
    }
    let groups = parse_groups(&text(xbps, "/etc/group"));
    let gid = groups.iter().find(|group| group.name == name).map(|group| group.gid).ok_or(Errno::ENOENT)?;
    let taken: Vec<u32> = users.iter().map(|user| user.uid).collect();
    // The same number as that of the group, if it is free.
    let same = Some(gid).filter(|gid| !taken.contains(gid));
    let uid = id.or(same).or_else(|| free(&taken)).ok_or(Errno::EAGAIN)?;
    let description =
        details.description.map_or_else(|| format!("{pkgname} unprivileged user"), str::to_owned);
    let (home, shell) = (details.home.unwrap_or("/var/empty"), details.shell.unwrap_or("/sbin/nologin"));
    append(xbps, "/etc/passwd", &format!("{name}:x:{uid}:{gid}:{description}:{home}:{shell}"), 0o644)?;
    let day = Time::now().seconds / 86_400;
    append(xbps, "/etc/shadow", &format!("{name}:!:{day}::::::"), 0o600)?;
    told.push(format!("Created {name} system user."));
    Ok(told)
}

fn free(taken: &[u32]) -> Option<u32> {
    (100..=HIGHEST).rev().find(|id| !taken.contains(id))
}

fn text(xbps: &Xbps<'_, '_>, file: &str) -> String {
    xbps.disk.read_text(&xbps.inside(file)).unwrap_or_default()
}

/// Adds a line to a file, which keeps its owner and permissions.
fn append(xbps: &Xbps<'_, '_>, file: &str, line: &str, mode: u32) -> Result<(), Errno> {
    let mut lines = text(xbps, file);
    if !lines.is_empty() && !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines.push_str(line);
    lines.push('\n');
    let place = xbps.inside(file);
    let there = xbps.disk.0.stat(Path::new(&place))?;
    let attributes = there.map_or(Attributes { mode, uid: 0, gid: 0 }, |there| there.attributes);
    Ok(xbps.disk.0.write(&place, lines.as_bytes(), attributes)?)
}
