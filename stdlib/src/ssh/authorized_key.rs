//! `ssh::authorized_key`.

use std::borrow::Cow;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::authorized_line::AuthorizedLine;
use super::key_list::{KeyList, append, lines, start};
use super::key_options;
use super::public_key::{KeyError, PublicKey};
use super::user_file::Rules;
use crate::accounts::of_name::account;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;

/// Lets keys log in as a user, or no longer.
///
/// A key is known by itself, not by its comment or its options. Its line is made right where it stands; further lines of the
/// same key go, since sshd might take them instead. All other lines stay byte for byte as they are.
///
/// ```rhai
/// ssh::authorized_key("ada", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@home");
/// ssh::authorized_key("backup", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", #{
///     options: `restrict,command="/usr/local/bin/backup",from="192.0.2.0/24"`,
///     exclusive: true,
/// });
/// ssh::authorized_key("grace", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ==", #{ absent: true });
/// ```
///
/// The user may have been made by this very run, also in check mode. `~/.ssh` and the file become the user's, with the modes 0700
/// and 0600. Links in the home are followed only if they stay in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKey {
    /// The login name.
    user: String,
    /// The keys, each as in a `.pub` file, with or without options in front and a comment behind. A text may hold several lines;
    /// empty ones and those that begin with `#` don't count. When a key has no comment, the one that is in the file stays.
    keys: OneOrMany<String>,
    /// Options for all keys, as sshd(8) describes them, in one text or an array of single options. Instead of those that stand
    /// in front of the keys. A key for which none are given has none.
    #[serde(default)]
    options: Option<OneOrMany<String>>,
    /// A comment for all keys, instead of those that they have.
    #[serde(default)]
    comment: Option<String>,
    /// Whether all other keys go, and all lines that make no sense. Comments and empty lines stay. Default false.
    #[serde(default)]
    exclusive: bool,
    /// Whether the keys go. Their options and comments don't count. Default false.
    #[serde(default)]
    absent: bool,
    /// Another file, whose directory has to exist; by default `~/.ssh/authorized_keys`. There, what exists keeps its owner and
    /// mode, and a new file belongs to the agent's user and has the mode 0644.
    #[serde(default)]
    path: Option<HostPath>,
    /// Whether `~/.ssh` is made, and given its owner and mode. Default true.
    #[serde(default)]
    manage_directory: Option<bool>,
}

impl State for AuthorizedKey {
    const NAME: &'static str = "ssh::authorized_key";
    const POSITIONAL: &'static [&'static str] = &["user", "keys"];
    type Found = KeyList;

    fn subject(&self) -> String {
        self.user.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<KeyList, Failure> {
        self.check()?;
        match &self.path {
            Some(path) => {
                account(context.host, "user", &self.user)?;
                KeyList::elsewhere(context.host, path, self.absent)
            }
            None => {
                let manage_directory = self.manage_directory.unwrap_or(true);
                let rules = Rules { mode: 0o600, always: true, manage_directory };
                KeyList::in_home(context.host, &self.user, "authorized_keys", rules, self.absent)
            }
        }
    }

    fn plan(&self, found: &KeyList) -> Result<Plan, Failure> {
        let wanted = self.wanted()?;
        Ok(found.plan(self.absent, |text| self.edit(text, &wanted)))
    }

    fn fields(&self, found: &KeyList) -> Map<String, Value> {
        found.fields()
    }
}

impl AuthorizedKey {
    fn check(&self) -> Result<(), Failure> {
        let refuse = |argument: &str, message: &str| Err(Failure::argument(argument, message));
        if self.absent {
            for (argument, given) in [
                ("exclusive", self.exclusive),
                ("options", self.options.is_some()),
                ("comment", self.comment.is_some()),
                ("manage_directory", self.manage_directory.is_some()),
            ] {
                if given {
                    return refuse(argument, &format!("`{argument}` says nothing about keys that go"));
                }
            }
        }
        if self.path.is_some() && self.manage_directory.is_some() {
            return refuse("manage_directory", "`manage_directory` is about `~/.ssh`, not about `path`");
        }
        if self.comment.as_ref().is_some_and(|comment| comment.contains(['\n', '\r'])) {
            return refuse("comment", "a comment is one line");
        }
        if self.exclusive && self.wanted()?.is_empty() {
            return Err(Failure::argument("keys", "`exclusive` without any key would lock everybody out")
                .advise("to remove the file, file::absent"));
        }
        self.wanted().map(drop)
    }

