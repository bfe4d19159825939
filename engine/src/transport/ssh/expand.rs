//! The tokens of ssh_config(5): `%h` and the like, and variables of the environment.

use std::env;

/// What the tokens of a host stand for.
pub(super) struct Tokens<'a> {
    /// The host as it was named: `%n`.
    pub named: &'a str,
    /// The host that is connected to: `%h`.
    pub host: &'a str,
    /// The name by which its key is known: `%k`.
    pub key_name: &'a str,
    pub port: u16,
    /// Who logs in there: `%r`.
    pub user: &'a str,
    /// Who connects: `%u`.
    pub local_user: &'a str,
    /// The home of who connects: `%d`.
    pub home: String,
}

impl Tokens<'_> {
    /// Replaces tokens and `${VARIABLE}`.
    ///
    /// # Errors
    /// There is no such token or variable: in words.
    pub(super) fn path(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            expanded.push_str(&rest[..at]);
            let (name, after) = rest[at + 2..].split_once('}').ok_or("`${` without `}`")?;
            expanded.push_str(&env::var(name).map_err(|_| format!("there is no variable `{name}`"))?);
            rest = after;
        }
        expanded.push_str(rest);
        self.text(&expanded)
    }

    /// Replaces tokens.
    ///
    /// # Errors
    /// There is no such token: in words.
    pub(super) fn text(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                expanded.push(letter);
                continue;
            }
            match letters.next() {
                Some('%') => expanded.push('%'),
                Some('h') => expanded.push_str(self.host),
                Some('n') => expanded.push_str(self.named),
                Some('k') => expanded.push_str(self.key_name),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(self.user),
                Some('u') => expanded.push_str(self.local_user),
                Some('d') => expanded.push_str(&self.home),
                Some('i') => expanded.push_str(&rustix::process::getuid().as_raw().to_string()),
                Some('l') => expanded.push_str(&local_host()),
                Some('L') => expanded.push_str(local_host().split('.').next().unwrap_or_default()),
                Some(other) => return Err(format!("`%{other}` is not understood here")),
                None => return Err("a single `%` at the end".to_owned()),
            }
        }
        Ok(expanded)
    }
}

fn local_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_for_their_values() {
        let tokens = Tokens {
            named: "web",
            host: "web.example.com",
            key_name: "alias",
            port: 33,
            user: "ada",
            local_user: "me",
            home: "/home/me".to_owned(),
        };
        assert_eq!(
            tokens.text("%d/%n-%h-%k:%p %r %u 100%%").unwrap(),
            "/home/me/web-web.example.com-alias:33 ada me 100%"
        );
        assert_eq!(tokens.text("%L").unwrap(), tokens.text("%l").unwrap().split('.').next().unwrap());
        assert!(tokens.path("${PATH}/x").unwrap().ends_with("/x"));
        assert_eq!(tokens.path("${NO_SUCH}").unwrap_err(), "there is no variable `NO_SUCH`");
        assert_eq!(tokens.path("${").unwrap_err(), "`${` without `}`");
        assert_eq!(tokens.text("%C").unwrap_err(), "`%C` is not understood here");
        assert_eq!(tokens.text("%").unwrap_err(), "a single `%` at the end");
    }
}
