//! The cache of agents on a host: the shell scripts that look for one and put one there.
//!
//! The scripts are for any POSIX shell (dash, busybox, ksh) with `ls`, `id`, `uname`, `mkdir` and the like; there need be no
//! bash and no Python. They can travel as one argument of `sh -c` ([`command`]), since the login shell may be fish or csh. So
//! they must not contain a single quote, a newline, or a `!` (csh would take it for a line of its history).
//!
//! An agent is only trusted in a directory that is the user's own, with nobody else having any access to it: root then
//! starts nothing that another user could have put there.

use super::printable;

/// What the names of agents begin with.
const PREFIX: &str = "agent-";

/// What the look for an agent says when there is none, before what the host is and has.
const MISSING: &str = "refrain: no agent here:";

/// What putting an agent there says when it is done.
const DONE: &str = "refrain: agent in place";

/// What it says instead when no directory will do, before those that it tried.
const NO_PLACE: &str = "refrain: no place for the agent:";

/// A look at what a host is and has, where the agent is missing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What `uname -sm` says.
    pub machine: String,
    /// Whether it can unpack what gzip packed.
    pub gzip: bool,
}

/// Finds the word that the agent is missing in what a host has said so far. What login shells print may stand around it.
pub(crate) fn missing(said: &[u8]) -> Option<Missing> {
    let said = String::from_utf8_lossy(said);
    let (_, rest) = said.split_once(MISSING)?;
    let (line, _) = rest.split_once('\n')?;
    let (gzip, machine) = line.trim().split_once(' ')?;
    Some(Missing { machine: machine.to_owned(), gzip: gzip == "gzip" })
}

/// What came of putting an agent there, by what was said meanwhile: `None` when that was nothing of its own.
pub(crate) fn stored(said: &[u8]) -> Option<Result<(), String>> {
    let said = String::from_utf8_lossy(said);
    if said.contains(DONE) {
        return Some(Ok(()));
    }
    let (_, tried) = said.split_once(NO_PLACE)?;
    let tried = printable(tried.lines().next().unwrap_or_default().trim().as_bytes());
    Some(Err(format!(
        "no directory is the user's own, private and allows programs to run; tried: {}",
        tried.replace(' ', ", ")
    )))
}

/// The file name of the agent with this hash.
fn name(hash: &str) -> String {
    format!("{PREFIX}{hash}")
}

