//! Which calls a run is asked for: tags, and the name to start at.

use crate::bundle::Settings;

/// Whether a call with these tags (its own and those around it) is wanted.
///
/// As in Ansible: `always` runs unless it is skipped by name, `never` only when one of the call's tags is asked for; `all`,
/// `tagged` and `untagged` may be asked for and skipped.
pub fn selected(settings: &Settings, tags: &[String]) -> bool {
    let has = |tag: &str| tags.iter().any(|own| own == tag);
    let named = |asked: &[String]| {
        asked.iter().any(|tag| match tag.as_str() {
            "tagged" => !tags.is_empty(),
            "untagged" => tags.is_empty(),
            tag => has(tag),
        })
    };
    let all = settings.tags.is_empty() || settings.tags.iter().any(|tag| tag == "all");
    let wanted = named(&settings.tags) || has("always") || (all && !has("never"));
    let skipped =
        named(&settings.skip_tags) || (settings.skip_tags.iter().any(|tag| tag == "all") && !has("always"));
    wanted && !skipped
}

/// Whether a name is meant by a pattern in which `*` stands for anything.
pub fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|cut| rest.is_char_boundary(*cut))
                .any(|cut| matches_name(after, &rest[cut..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &[&str], skipped: &[&str], own: &[&str]) -> bool {
        let list = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let settings = Settings { tags: list(asked), skip_tags: list(skipped), ..Settings::default() };
        selected(&settings, &list(own))
    }

    #[test]
    fn tags_select_as_in_ansible() {
        assert!(check(&[], &[], &[]));
        assert!(check(&[], &[], &["web"]));
        assert!(check(&["web"], &[], &["web", "db"]));
        assert!(!check(&["web"], &[], &["db"]));
        assert!(!check(&["web"], &[], &[]));
        assert!(check(&["web"], &[], &["always"]));
        assert!(!check(&[], &[], &["never", "debug"]));
        assert!(check(&["debug"], &[], &["never", "debug"]));
        assert!(!check(&[], &["web"], &["web"]));
        assert!(check(&["untagged"], &[], &[]));
        assert!(!check(&["tagged"], &[], &[]));
        assert!(!check(&[], &["always"], &["always"]));
    }

    #[test]
    fn names_match_globs() {
        assert!(matches_name("Install*", "Install nomad"));
        assert!(matches_name("*nomad", "Install nomad"));
        assert!(!matches_name("nomad", "Install nomad"));
    }
}
