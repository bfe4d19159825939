//! The accounts that a package creates, as the playbook declares them.

use refrain_engine::failure::Failure;
use refrain_engine::step::Step;
use refrain_engine::system::View;
use refrain_engine::system::preview::Overlay;

use crate::accounts::defaults::Defaults;
use crate::accounts::edit::Editor;
use crate::accounts::name::AccountName;
use crate::accounts::{Accounts, id};

/// Users and groups that are there once a package is.
#[derive(Clone, Debug, Default)]
pub struct Created {
    /// The users. Each has a group of its own name.
    pub users: Vec<AccountName>,
    /// Further groups.
    pub groups: Vec<AccountName>,
}

impl Created {
    /// Lays them over the host, as the script of a package makes them. What is there already stays.
    ///
    /// # Errors
    /// The host has no accounts, or no numbers for new ones.
    pub fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        if self.users.is_empty() && self.groups.is_empty() {
            return Ok(());
        }
        let before = Accounts::look(overlay)?;
        let defaults = Defaults::look(overlay)?;
        let mut editor = Editor::new(&before);
        for group in &self.groups {
            add_group(&mut editor.accounts, &defaults, group, None)?;
        }
        for user in &self.users {
            add_user(&mut editor.accounts, &defaults, user)?;
        }
        editor.step("create accounts").map_or(Ok(()), |step: Box<dyn Step>| step.predict(overlay))
    }

    /// Whether they are there, now that the packages are.
    ///
    /// # Errors
    /// One is not: what the playbook declares is not so.
    pub fn verify(&self, host: &dyn View) -> Result<(), Failure> {
        if self.users.is_empty() && self.groups.is_empty() {
            return Ok(());
        }
        let accounts = Accounts::look(host)?;
        let user = self.users.iter().find(|name| accounts.user(name).is_none());
        let group = self.groups.iter().find(|name| accounts.group.get(name).is_none());
        let missing = user.map(|name| ("user", "creates_users", name));
        match missing.or(group.map(|name| ("group", "creates_groups", name))) {
            None => Ok(()),
            Some((what, argument, name)) => {
                Err(Failure::argument(argument, format!("the packages did not create the {what} `{name}`")))
            }
        }
    }
}

fn add_group(
    accounts: &mut Accounts,
    defaults: &Defaults,
    name: &str,
    preferred: Option<u32>,
) -> Result<u32, Failure> {
    if let Some(gid) =
        accounts.group.get(name).and_then(|entry| crate::accounts::table::Group::from(entry).gid)
    {
        return Ok(gid);
    }
    let gid = id::new_gid(accounts, defaults, true, preferred)?;
    accounts.add_group(name, gid);
    Ok(gid)
}

/// A user as packages of Void Linux make them.
fn add_user(accounts: &mut Accounts, defaults: &Defaults, name: &str) -> Result<(), Failure> {
    if accounts.user(name).is_some() {
        return Ok(());
    }
    let uid = id::new_uid(accounts, defaults, true)?;
    let gid = add_group(accounts, defaults, name, Some(uid))?;
    let comment = format!("{name} unprivileged user");
    let numbers = [uid.to_string(), gid.to_string()];
    accounts.passwd.add(&[name, "x", &numbers[0], &numbers[1], &comment, "/var/empty", "/sbin/nologin"]);
    if let Some(shadow) = &mut accounts.shadow {
        shadow.add(&[name, "!", "", "", "", "", "", "", ""]);
    }
    Ok(())
}