/// The hash of the agent with this file name.
pub(crate) fn hash_of(name: &str) -> Option<&str> {
    let hash = name.strip_prefix(PREFIX)?;
    (hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(hash)
}

/// The script that starts the agent with this hash, or says that it is missing. With `anew`, it is missing in any case.
pub(crate) fn start(hash: &str, anew: bool) -> String {
    let look = format!(
        "t() {{ safe \"$1\" && [ -s \"$1/$a\" ] && [ -x \"$1/$a\" ] && exec \"$1/$a\" agent; }}; \
         t \"$c\"; u=$(id -u); f=\"{FURTHER}\"; for d in $f; do t \"$d\"; done; "
    );
    let look = if anew { "" } else { &look };
    format!(
        "a={}; {PLACES}; {look}\
         if command -v gzip >/dev/null 2>&1; then z=gzip; else z=plain; fi; \
         echo; echo \"{MISSING} $z $(uname -sm)\"",
        name(hash)
    )
}

/// The script that takes in the agent with this hash from standard input, and keeps at most one other.
///
/// A directory must let programs run: some are mounted so that they don't.
pub(crate) fn put(hash: &str, gzip: bool) -> String {
    let unpack = if gzip { "gzip -dc" } else { "cat" };
    format!(
        "umask 077; a={}; {PLACES}; u=$(id -u); f=\"{FURTHER}\"; \
         for d in \"$c\" $f; do \
           n=\"$d/new-$$\"; \
           mkdir -p \"$d\" 2>/dev/null && safe \"$d\" || continue; \
           {TRY} || {{ rm -f \"$n\"; continue; }}; \
           {unpack} >\"$n\" && mv -f \"$n\" \"$d/$a\" || {{ rm -f \"$n\"; exit 1; }}; \
           {CLEAN}; \
           echo \"{DONE}\"; exit 0; \
         done; \
         echo \"{NO_PLACE} $c $f\"; exit 1",
        name(hash)
    )
}

/// The first place, and what makes a place safe: it is the user's own, and nobody else's.
const PLACES: &str = "c=\"${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/refrain\"; \
    safe() { case $(LC_ALL=C ls -ld \"$1\" 2>/dev/null) in drwx--[-S]---*) [ -O \"$1\" ];; *) false;; esac; }";

/// The places after the first.
const FURTHER: &str = "/var/tmp/refrain-$u /tmp/refrain-$u /dev/shm/refrain-$u /run/user/$u/refrain";

/// Runs the smallest of programs from the directory. (The octal number is the character that csh must not see.)
const TRY: &str =
    "printf \"#\\041/bin/sh\\nexit 0\\n\" >\"$n\" 2>/dev/null && chmod 700 \"$n\" && ( \"$n\" ) 2>/dev/null";

/// Removes all agents but this one and the youngest of the others, and what broken uploads have left a day ago.
const CLEAN: &str = "k=0; cd \"$d\" && for o in $(ls -t); do case $o in \"$a\") ;; \
    agent-*) k=$((k + 1)); [ $k -gt 1 ] && rm -f \"$o\";; esac; done; \
    find . -name \"new-*\" -mtime +0 -exec rm -f {} + 2>/dev/null";

/// The command for a login shell, whichever it is, that runs a script.
pub(crate) fn command(script: &str) -> String {
    debug_assert!(!script.contains(['\'', '\n', '!']), "{script}");
    format!("exec sh -c '{script}'")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// What stands for the agent: a program that says its first argument.
    const AGENT: &[u8] = b"#!/bin/sh\necho \"agent got $1\"\n";
    const HASH: &str = "0123abcd";

    /// A host: a directory with a home, and the places after it.
    struct Host {
        directory: tempfile::TempDir,
        shell: String,
    }

    impl Host {
        /// One whose `sh` is the given shell; `None` where that is not installed.
        fn new(shell: &str) -> Option<Self> {
            let directory = tempfile::tempdir().unwrap();
            let (program, applet) = shell.split_once(' ').unwrap_or((shell, ""));
            let found = ["/bin", "/usr/bin"]
                .iter()
                .map(|bin| Path::new(bin).join(program))
                .find(|path| path.exists());
            let Some(program) = found else {
                assert!(std::env::var_os("CI").is_none(), "{shell} is missing");
                eprintln!("skipped: {shell} is missing");
                return None;
            };
            fs::create_dir(directory.path().join("bin")).unwrap();
            let sh = directory.path().join("bin/sh");
            fs::write(&sh, format!("#!{}\nexec {} {applet} \"$@\"\n", program.display(), program.display()))
                .unwrap();
            fs::set_permissions(&sh, Permissions::from_mode(0o755)).unwrap();
            Some(Self { directory, shell: shell.to_owned() })
        }

        fn all() -> impl Iterator<Item = Self> {
            ["sh", "dash", "bash", "busybox sh"].into_iter().filter_map(Self::new)
        }

        fn path(&self, below: &str) -> PathBuf {
            self.directory.path().join(below)
        }

        /// The cache in the home directory.
        fn cache(&self) -> PathBuf {
            self.path("home/.cache/refrain")
        }

        /// The first place after that.
        fn further(&self) -> PathBuf {
            self.path(&format!("var/tmp/refrain-{}", rustix::process::getuid().as_raw()))
        }

        /// Runs a command, with all places below the directory. Returns what it says.
        fn run(&self, command: &str, input: &[u8]) -> String {
            let root = self.directory.path().display().to_string();
            let command = command.replace(
                FURTHER,
                &FURTHER.replace("/var", &format!("{root}/var")).replace(" /", &format!(" {root}/")),
            );
            let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
            let mut child = Command::new("/bin/sh")
                .args(["-c", &command])
                .env_clear()
                .envs([("PATH", path.as_str()), ("HOME", &format!("{root}/home"))])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
        }

        fn start(&self) -> String {
            self.run(&command(&start(HASH, false)), b"")
        }

        fn put(&self) -> String {
            self.run(&command(&put(HASH, false)), AGENT)
        }

        fn agents(&self, directory: &Path) -> Vec<String> {
            let entries = fs::read_dir(directory).into_iter().flatten();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    fn private(directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        fs::set_permissions(directory, Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn an_agent_that_is_missing_is_put_there_and_started() {
        for host in Host::all() {
            fs::create_dir(host.path("home")).unwrap();
            let missing = missing(host.start().as_bytes()).unwrap();
            assert_eq!(missing, Missing { machine: crate::transport::AgentBinary::machine(), gzip: true });
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(AGENT).unwrap();
            let said = host.run(&command(&put(HASH, true)), &packed.finish().unwrap());
            assert!(said.contains(DONE), "{}: {said}", host.shell);
            assert_eq!(host.start(), "agent got agent\n", "{}", host.shell);
            assert_eq!(host.agents(&host.cache()), [format!("agent-{HASH}")]);
            let mode = fs::metadata(host.cache().join(format!("agent-{HASH}"))).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            let anew = host.run(&command(&start(HASH, true)), b"");
            assert!(super::missing(anew.as_bytes()).is_some(), "{}: {anew}", host.shell);
        }
    }

    #[test]
    fn what_breaks_off_is_not_left_behind() {
        for host in Host::all() {
            fs::create_dir(host.path("home")).unwrap();
            let said = host.run(&command(&put(HASH, true)), b"this is not gzip");
            assert!(!said.contains(DONE), "{}: {said}", host.shell);
            assert_eq!(host.agents(&host.cache()), [""; 0], "{}", host.shell);
        }
    }

    #[test]
    fn places_that_others_can_reach_are_not_trusted() {
        for host in Host::all() {
            private(&host.cache());
            assert!(host.put().contains(DONE));
            fs::set_permissions(host.cache(), Permissions::from_mode(0o750)).unwrap();
            assert!(missing(host.start().as_bytes()).is_some(), "{}: others may read it", host.shell);
            fs::rename(host.cache(), host.path("elsewhere")).unwrap();
            private(&host.path("elsewhere"));
            symlink(host.path("elsewhere"), host.cache()).unwrap();
            assert!(missing(host.start().as_bytes()).is_some(), "{}: it is a link", host.shell);
            fs::create_dir_all(host.path("var/tmp")).unwrap();
            assert!(host.put().contains(DONE), "{}", host.shell);
            assert_eq!(host.agents(&host.further()), [format!("agent-{HASH}")], "{}", host.shell);
            assert_eq!(host.start(), "agent got agent\n", "{}", host.shell);
            if rustix::process::getuid().is_root() {
                std::os::unix::fs::chown(host.further(), Some(65534), None).unwrap();
                assert!(missing(host.start().as_bytes()).is_some(), "{}: it is another's", host.shell);
            }
        }
    }

    #[test]
    fn where_there_is_no_place_it_says_where_it_looked() {
        for host in Host::all() {
            fs::write(host.path("home"), "not a directory").unwrap();
            for place in ["var", "tmp", "dev", "run"] {
                fs::write(host.path(place), "not a directory").unwrap();
            }
            let said = host.put();
            assert!(said.contains(NO_PLACE) && said.contains("/dev/shm/refrain-"), "{}: {said}", host.shell);
        }
    }

    #[test]
    fn one_other_agent_is_kept() {
        for host in Host::all() {
            private(&host.cache());
            for (age, name) in
                ["agent-old", "agent-older", "agent-oldest", "new-17", "notes"].iter().enumerate()
            {
                let path = host.cache().join(name);
                fs::write(&path, "x").unwrap();
                let days = if *name == "new-17" { 3 } else { age as u64 };
                let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400 + 60);
                fs::File::open(&path).unwrap().set_modified(then).unwrap();
            }
            fs::write(host.cache().join("new-18"), "another upload").unwrap();
            assert!(host.put().contains(DONE));
            let left = host.agents(&host.cache());
            assert_eq!(
                left,
                [format!("agent-{HASH}").as_str(), "agent-old", "new-18", "notes"],
                "{}",
                host.shell
            );
        }
    }

    #[test]
    fn the_marker_is_found_among_noise() {
        let linux = |gzip| Missing { machine: "Linux x86_64".to_owned(), gzip };
        let said = format!("Welcome!\nno newline{MISSING} gzip Linux x86_64\nmore");
        assert_eq!(missing(said.as_bytes()), Some(linux(true)));
        let said = format!("\r\n{MISSING} plain Linux x86_64\r\n");
        assert_eq!(missing(said.as_bytes()), Some(linux(false)));
        assert_eq!(missing(format!("{MISSING} gzip Linux").as_bytes()), None, "the line is not whole");
        assert_eq!(missing(b"\xff\xfe nothing"), None);
    }
}
