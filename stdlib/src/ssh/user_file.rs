//! Files in a user's `~/.ssh`, where the user can put whatever they like, and root must not be led astray by it.
//!
//! A link of the user's is followed only where it stays in the home. A file with an owner of its own may be a hard link to one
//! that lies elsewhere: it is never given away nor written to, but replaced by a new one.

use std::path::{Path, PathBuf};

use refrain_engine::accounts::User;
use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Content, Kind, Stat, View};

use crate::accounts::of_name::account;
use crate::file_target::parent;
use crate::host_path::HostPath;
use crate::links::real;

/// What such a file and the directory that it is in shall be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The mode of a new file.
    pub mode: u32,
    /// Whether a file that is there gets it, too.
    pub always: bool,
    /// Whether the directory is made, and given the mode 0700 and the user as its owner.
    pub manage_directory: bool,
}

/// A file in `~/.ssh` as it is, or the place where one shall be.
#[derive(Clone, Debug)]
pub struct UserFile {
    /// Where it really is.
    pub path: PathBuf,
    /// What it holds. Absent when there is no file.
    pub content: Option<Content>,
    /// The numbers of the user.
    pub owner: (u32, u32),
    directory: Option<Change>,
    existing: Option<Attributes>,
    mode: u32,
}

impl UserFile {
    /// Looks at the file `name` in the `.ssh` of a user.
    ///
    /// # Errors
    /// There is no such user or home, or something else is at one of the places.
    pub fn look(host: &dyn View, user: &str, name: &str, rules: Rules) -> Result<Self, Failure> {
        let user = account(host, "user", user)?;
        let home = home(host, &user)?;
        let (directory, file) = (home.join(".ssh"), home.join(".ssh").join(name));
        host.look_ahead(&[&directory, &file]);
        let (place, stat) = within(host, &home, &directory)?;
        let directory = match stat {
            _ if !rules.manage_directory => parent(host, &file).map(|_| None)?,
            stat => directory_change(&place, stat, &user)?,
        };
        let (path, stat) = within(host, &home, &file)?;
        let content = match &stat {
            Some(_) => host.read_in_place(&path)?,
            None => None,
        };
        if let Some((stat, _)) = &content {
            check(&path, stat, &user)?;
        }
        let existing = content.as_ref().map(|(stat, _)| stat.attributes);
        let content = content.map(|(_, content)| content);
        let mode = existing.filter(|_| !rules.always).map_or(rules.mode, |existing| existing.mode);
        Ok(Self { path, content, owner: (user.uid, user.gid), directory, existing, mode })
    }

    /// Whether there is such a file, or something else in its place.
    ///
    /// # Errors
    /// There is no such user, or a link leads out of the home.
    pub fn is_there(host: &dyn View, user: &str, name: &str) -> Result<bool, Failure> {
        let user = account(host, "user", user)?;
        let Ok(home) = HostPath::new(&user.home) else { return Ok(false) };
        let file = home.join(".ssh").join(name);
        Ok(real(host, &file)?.1.is_some())
    }

    /// The steps after which the file holds `after` and is the user's. None when it is so.
    pub fn plan(&self, after: Content) -> Plan {
        let mut plan: Plan = self.directory.iter().cloned().map(Into::into).collect();
        let (uid, gid) = self.owner;
        let attributes = Attributes { mode: self.mode, uid, gid };
        let path = self.path.clone();
        let same = self.content == Some(after.clone()) && after != Content::Unknown;
        match self.existing {
            Some(existing) if same && existing == attributes => {}
            // Whatever else has the user's owner is the user's already.
            Some(before) if same && before.uid == uid => {
                plan.push(Change::SetAttributes { path, before, after: attributes }.into());
            }
            _ => {
                let before = self.content.clone();
                plan.push(Change::Write { path, before, after, attributes, shown: true }.into());
            }
        }
        plan
    }
}

/// The user's home, links followed.
fn home(host: &dyn View, user: &User) -> Result<PathBuf, Failure> {
    let path = HostPath::new(&user.home)
        .map_err(|_| Failure::state(format!("the home of `{}` is no path: `{}`", user.name, user.home)))?;
    let missing = |what: &str| {
        Failure::state(format!("the home `{path}` of `{}` {what}", user.name))
            .advise(format!("make it first: user::present({:?}, #{{ create_home: true }})", user.name))
    };
    match real(host, &path)? {
        (home, Some(stat)) if stat.kind == Kind::Directory => Ok(home),
        (_, Some(stat)) => Err(missing(&format!("is a {}", stat.kind.word()))),
        (_, None) => Err(missing("is not there")),
    }
}

/// Where a path in the home leads, and what is there.
fn within(host: &dyn View, home: &Path, path: &Path) -> Result<(PathBuf, Option<Stat>), Failure> {
    let (place, stat) = real(host, path)?;
    if place.starts_with(home) {
        return Ok((place, stat));
    }
    let (path, place) = (path.display(), place.display());
    Err(Failure::state(format!("`{path}` leads out of the home, to `{place}`")).advise(format!(
        "if that is meant, name it: `path: \"{place}\"`; else remove the link with file::absent"
    )))
}

fn directory_change(path: &Path, stat: Option<Stat>, user: &User) -> Result<Option<Change>, Failure> {
    let attributes = Attributes { mode: 0o700, uid: user.uid, gid: user.gid };
    let path = path.to_owned();
    let Some(stat) = stat else { return Ok(Some(Change::MakeDirectory { path, attributes })) };
    let before = stat.attributes;
    if stat.kind != Kind::Directory {
        return Err(Failure::state(format!(
            "`{}` is a {}, not a directory",
            path.display(),
            stat.kind.word()
        ))
        .advise("remove it first with file::absent"));
    }
    if before.uid != user.uid && before.uid != 0 {
        return Err(not_theirs(&path, before.uid, &user.name));
    }
    Ok((before != attributes).then_some(Change::SetAttributes { path, before, after: attributes }))
}

/// Whether what was read may be handed to the user.
fn check(path: &Path, stat: &Stat, user: &User) -> Result<(), Failure> {
    if stat.kind != Kind::File {
        return Err(Failure::state(format!("`{}` is a {}, not a file", path.display(), stat.kind.word()))
            .advise("remove it first with file::absent"));
    }
    // What everybody may read is no secret, wherever else it lies.
    if stat.attributes.uid != user.uid && stat.attributes.mode & 0o004 == 0 {
        return Err(not_theirs(path, stat.attributes.uid, &user.name));
    }
    Ok(())
}

/// The user may have put something there that belongs to somebody else, so that it be given to the user.
fn not_theirs(path: &Path, owner: u32, user: &str) -> Failure {
    let path = path.display();
    Failure::state(format!("`{path}` belongs to user {owner}, not to `{user}`"))
        .advise("see what it is, then remove it with file::absent, or give it away with file::attributes")
}
