//! Numbers for new accounts.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use refrain_engine::failure::Failure;

use super::Accounts;
use super::defaults::Defaults;

/// The number of a new user.
///
/// # Errors
/// All are taken.
pub fn new_uid(accounts: &Accounts, defaults: &Defaults, system: bool) -> Result<u32, Failure> {
    let range = if system { &defaults.system_uids } else { &defaults.uids };
    let taken = accounts.users().filter_map(|user| user.uid);
    free(taken, range, system, None).ok_or_else(|| exhausted("uid", range))
}

/// The number of a new group: `preferred`, if that is free.
///
/// # Errors
/// All are taken.
pub fn new_gid(
    accounts: &Accounts,
    defaults: &Defaults,
    system: bool,
    preferred: Option<u32>,
) -> Result<u32, Failure> {
    let range = if system { &defaults.system_gids } else { &defaults.gids };
    let taken = accounts.groups().filter_map(|group| group.gid);
    free(taken, range, system, preferred).ok_or_else(|| exhausted("gid", range))
}

fn exhausted(what: &str, range: &RangeInclusive<u32>) -> Failure {
    Failure::state(format!("all {what}s from {} to {} are taken", range.start(), range.end()))
        .advise(format!("give a `{what}`, or widen the range in /etc/login.defs"))
}

/// A free number in `range`, as the shadow tools choose it: for ordinary accounts the one after the highest that is taken,
/// for those of the system the one before the lowest; where that leads out of the range, the first free one from its
/// beginning or its end. `preferred` is taken if it is free and in the range. Absent when all are taken.
fn free(
    taken: impl IntoIterator<Item = u32>,
    range: &RangeInclusive<u32>,
    system: bool,
    preferred: Option<u32>,
) -> Option<u32> {
    let taken: HashSet<u32> = taken.into_iter().filter(|id| range.contains(id)).collect();
    let is_free = |id: &u32| range.contains(id) && !taken.contains(id);
    if let Some(preferred) = preferred.filter(is_free) {
        return Some(preferred);
    }
    if system {
        let next = taken.iter().min().map_or(*range.end(), |lowest| lowest.saturating_sub(1));
        Some(next).filter(is_free).or_else(|| range.clone().rev().find(is_free))
    } else {
        let next = taken.iter().max().map_or(*range.start(), |highest| highest.saturating_add(1));
        Some(next).filter(is_free).or_else(|| range.clone().find(is_free))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_number_is_taken() {
        let case = |taken: &[u32], system: bool, preferred: Option<u32>, expected: Option<u32>| {
            assert_eq!(free(taken.iter().copied(), &(10..=13), system, preferred), expected, "{taken:?}");
        };
        case(&[], false, None, Some(10));
        case(&[0, 10, 99], false, None, Some(11));
        case(&[12], false, None, Some(13));
        case(&[10, 13], false, None, Some(11));
        case(&[10, 11, 12, 13], false, None, None);
        case(&[], true, None, Some(13));
        case(&[12], true, None, Some(11));
        case(&[10, 13], true, None, Some(12));
        case(&[10], false, Some(12), Some(12));
        case(&[12], false, Some(12), Some(13));
        case(&[10], false, Some(99), Some(11));
    }
}
