//! The commands that scripts know.

use std::time::Duration;

use refrain_engine::accounts::{parse_groups, parse_users};
use refrain_engine::system::Attributes;

use super::super::accounts::{self, Details};
use super::super::errno::Errno;
use super::{Flow, Shell};

impl Shell<'_, '_, '_> {
    pub(super) fn command(&mut self, name: &str, arguments: &[String]) -> Flow {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Flow::Next(match name {
            "exit" => return Flow::Exit(words.first().and_then(|status| status.parse().ok()).unwrap_or(0)),
            "echo" => self.echo(&words),
            "export" => {
                words.iter().for_each(|word| self.assign(word));
                0
            }
            "true" | ":" => 0,
            "sleep" => self.sleep(&words),
            "false" => 1,
            "[" => i32::from(!self.test(words.strip_suffix(&["]"]).unwrap_or(&words))),
            "test" => i32::from(!self.test(&words)),
            "system-group" => self.all(&words, Self::group),
            "system-account" => self.all(&words, Self::account),
            "mkdirs" => self.make_directory(&words),
            _ => {
                self.xbps.call().complain(format!("{name}: not found"));
                127
            }
        })
    }

    fn sleep(&mut self, words: &[&str]) -> i32 {
        let seconds = words.first().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        if let Some(process) = self.xbps.call().process {
            process.sleep(Duration::from_secs(seconds));
        }
        0
    }

    fn echo(&mut self, words: &[&str]) -> i32 {
        let shown: Vec<&str> = words.iter().copied().filter(|word| *word != ">&2").collect();
        let line = shown.join(" ");
        if shown.len() == words.len() {
            self.xbps.call().say(line)
        } else {
            self.xbps.call().complain(line)
        }
        0
    }

    fn test(&self, words: &[&str]) -> bool {
        match words {
            ["!", rest @ ..] => !self.test(rest),
            [left, "=" | "==", right] => left == right,
            [left, "!=", right] => left != right,
            ["-n", text] => !text.is_empty(),
            ["-z"] => true,
            ["-z", text] => text.is_empty(),
            ["-e" | "-f" | "-d" | "-x", path] => self.xbps.disk.exists(&self.xbps.inside(path)),
            [text] => !text.is_empty(),
            _ => false,
        }
    }

    fn all(&mut self, words: &[&str], act: impl Fn(&mut Self, &str) -> Result<Vec<String>, Errno>) -> i32 {
        for word in words {
            match act(self, word) {
                Ok(lines) => lines.into_iter().for_each(|line| self.xbps.call().say(line)),
                Err(errno) => {
                    self.xbps.call().complain(format!("{word}: {errno}"));
                    return 1;
                }
            }
        }
        0
    }

    fn group(&mut self, group: &str) -> Result<Vec<String>, Errno> {
        Ok(accounts::add_group(self.xbps, group)?.into_iter().collect())
    }

    fn account(&mut self, account: &str) -> Result<Vec<String>, Errno> {
        let name = account.split(':').next().unwrap_or(account);
        let variable = |end: &str| self.variables.get(&format!("{name}_{end}")).map(String::as_str);
        let details =
            Details { home: variable("homedir"), shell: variable("shell"), description: variable("descr") };
        accounts::add_user(self.xbps, account, &self.package, details)
    }

    /// Makes a directory with owner and permissions, or gives them to one that is there.
    fn make_directory(&mut self, words: &[&str]) -> i32 {
        let [path, mode, user, group] = words else { return 1 };
        let text = |file: &str| self.xbps.disk.read_text(&self.xbps.inside(file)).unwrap_or_default();
        let users = parse_users(&text("/etc/passwd"));
        let groups = parse_groups(&text("/etc/group"));
        let uid = users.iter().find(|known| known.name == *user).map(|known| known.uid);
        let gid = groups.iter().find(|known| known.name == *group).map(|known| known.gid);
        let mode = u32::from_str_radix(mode, 8).ok();
        let Some(((uid, gid), mode)) = uid.zip(gid).zip(mode) else { return 1 };
        let place = self.xbps.inside(path);
        let made = self.xbps.disk.make_directories(&place);
        let attributes = Attributes { mode, uid, gid };
        let given = made.and_then(|()| Ok(self.xbps.disk.0.set_attributes(&place, attributes)?));
        i32::from(given.is_err())
    }
}