    /// The lines as they shall be, each key once.
    fn wanted(&self) -> Result<Vec<AuthorizedLine>, Failure> {
        let options = self.options()?;
        let mut wanted: Vec<AuthorizedLine> = Vec::new();
        for line in lines(&self.keys.0) {
            let mut new = given(line)?;
            if let Some(options) = &options {
                new.options.clone_from(options);
            }
            if let Some(comment) = &self.comment {
                comment.trim().clone_into(&mut new.comment);
            }
            match wanted.iter().find(|known| known.key == new.key) {
                None => wanted.push(new),
                Some(known) if known.to_string() == new.to_string() => {}
                Some(_) => {
                    let message =
                        format!("a key is given twice, with differing options or comments: {}", start(line));
                    return Err(Failure::argument("keys", message));
                }
            }
        }
        Ok(wanted)
    }

    fn options(&self) -> Result<Option<String>, Failure> {
        let Some(options) = &self.options else { return Ok(None) };
        let text = options.0.join(",");
        match key_options::parse(&text) {
            Ok(_) => Ok(Some(text)),
            Err(error) => Err(refusal("options", &error)),
        }
    }

    fn edit(&self, text: &str, wanted: &[AuthorizedLine]) -> String {
        let mut made = vec![false; wanted.len()];
        let mut after = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let found = AuthorizedLine::parse(line).ok();
            let index = found.as_ref().and_then(|found| wanted.iter().position(|one| one.key == found.key));
            match (index, found) {
                (Some(_), _) if self.absent => {}
                (Some(index), Some(found)) if !made[index] => {
                    made[index] = true;
                    after.push_str(&right(&wanted[index], found, line));
                }
                (Some(_), _) => {}
                (None, _) if self.exclusive && !says_nothing(line) => {}
                (None, _) => after.push_str(line),
            }
        }
        let missing = wanted.iter().zip(&made).filter(|(_, made)| !**made && !self.absent);
        for (line, _) in missing {
            append(&mut after, &line.to_string());
        }
        after
    }
}

/// The line of a key: as it is, if it says what is wanted.
fn right<'l>(wanted: &AuthorizedLine, found: AuthorizedLine, line: &'l str) -> Cow<'l, str> {
    if wanted.is_met_by(&found) {
        return Cow::Borrowed(line);
    }
    let comment = if wanted.comment.is_empty() { found.comment } else { wanted.comment.clone() };
    let new = AuthorizedLine { comment, ..wanted.clone() };
    Cow::Owned(format!("{new}\n"))
}

