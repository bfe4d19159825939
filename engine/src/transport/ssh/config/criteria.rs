//! The conditions of `Match`.

use super::words::{Word, first};

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    pub about: About,
    /// A `!` in front.
    pub negated: bool,
}

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing: it always holds.
    All,
    /// The second time that the configuration is gone through, with the host's final name.
    Final,
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    /// Something that is not honoured: its keyword. It never holds.
    Unheeded(&'static str),
}

/// Reads what follows `Match`, from byte `from` of the line on.
///
/// # Errors
/// The word at which it makes no sense, and why.
pub(super) fn read(line: &str, from: usize) -> Result<Vec<Criterion>, (Word, String)> {
    let word = |text: &str, at: usize| Word { text: text.to_owned(), column: line[..at].chars().count() + 1 };
    let mut criteria: Vec<Criterion> = Vec::new();
    let mut next = from;
    while let Some((name, at, rest)) = first(line, next).filter(|(name, ..)| !name.starts_with('#')) {
        next = rest;
        let bare = name.strip_prefix('!').unwrap_or(name);
        let negated = bare.len() < name.len();
        let about = match bare.to_ascii_lowercase().as_str() {
            "all" => About::All,
            "final" | "canonical" => About::Final,
            other => {
                let Some(kind) = with_argument(other) else {
                    return Err((word(name, at), format!("`Match` does not know `{bare}`")));
                };
                let argument = first(line, next).filter(|(argument, ..)| !argument.starts_with('#'));
                let Some((argument, _, rest)) = argument.filter(|(argument, ..)| !argument.is_empty()) else {
                    return Err((word(name, at), format!("`{bare}` needs a value")));
                };
                next = rest;
                kind(argument.to_owned())
            }
        };
        let alone = about != About::All
            || (criteria.len() < 2 && {
                let further = first(line, next);
                further.is_none_or(|(further, ..)| further.starts_with('#'))
            });
        if !alone {
            return Err((word(name, at), "`all` stands alone".to_owned()));
        }
        criteria.push(Criterion { about, negated });
    }
    if criteria.is_empty() {
        return Err((word("", from), "`Match` needs a condition".to_owned()));
    }
    Ok(criteria)
}

fn with_argument(name: &str) -> Option<fn(String) -> About> {
    match name {
        "host" => Some(|patterns| About::Host(patterns.to_lowercase())),
        "originalhost" => Some(|patterns| About::OriginalHost(patterns.to_lowercase())),
        "user" => Some(About::User),
        "localuser" => Some(About::LocalUser),
        "exec" => Some(|_| About::Unheeded("Match exec")),
        "localnetwork" => Some(|_| About::Unheeded("Match localnetwork")),
        "tagged" => Some(|_| About::Unheeded("Match tagged")),
        "command" => Some(|_| About::Unheeded("Match command")),
        "sessiontype" => Some(|_| About::Unheeded("Match sessiontype")),
        "version" => Some(|_| About::Unheeded("Match version")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let read = |line: &str| read(line, 0).map_err(|(word, reason)| (word.column, reason));
        let criterion = |about, negated| Criterion { about, negated };
        assert_eq!(
            read("host A*,!b !user me # all").unwrap(),
            [criterion(About::Host("a*,!b".into()), false), criterion(About::User("me".into()), true)]
        );
        assert_eq!(read("final all").unwrap().len(), 2);
        assert_eq!(read("exec \"true\"").unwrap(), [criterion(About::Unheeded("Match exec"), false)]);
        assert_eq!(read("all host a").unwrap_err(), (1, "`all` stands alone".to_owned()));
        assert_eq!(read("host").unwrap_err(), (1, "`host` needs a value".to_owned()));
        assert_eq!(read("user a hots b").unwrap_err(), (8, "`Match` does not know `hots`".to_owned()));
        assert_eq!(read("").unwrap_err(), (1, "`Match` needs a condition".to_owned()));
    }
}
