//! What `user::present` does: from what is to what shall be.

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::system::ownership::Owner;

use super::ageing;
use super::password;
use super::present::{Found, GroupId, Present, UpdatePassword};
use super::renumber::GiveHome;
use crate::accounts::edit::Editor;
use crate::accounts::table::{CHANGED, COMMENT, HOME, NUMBER, PASSWORD, PRIMARY, Passwd, SHELL};
use crate::accounts::{Accounts, id};

/// Debian's word for a home that is not meant to be there.
const NONEXISTENT: &str = "/nonexistent";

/// The steps after which the account is as it shall be.
pub fn plan(wanted: &Present, found: &Found) -> Result<Plan, Failure> {
    let before = found.accounts.user(&wanted.name);
    let mut change = Change { wanted, found, editor: Editor::new(&found.accounts) };
    let owner = match &before {
        None => change.create()?,
        Some(user) => change.adapt(user)?,
    };
    change.set_groups()?;
    change.set_password(before.is_none())?;
    change.set_ageing()?;
    let mut plan = Plan::new();
    if let Some(user) = &before {
        plan.extend(change.give_home(user, owner));
    }
    let verb = if before.is_none() { "create" } else { "change" };
    plan.extend(change.editor.step(&format!("{verb} user {}", wanted.name)));
    if wants_home(wanted, found, before.as_ref(), owner) {
        plan.extend(found.home.plan(owner, found.defaults.home_mode));
    }
    Ok(plan)
}

fn wants_home(wanted: &Present, found: &Found, before: Option<&Passwd>, owner: Owner) -> bool {
    let path = &found.home.path;
    if !path.is_absolute() {
        return false;
    }
    // An ordinary user's home is also made later: an interrupted run may have got no further than the account.
    let ordinary = !wanted.system && (before.is_none() || found.defaults.uids.contains(&owner.uid));
    wanted.create_home.unwrap_or(ordinary && !path.starts_with(NONEXISTENT))
}

/// One account on its way from what it is to what it shall be.
struct Change<'a> {
    wanted: &'a Present,
    found: &'a Found,
    editor: Editor<'a>,
}

