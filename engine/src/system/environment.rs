//! The environment that commands start with.
//!
//! What the agent itself inherited depends on who started the run and how: a shell at a desk, sshd, sudo, a chroot. So
//! commands get a fresh environment, the same on every way to a host: `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL` and
//! `LANG`, and of the agent's own only what [`KEPT`] lists. Anything else is given by the playbook's `environment`.

use std::collections::BTreeMap;

use crate::accounts::User;

/// Where programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Messages that programs can be asked to read, and texts that they may not mangle.
const LANG: &str = "C.UTF-8";

/// What belongs to the machine or to the session rather than to a person's shell: the clock's zone, the way out through a
/// proxy, a forwarded ssh agent, and where a user's own services (rootless containers) are.
const KEPT: [&str; 12] = [
    "TZ",
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
];

/// The directories in which programs are looked for: the agent's own `PATH`, then the usual ones that it lacks. A user's
/// `PATH` often has no `sbin`.
pub fn search_path(own: Option<&str>) -> String {
    let own = own.unwrap_or_default().split(':').filter(|directory| directory.starts_with('/'));
    let mut all: Vec<&str> = Vec::new();
    for directory in own.chain(PATH.split(':')) {
        if !all.contains(&directory) {
            all.push(directory);
        }
    }
    all.join(":")
}

/// The environment for commands of the user `uid`, whose account is `user` if the host has one; `own` reads the agent's own.
pub fn environment(
    uid: u32,
    user: Option<&User>,
    own: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let root = uid == 0;
    let home = user.map(|user| user.home.as_str()).filter(|home| home.starts_with('/'));
    let name = user.map(|user| user.name.as_str()).or(root.then_some("root"));
    let mut all: BTreeMap<String, String> =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), own(name)?))).collect();
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    set("PATH", &search_path(own("PATH").as_deref()));
    set("HOME", home.unwrap_or(if root { "/root" } else { "/" }));
    set("SHELL", "/bin/sh");
    set("LANG", LANG);
    if let Some(name) = name {
        set("USER", name);
        set("LOGNAME", name);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_also_looked_for_where_a_users_path_does_not_lead() {
        assert_eq!(search_path(None), PATH);
        assert_eq!(
            search_path(Some("/home/a/bin::.:/usr/bin:/bin")),
            "/home/a/bin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"
        );
    }

    #[test]
    fn little_is_inherited() {
        let own = |name: &str| match name {
            "TZ" => Some("UTC".to_owned()),
            "LC_ALL" | "NOMAD_TOKEN" | "HOME" => Some("the desk's".to_owned()),
            _ => None,
        };
        let user = User {
            name: "ada".to_owned(),
            uid: 7,
            gid: 7,
            comment: String::new(),
            home: "/home/ada".to_owned(),
            shell: "/bin/zsh".to_owned(),
        };
        let all = environment(7, Some(&user), own);
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TZ", "USER"]);
        assert_eq!((all["HOME"].as_str(), all["USER"].as_str()), ("/home/ada", "ada"));
        assert_eq!(environment(0, None, own)["HOME"], "/root");
        assert_eq!(environment(9, None, own)["HOME"], "/");
        assert!(!environment(9, None, own).contains_key("USER"));
    }
}
