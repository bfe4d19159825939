//! How long passwords and accounts hold, as `/etc/shadow` has it.

use super::date::Expiry;
use crate::accounts::defaults::Defaults;
use crate::accounts::table::{EXPIRES, INACTIVE, LEAST, MOST, WARNING};

/// What a playbook wants of it. What is absent stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ageing<'a> {
    /// Days before a password may be changed.
    pub least: Option<i64>,
    /// Days after which it has to be changed.
    pub most: Option<i64>,
    /// Days of warning before that.
    pub warning: Option<i64>,
    /// Days after that until the account is closed.
    pub inactive: Option<i64>,
    /// The day on which the account expires.
    pub expires: Option<&'a Expiry>,
}

/// A field of shadow with what it shall hold, and how people are told.
pub struct Setting {
    /// Which one.
    pub field: usize,
    /// Its text, empty for none.
    pub value: String,
    /// `expires 2027-01-31`.
    pub words: String,
}

impl Ageing<'_> {
    /// The fields that are given.
    pub fn settings(&self) -> Vec<Setting> {
        let days = [
            (LEAST, self.least, "days before a password may be changed"),
            (MOST, self.most, "days until a password has to be changed"),
            (WARNING, self.warning, "days of warning before that"),
            (INACTIVE, self.inactive, "days of grace after that"),
        ];
        let days = days.into_iter().filter_map(|(field, days, what)| {
            let value = text(days?);
            let words = if value.is_empty() { format!("no {what}") } else { format!("{value} {what}") };
            Some(Setting { field, value, words })
        });
        let expires = self.expires.map(|expiry| Setting {
            field: EXPIRES,
            value: expiry.day.map(text).unwrap_or_default(),
            words: format!("expires {}", expiry.text),
        });
        days.chain(expires).collect()
    }
}

/// The fields of a new account from `LEAST` to `EXPIRES`: those of the system have none.
pub fn of_new(defaults: &Defaults, system: bool) -> [String; 5] {
    let days = [defaults.least, defaults.most, defaults.warning, defaults.inactive, None];
    days.map(|days| days.filter(|_| !system).map(text).unwrap_or_default())
}

/// A number of days; what is less than 0 means none.
fn text(days: i64) -> String {
    if days < 0 { String::new() } else { days.to_string() }
}
