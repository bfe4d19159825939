//! Users and groups, read from the host's own files.
//!
//! `/etc/passwd` and `/etc/group` are read through a [`View`], so that accounts that check mode predicts are seen, and a
//! chroot answers with its own accounts. Accounts that only a directory service knows are not seen.

use std::path::Path;

use crate::failure::Failure;
use crate::system::View;

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric user.
    pub uid: u32,
    /// Numeric primary group.
    pub gid: u32,
    /// The comment field (GECOS).
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Numeric group.
    pub gid: u32,
    /// The users that have it as a further group.
    pub members: Vec<String>,
}

/// The users in the text of a passwd file; lines that are none are passed over.
pub fn parse_users(text: &str) -> Vec<User> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, comment, home, shell] = fields[..] else { return None };
            Some(User {
                name: name.to_owned(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                comment: comment.to_owned(),
                home: home.to_owned(),
                shell: shell.to_owned(),
            })
        })
        .collect()
}

/// The groups in the text of a group file; lines that are none are passed over.
pub fn parse_groups(text: &str) -> Vec<Group> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, gid, members] = fields[..] else { return None };
            let members =
                members.split(',').filter(|member| !member.is_empty()).map(ToOwned::to_owned).collect();
            Some(Group { name: name.to_owned(), gid: gid.parse().ok()?, members })
        })
        .collect()
}

/// The host's users.
///
/// # Errors
/// The file is there and can't be read.
pub fn users(host: &dyn View) -> Result<Vec<User>, Failure> {
    Ok(parse_users(&text(host, "/etc/passwd")?))
}

/// The host's groups.
///
/// # Errors
/// The file is there and can't be read.
pub fn groups(host: &dyn View) -> Result<Vec<Group>, Failure> {
    Ok(parse_groups(&text(host, "/etc/group")?))
}

fn text(host: &dyn View, path: &str) -> Result<String, Failure> {
    let content = host.read(Path::new(path))?;
    let bytes = content.as_ref().and_then(|content| content.known()).unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_lines_are_passed_over() {
        let users = parse_users("root:x:0:0:root:/root:/bin/sh\n# note\n+::::::\nbroken:x:y:0:::\n");
        assert_eq!(users.len(), 1);
        assert_eq!((users[0].name.as_str(), users[0].shell.as_str()), ("root", "/bin/sh"));
        let groups = parse_groups("wheel:x:4:a,b\nempty:x:5:\nodd\n");
        assert_eq!(groups[0].members, ["a", "b"]);
        assert!(groups[1].members.is_empty());
    }
}