impl Change<'_> {
    /// Adds the account, and its own group where it needs one.
    fn create(&mut self) -> Result<Owner, Failure> {
        let (wanted, defaults) = (self.wanted, &self.found.defaults);
        let uid = match wanted.uid {
            Some(uid) => self.checked_uid(uid)?,
            None => id::new_uid(&self.found.accounts, defaults, wanted.system)?,
        };
        self.editor.says(format!("uid {uid}"));
        let gid = self.primary_group(uid)?;
        let home = wanted.home(None, defaults).to_string_lossy().into_owned();
        let shell = wanted.shell.as_ref().map_or_else(|| defaults.shell.clone(), ToString::to_string);
        let comment = wanted.comment.as_ref().map_or("", |comment| &comment.0);
        self.editor.says(format!("home {home}"));
        self.editor.says(format!("shell {shell}"));
        let accounts = &mut self.editor.accounts;
        let password = if accounts.shadow.is_some() { "x" } else { "!" };
        let numbers = [uid.to_string(), gid.to_string()];
        accounts.passwd.add(&[&wanted.name, password, &numbers[0], &numbers[1], comment, &home, &shell]);
        self.add_shadow("!");
        Ok(Owner { uid, gid })
    }

    /// Sets the fields of the account that are given.
    fn adapt(&mut self, user: &Passwd) -> Result<Owner, Failure> {
        let wanted = self.wanted;
        let (Some(mut uid), Some(mut gid)) = (user.uid, user.gid) else {
            let message = format!("the line of `{}` in /etc/passwd is broken: it has no numbers", user.name);
            return Err(Failure::state(message));
        };
        if let Some(new) = wanted.uid.filter(|new| *new != uid) {
            self.checked_uid(new)?;
            self.set(NUMBER, &new.to_string(), &format!("uid {new} (was {uid})"));
            uid = new;
        }
        if let Some(group) = &wanted.group {
            let new = self.gid_of(group)?;
            if new != gid {
                self.set(PRIMARY, &new.to_string(), &format!("gid {new} (was {gid})"));
                gid = new;
            }
        }
        let home = wanted.home.as_ref().map(ToString::to_string);
        let shell = wanted.shell.as_ref().map(ToString::to_string);
        let comment = wanted.comment.as_ref().map(|comment| comment.0.clone());
        for (field, word, before, after) in [
            (COMMENT, "comment", &user.comment, comment),
            (HOME, "home", &user.home, home),
            (SHELL, "shell", &user.shell, shell),
        ] {
            if let Some(after) = after.filter(|after| after != before) {
                self.set(field, &after, &format!("{word} {after:?} (was {before:?})"));
            }
        }
        Ok(Owner { uid, gid })
    }

    /// Sets a field of passwd.
    fn set(&mut self, field: usize, value: &str, words: &str) {
        self.editor.accounts.passwd.set(&self.wanted.name, field, value);
        self.editor.says(words);
    }

    /// The number, if the user may have it.
    fn checked_uid(&self, uid: u32) -> Result<u32, Failure> {
        let other = self.found.accounts.users().find(|user| user.uid == Some(uid));
        match other.filter(|_| !self.wanted.non_unique) {
            Some(other) => {
                Err(Failure::argument("uid", format!("the uid {uid} is that of the user `{}`", other.name))
                    .advise("choose another one, or say `non_unique: true`"))
            }
            None => Ok(uid),
        }
    }

    /// The primary group of a new account, which is made where the account gets one of its own.
    fn primary_group(&mut self, uid: u32) -> Result<u32, Failure> {
        let (name, defaults) = (&*self.wanted.name, &self.found.defaults);
        if let Some(group) = &self.wanted.group {
            return self.gid_of(group);
        }
        if !defaults.private_groups {
            let named = self.found.accounts.group.get("users").map(|_| "users".to_owned());
            let group = defaults.group.clone().or(named).unwrap_or_else(|| "100".to_owned());
            return self.gid_of(&GroupId::Name(group));
        }
        if let Ok(group) = self.found.accounts.group_named("name", name) {
            return group.gid.ok_or_else(|| broken_group(name));
        }
        let gid = id::new_gid(&self.found.accounts, defaults, self.wanted.system, Some(uid))?;
        self.editor.accounts.add_group(name, gid);
        self.editor.says(format!("a group of its own (gid {gid})"));
        Ok(gid)
    }

    fn gid_of(&self, group: &GroupId) -> Result<u32, Failure> {
        let accounts = &self.found.accounts;
        let number = match group {
            GroupId::Number(gid) => Some(*gid),
            GroupId::Name(name) => name.parse().ok().filter(|_| accounts.group.get(name).is_none()),
        };
        match (number, group) {
            (Some(gid), _) if accounts.group_numbered(gid).is_some() => Ok(gid),
            (Some(gid), _) => {
                Err(Failure::argument("group", format!("the host has no group with the gid {gid}"))
                    .advise("make it first: group::present(…)"))
            }
            (None, GroupId::Name(name)) => {
                accounts.group_named("group", name)?.gid.ok_or_else(|| broken_group(name))
            }
            (None, GroupId::Number(gid)) => Err(broken_group(&gid.to_string())),
        }
    }

    /// Enters the groups that are given, and leaves the others.
    fn set_groups(&mut self) -> Result<(), Failure> {
        let Some(wanted) = &self.wanted.groups else { return Ok(()) };
        let name = &*self.wanted.name;
        let before = self.found.accounts.groups_of(name);
        for group in &wanted.0 {
            self.found.accounts.group_named("groups", group)?;
            if !before.iter().any(|known| **known == **group) {
                self.editor.accounts.set_member(group, name, true);
            }
        }
        for group in before.iter().filter(|group| !wanted.0.iter().any(|wanted| **wanted == ***group)) {
            if !self.wanted.append {
                self.editor.accounts.set_member(group, name, false);
            }
        }
        let after = self.editor.accounts.groups_of(name);
        self.editor.says_difference("group", &before, &after);
        Ok(())
    }

    fn set_password(&mut self, is_new: bool) -> Result<(), Failure> {
        let wanted = self.wanted;
        let given = wanted.password.as_ref();
        let given = given.filter(|_| is_new || wanted.update_password == UpdatePassword::Always);
        let before = password_of(&self.editor.accounts, &wanted.name);
        let after = password::field(&before, given, wanted.lock)?;
        if before == after {
            return Ok(());
        }
        self.need_shadow();
        let today = self.found.today.to_string();
        let accounts = &mut self.editor.accounts;
        match &mut accounts.shadow {
            Some(shadow) => {
                shadow.set(&wanted.name, PASSWORD, &after);
                if password::is_new(&before, &after) {
                    shadow.set(&wanted.name, CHANGED, &today);
                }
            }
            None => accounts.passwd.set(&wanted.name, PASSWORD, &after),
        }
        for word in password::words(&before, &after) {
            self.editor.says(word);
        }
        Ok(())
    }

    fn set_ageing(&mut self) -> Result<(), Failure> {
        let name = &*self.wanted.name;
        for setting in self.wanted.ageing().settings() {
            if self.editor.accounts.shadow.is_none() {
                let message = format!("`{}` has no place: the host has no /etc/shadow", setting.words);
                return Err(Failure::state(message));
            }
            let entry = self.editor.accounts.shadow.as_ref().and_then(|shadow| shadow.get(name));
            let now = entry.and_then(|entry| entry.get(setting.field).cloned()).unwrap_or_default();
            if now == setting.value {
                continue;
            }
            self.need_shadow();
            if let Some(shadow) = &mut self.editor.accounts.shadow {
                shadow.set(name, setting.field, &setting.value);
            }
            self.editor.says(setting.words);
        }
        Ok(())
    }

    /// Moves a password that is still in passwd to shadow, if the host has that.
    fn need_shadow(&mut self) {
        let name = &*self.wanted.name;
        let accounts = &self.editor.accounts;
        if accounts.shadow.as_ref().is_none_or(|shadow| shadow.get(name).is_some()) {
            return;
        }
        let password = password_of(accounts, name);
        self.add_shadow(&password);
        self.editor.accounts.passwd.set(name, PASSWORD, "x");
    }

    fn add_shadow(&mut self, password: &str) {
        let today = self.found.today.to_string();
        let [least, most, warning, inactive, expires] =
            ageing::of_new(&self.found.defaults, self.wanted.system);
        if let Some(shadow) = &mut self.editor.accounts.shadow {
            let name = &self.wanted.name;
            shadow.add(&[name, password, &today, &least, &most, &warning, &inactive, &expires, ""]);
        }
    }

    /// The home goes along with the numbers, if it is the user's.
    fn give_home(&self, user: &Passwd, to: Owner) -> Option<Box<dyn refrain_engine::step::Step>> {
        let from = Owner { uid: user.uid?, gid: user.gid? };
        if from == to || self.found.home_owner != Some(from.uid) {
            return None;
        }
        Some(Box::new(GiveHome { directory: user.home.clone().into(), from, to }))
    }
}

/// The password field of an account, from where it counts.
fn password_of(accounts: &Accounts, name: &str) -> String {
    let shadow = accounts.shadow.as_ref().and_then(|shadow| shadow.get(name));
    let password = match shadow {
        Some(entry) => entry.get(PASSWORD).cloned(),
        // An `x` without the entry that it points to lets nobody in.
        None => accounts.user(name).map(|user| user.password).filter(|password| password != "x"),
    };
    password.unwrap_or_else(|| "!".to_owned())
}

fn broken_group(name: &str) -> Failure {
    Failure::state(format!("the line of the group `{name}` in /etc/group is broken: it has no number"))
}
