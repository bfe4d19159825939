//! What new accounts are like on a host: `/etc/login.defs` and `/etc/default/useradd`.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::View;

/// The settings, with those of the shadow tools where the files say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Numbers of ordinary users.
    pub uids: RangeInclusive<u32>,
    /// Numbers of ordinary groups.
    pub gids: RangeInclusive<u32>,
    /// Numbers of users that belong to the system.
    pub system_uids: RangeInclusive<u32>,
    /// Numbers of groups that belong to the system.
    pub system_gids: RangeInclusive<u32>,
    /// Whether a new user gets a group of its own.
    pub private_groups: bool,
    /// The group of new users otherwise, by name or number.
    pub group: Option<String>,
    /// The directory that homes are made in.
    pub homes: PathBuf,
    /// The mode of a new home.
    pub home_mode: u32,
    /// What is copied into a new home.
    pub skeleton: PathBuf,
    /// The login shell.
    pub shell: String,
    /// Days before a password may be changed.
    pub least: Option<i64>,
    /// Days after which it has to be changed.
    pub most: Option<i64>,
    /// Days of warning before that.
    pub warning: Option<i64>,
    /// Days after that until the account is closed.
    pub inactive: Option<i64>,
}

impl Defaults {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them is there and can't be read.
    pub fn look(host: &dyn View) -> Result<Self, Failure> {
        let login = text(host, "/etc/login.defs")?;
        let useradd = text(host, "/etc/default/useradd")?;
        Ok(Self::parse(login.as_deref(), useradd.as_deref()))
    }

    /// The settings in the texts of both files.
    pub fn parse(login: Option<&str>, useradd: Option<&str>) -> Self {
        let private_by_default = login.is_none();
        let login = settings(login.unwrap_or_default(), |line| line.split_once(char::is_whitespace));
        let useradd = settings(useradd.unwrap_or_default(), |line| line.split_once('='));
        let number = |name: &str| login.get(name).and_then(|value| c_number(value));
        let id =
            |name: &str, default: u32| number(name).and_then(|id| u32::try_from(id).ok()).unwrap_or(default);
        let days = |value: Option<i64>| value.filter(|days| *days >= 0);
        let (least_uid, least_gid) = (id("UID_MIN", 1000), id("GID_MIN", 1000));
        let given = |name: &str| useradd.get(name).copied().filter(|value| !value.is_empty());
        Self {
            uids: least_uid..=id("UID_MAX", 60_000),
            gids: least_gid..=id("GID_MAX", 60_000),
            system_uids: id("SYS_UID_MIN", 101)..=id("SYS_UID_MAX", least_uid.saturating_sub(1)),
            system_gids: id("SYS_GID_MIN", 101)..=id("SYS_GID_MAX", least_gid.saturating_sub(1)),
            private_groups: login
                .get("USERGROUPS_ENAB")
                .map_or(private_by_default, |value| value.eq_ignore_ascii_case("yes")),
            group: given("GROUP").map(ToOwned::to_owned),
            homes: given("HOME").unwrap_or("/home").into(),
            home_mode: id("HOME_MODE", 0o777 & !id("UMASK", 0o022)) & 0o7777,
            skeleton: given("SKEL").unwrap_or("/etc/skel").into(),
            shell: given("SHELL").unwrap_or("/bin/sh").to_owned(),
            least: days(number("PASS_MIN_DAYS")),
            most: days(number("PASS_MAX_DAYS")),
            warning: days(number("PASS_WARN_AGE")),
            inactive: days(given("INACTIVE").and_then(c_number)),
        }
    }
}

fn text(host: &dyn View, path: &str) -> Result<Option<String>, Failure> {
    let content = host.read(Path::new(path))?;
    Ok(content.and_then(|content| content.known().map(|bytes| String::from_utf8_lossy(bytes).into_owned())))
}

/// The settings of a file by name. What is said twice counts as said last.
fn settings<'a>(
    text: &'a str,
    split: impl Fn(&'a str) -> Option<(&'a str, &'a str)>,
) -> HashMap<&'a str, &'a str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(split).map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect()
}

/// A number as C writes it: octal with a leading 0, hexadecimal with 0x.
fn c_number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let number = match (digits.strip_prefix("0x"), digits.strip_prefix('0')) {
        (Some(hexadecimal), _) => i64::from_str_radix(hexadecimal, 16),
        (None, Some(octal)) if !octal.is_empty() => i64::from_str_radix(octal, 8),
        _ => digits.parse(),
    };
    number.ok().map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_what_new_accounts_are_like() {
        let login = "# UID_MIN 5\nUID_MIN\t\t 2000\nUID_MAX 0x1000\nSYS_UID_MIN 300\nUMASK 027\nUSERGROUPS_ENAB yes\n\
                     PASS_MAX_DAYS\t99999\nPASS_MIN_DAYS -1\n";
        let useradd = "SHELL=/bin/bash\n# HOME=/srv\nHOME=/users\nINACTIVE=-1\nGROUP=\"users\"\nEXPIRE=\n";
        let defaults = Defaults::parse(Some(login), Some(useradd));
        assert_eq!((defaults.uids, defaults.system_uids), (2000..=4096, 300..=1999));
        assert_eq!((defaults.gids, defaults.system_gids), (1000..=60_000, 101..=999));
        assert_eq!((defaults.home_mode, defaults.private_groups), (0o750, true));
        assert_eq!((defaults.homes.to_str(), defaults.shell.as_str()), (Some("/users"), "/bin/bash"));
        assert_eq!((defaults.most, defaults.least, defaults.inactive), (Some(99_999), None, None));
        assert_eq!(defaults.group.as_deref(), Some("users"));
        let with_mode = Defaults::parse(Some("HOME_MODE 0700\nUMASK 022"), None);
        assert_eq!((with_mode.home_mode, with_mode.private_groups), (0o700, false));
    }

    #[test]
    fn a_host_without_files_has_the_usual_ones() {
        let defaults = Defaults::parse(None, None);
        assert_eq!(
            (defaults.uids, defaults.home_mode, defaults.private_groups),
            (1000..=60_000, 0o755, true)
        );
        assert_eq!(defaults.skeleton, Path::new("/etc/skel"));
    }
}
