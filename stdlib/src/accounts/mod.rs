//! The host's accounts as they are edited: its own files, `/etc/passwd`, `/etc/shadow`, `/etc/group` and `/etc/gshadow`.
//!
//! They are edited here and not by `useradd` and the like: so it works the same in every root, whatever programs are in it; check
//! mode knows each line beforehand; and no password hash is ever an argument of a program. What the shadow tools would
//! write is what is written (numbers, private groups, ageing, all by `/etc/login.defs`). What only a directory service
//! knows is not seen: the host's own files decide.

pub mod defaults;
pub mod edit;
pub mod id;
pub mod name;
pub mod of_name;
pub mod table;

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use refrain_engine::system::account_files::AccountFile;

use self::table::{Group, Passwd, Table};

/// The four files. A host without `/etc/shadow` keeps passwords in `/etc/passwd`.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// `/etc/passwd`.
    pub passwd: Table,
    /// `/etc/shadow`, where there is one.
    pub shadow: Option<Table>,
    /// `/etc/group`.
    pub group: Table,
    /// `/etc/gshadow`, where there is one.
    pub gshadow: Option<Table>,
}

impl Accounts {
    /// Reads the files.
    ///
    /// # Errors
    /// There is no `/etc/passwd` or `/etc/group`, or one of them can't be read.
    pub fn look(host: &dyn View) -> Result<Self, Failure> {
        let required = |path: &str| match Table::look(host, path)? {
            Some(table) => Ok(table),
            None => Err(Failure::state(format!("the host has no `{path}`"))),
        };
        Ok(Self {
            passwd: required("/etc/passwd")?,
            shadow: Table::look(host, "/etc/shadow")?,
            group: required("/etc/group")?,
            gshadow: Table::look(host, "/etc/gshadow")?,
        })
    }

    /// What has to be written so that the files become `after`: what is referred to before what refers to it.
    pub fn differences(&self, after: &Self) -> Vec<AccountFile> {
        let before = [Some(&self.group), self.gshadow.as_ref(), self.shadow.as_ref(), Some(&self.passwd)];
        let after = [Some(&after.group), after.gshadow.as_ref(), after.shadow.as_ref(), Some(&after.passwd)];
        let pairs = before.into_iter().flatten().zip(after.into_iter().flatten());
        pairs.filter_map(|(before, after)| before.difference(after)).collect()
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<Passwd> {
        self.passwd.get(name).map(Passwd::from)
    }

    /// All users.
    pub fn users(&self) -> impl Iterator<Item = Passwd> {
        self.passwd.entries().map(Passwd::from)
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.group.entries().map(Group::from)
    }

    /// The group of this name.
    ///
    /// # Errors
    /// There is none; `argument` is what named it.
    pub fn group_named(&self, argument: &str, name: &str) -> Result<Group, Failure> {
        if let Some(group) = self.group.get(name) {
            return Ok(group.into());
        }
        let names: Vec<String> = self.groups().map(|group| group.name).collect();
        let hint = match near_match(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("make it first: group::present({name:?})"),
        };
        Err(Failure::argument(argument, format!("the host has no group `{name}`")).advise(hint))
    }

    /// The group of this number.
    pub fn group_numbered(&self, gid: u32) -> Option<Group> {
        self.groups().find(|group| group.gid == Some(gid))
    }

    /// The groups that have a user as a member, in the order of the file.
    pub fn groups_of(&self, user: &str) -> Vec<String> {
        let has = |group: &Group| group.members.iter().any(|member| member == user);
        self.groups().filter(has).map(|group| group.name).collect()
    }

    /// Adds a group.
    pub fn add_group(&mut self, name: &str, gid: u32) {
        self.group.add(&[name, "x", &gid.to_string(), ""]);
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.add(&[name, "!", "", ""]);
        }
    }

    /// Removes a group.
    pub fn remove_group(&mut self, name: &str) {
        self.group.remove(name);
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.remove(name);
        }
    }

    /// Gives a group these members and no others.
    pub fn set_members(&mut self, group: &str, members: &[String]) {
        let members = members.join(",");
        self.group.set(group, table::MEMBERS, &members);
        if let Some(gshadow) = self.gshadow.as_mut().filter(|gshadow| gshadow.get(group).is_some()) {
            gshadow.set(group, table::MEMBERS, &members);
        }
    }

    /// Makes a user a member of a group, or ends that.
    pub fn set_member(&mut self, group: &str, user: &str, member: bool) {
        let Some(entry) = self.group.get(group) else { return };
        let mut members = Group::from(entry).members;
        members.retain(|known| known != user);
        if member {
            members.push(user.to_owned());
        }
        self.set_members(group, &members);
    }
}

#[cfg(test)]
pub mod testing {
    //! Accounts made of texts.

    use refrain_engine::system::Attributes;

    use super::*;

    /// The accounts of these files; `None` for a file that is not there.
    pub fn accounts(passwd: &str, shadow: Option<&str>, group: &str, gshadow: Option<&str>) -> Accounts {
        let table = |path: &str, text: &str| {
            let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
            Table::parse(path.into(), attributes, text.as_bytes().to_vec())
        };
        Accounts {
            passwd: table("/etc/passwd", passwd),
            shadow: shadow.map(|text| table("/etc/shadow", text)),
            group: table("/etc/group", group),
            gshadow: gshadow.map(|text| table("/etc/gshadow", text)),
        }
    }
}