/// Whether a line is empty or a comment.
fn says_nothing(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// A line that was given as an argument.
fn given(line: &str) -> Result<AuthorizedLine, Failure> {
    if line.starts_with("-----BEGIN") {
        return Err(Failure::argument("keys", "that is a private key, or a key in another format")
            .advise("ssh expects the line that is in the `.pub` file"));
    }
    let refuse = |error: KeyError| Failure::argument("keys", format!("`{}` {error}", start(line)));
    let line = AuthorizedLine::parse(line).map_err(refuse)?;
    let key = PublicKey::whole(line.key).map_err(refuse)?;
    key_options::parse(&line.options).map_err(|error| refusal("keys", &error))?;
    Ok(AuthorizedLine { key, ..line })
}

fn refusal(argument: &str, error: &key_options::OptionsError) -> Failure {
    let failure = Failure::argument(argument, error.to_string());
    match error.hint() {
        Some(hint) => failure.advise(hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::public_key::testing::key;
    use super::*;

    const ED: &str = "ssh-ed25519";

    fn call(options: Value) -> AuthorizedKey {
        let mut arguments = json!({ "user": "ada", "keys": [] });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        serde_json::from_value(arguments).unwrap()
    }

    fn edited(options: Value, text: &str) -> String {
        let call = call(options);
        call.check().unwrap();
        call.edit(text, &call.wanted().unwrap())
    }

    #[test]
    fn a_key_is_made_right_where_it_stands() {
        let (one, two) = (key(ED, "one"), key("ssh-rsa", "two"));
        let cases = [
            (json!({ "keys": one }), String::new(), format!("{one}\n")),
            (json!({ "keys": one }), "# mine".to_owned(), format!("# mine\n{one}\n")),
            (json!({ "keys": one }), format!("{one} ada\n"), format!("{one} ada\n")),
            (json!({ "keys": one }), format!("no-pty {one} ada"), format!("{one} ada\n")),
            (json!({ "keys": format!("{one} eve") }), format!("{one} ada\n"), format!("{one} eve\n")),
            (
                json!({ "keys": one, "options": ["no-pty", "from=\"a, b\""] }),
                format!("{two}\nfrom=\"a, b\",no-pty  {one}\n"),
                format!("{two}\nfrom=\"a, b\",no-pty  {one}\n"),
            ),
            (
                json!({ "keys": one, "options": "restrict" }),
                format!("{one} ada\n# between\n{two}\nno-pty {one}\n"),
                format!("restrict {one} ada\n# between\n{two}\n"),
            ),
            (
                json!({ "keys": [one, two], "exclusive": true, "comment": "c" }),
                format!("# top\n\nnonsense\n{two}\n{}\n", key(ED, "other")),
                format!("# top\n\n{two} c\n{one} c\n"),
            ),
            (
                json!({ "keys": format!("# comment\n\n{one}\n"), "absent": true }),
                format!("no-pty {one}\nnonsense\n{two}\n{one}"),
                format!("nonsense\n{two}\n"),
            ),
        ];
        for (options, before, after) in cases {
            assert_eq!(edited(options.clone(), &before), after, "{options}");
            assert_eq!(edited(options.clone(), &after), after, "again: {options}");
        }
    }

    #[test]
    fn arguments_that_would_do_harm_are_refused() {
        let one = key(ED, "one");
        let cases = [
            (
                json!({ "keys": [], "exclusive": true }),
                "`exclusive` without any key would lock everybody out",
            ),
            (
                json!({ "keys": "# none", "exclusive": true }),
                "`exclusive` without any key would lock everybody out",
            ),
            (
                json!({ "keys": "-----BEGIN OPENSSH PRIVATE KEY-----" }),
                "that is a private key, or a key in another format",
            ),
            (json!({ "keys": "hello" }), "`hello` is no public key"),
            (
                json!({ "keys": &one[..one.len() - 1] }),
                "`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5…` is a damaged public key: was all of it copied?",
            ),
            (
                json!({ "keys": format!("pyt {one}") }),
                "sshd knows no option `pyt`, and ignores a key that has it",
            ),
            (
                json!({ "keys": one, "options": "pyt" }),
                "sshd knows no option `pyt`, and ignores a key that has it",
            ),
            (
                json!({ "keys": [one, format!("no-pty {one}")] }),
                "a key is given twice, with differing options or comments: no-pty ssh-ed25519 AAAAC3NzaC1lZ…",
            ),
            (json!({ "keys": one, "comment": "a\nb" }), "a comment is one line"),
            (
                json!({ "keys": one, "absent": true, "options": "pty" }),
                "`options` says nothing about keys that go",
            ),
        ];
        for (options, message) in cases {
            assert_eq!(call(options.clone()).check().unwrap_err().to_string(), message, "{options}");
        }
    }

    proptest! {
        #[test]
        fn what_is_not_ours_stays_byte_for_byte(
            lines in proptest::collection::vec(
                prop_oneof![
                    "[ -~]{0,20}",
                    Just("# comment".to_owned()),
                    Just(format!("no-pty {} c", key(ED, "foreign"))),
                    Just(format!("{} c", key(ED, "ours"))),
                    Just(format!("no-pty {}", key(ED, "ours"))),
                ],
                0..8,
            ),
            ended: bool,
            absent: bool,
        ) {
            let ours = key(ED, "ours");
            let mut text = lines.join("\n");
            if ended && !text.is_empty() {
                text.push('\n');
            }
            let foreign = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.contains(&ours)).map(ToOwned::to_owned).collect()
            };
            let options = json!({ "keys": ours, "absent": absent });
            let after = edited(options.clone(), &text);
            prop_assert_eq!(foreign(&after), foreign(&text));
            prop_assert_eq!(after.matches(&ours).count(), usize::from(!absent));
            prop_assert_eq!(edited(options, &after), after);
        }
    }
}
