//! Exit statuses and messages of xbps, in plain words.
//!
//! The status alone says little: most are numbers of the system's errors, 16 stands for two things, and some come from an
//! earlier call. So the messages decide, and the status where there is none.

use refrain_engine::failure::Failure;
use refrain_engine::system::{Command, Output};

use crate::meaning::Meaning;

/// What xbps says, the more particular before the less.
const MEANINGS: &[Meaning] = &[
    Meaning {
        message: "The 'xbps' package must be updated",
        words: "xbps itself has to be updated first",
        hint: Some(
            "`xbps::upgrade()` does that; if `xbps` is on hold, `xbps::unhold(\"xbps\")` comes before",
        ),
    },
    Meaning {
        message: "Failed to import pubkey",
        words: "a repository is signed with a key that the host does not trust",
        hint: Some("check the fingerprint that it names, and declare it with `xbps::key`"),
    },
    Meaning {
        message: "the RSA signature is not valid",
        words: "a package is not signed with a key that the host trusts",
        hint: Some(
            "the key of the repository is declared with `xbps::key`; a repository over the network has to be signed",
        ),
    },
    Meaning {
        message: "failed to open repository",
        words: "a repository can't be read",
        hint: Some(
            "is its address right, and its server up? `refresh: false` does with the index that is on the host",
        ),
    },
    Meaning {
        message: "failed to open repodata",
        words: "the index of a repository is damaged",
        hint: Some("`xbps::refresh()` fetches it again; of a local repository, `xbps-rindex` makes it"),
    },
    Meaning {
        message: "[reposync] failed",
        words: "the index of a repository can't be fetched",
        hint: Some("is its address right, and its server up?"),
    },
    Meaning {
        message: "failed to download",
        words: "a package can't be downloaded",
        hint: Some("the index may be older than the repository: `xbps::refresh()`"),
    },
    Meaning {
        message: "not found in repository pool",
        words: "no repository has `{}`",
        hint: Some("`xbps-query -Rs WORD` looks for it; repositories are declared with `xbps::repository`"),
    },
    Meaning {
        message: "checksum does not match",
        words: "a package is not the one that the index of its repository names",
        hint: Some(
            "`xbps::refresh()` may help; of a local repository, `xbps-rindex -fa` makes the index again",
        ),
    },
    Meaning {
        message: "insufficient disk space",
        words: "there is not enough space on the disk",
        hint: Some("`xbps::clean()` removes packages that were downloaded before"),
    },
    Meaning {
        message: "No space left on device",
        words: "there is not enough space on the disk",
        hint: Some("`xbps::clean()` removes packages that were downloaded before"),
    },
    Meaning {
        message: "unresolved shlibs",
        words: "a package would miss a shared library",
        hint: Some("a package on hold, or one that no repository has any more, needs the old library"),
    },
    Meaning {
        message: "conflicting packages",
        words: "packages exclude each other",
        hint: Some("remove the other one first: `xbps::remove`"),
    },
    Meaning {
        message: "in transaction breaks installed pkg",
        words: "an installed package needs what would be removed or changed",
        hint: Some("name that package, too, or see whether one of them is on hold"),
    },
    Meaning {
        message: "unresolved dependencies",
        words: "no repository has what a package needs",
        hint: None,
    },
    Meaning {
        message: "already installed by package",
        words: "two packages bring the same file",
        hint: None,
    },
    Meaning {
        message: "script failed to execute",
        words: "the script of a package failed",
        hint: Some("once its reason is gone, `xbps::reconfigure()` configures what was left unconfigured"),
    },
    Meaning { message: "cannot access to pkgdb", words: "the package database is damaged", hint: None },
    Meaning { message: "failed to initialize pkgdb", words: "the package database is damaged", hint: None },
    Meaning {
        message: "failed to lock package database: Read-only",
        words: "the package database can't be changed: the file system is read-only",
        hint: None,
    },
    Meaning {
        message: "failed to lock package database",
        words: "the package database can't be changed by this user",
        hint: Some("does the play need `become`?"),
    },
];

/// What a status means where no message says more.
fn of_status(status: i32) -> Option<&'static str> {
    Some(match status {
        2 => "a package or file is not there",
        3 | 5 => "a download broke off",
        8 => "a package would miss a shared library",
        11 => "packages exclude each other",
        16 => "something that xbps needs is not available",
        17 => "two packages bring the same file",
        19 => "a dependency is not met",
        28 => "there is not enough space on the disk",
        34 => "a package is not the one that the index names",
        95 => "no repository can be read",
        130 | 137 | 143 => "it was ended by a signal",
        _ => return None,
    })
}

/// The failure of a command of xbps, which has exited with another status than 0 or has said that it could not do all.
pub fn explain(command: &Command, output: &Output) -> Failure {
    let said = output.both_streams();
    let failure = output.failure(command.to_shell());
    match (Meaning::of(MEANINGS, &said), of_status(output.status)) {
        (Some(meaning), _) => meaning.explain(failure, &said),
        (None, Some(words)) => failure.explain(words),
        (None, None) => failure,
    }
}

/// Whether something was not read that the result depends on, though the exit status is 0: then the result says too little.
pub fn is_partial(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("failed to open repo")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: i32, stderr: &str) -> (String, Option<String>) {
        let output = Output { status, stderr: stderr.as_bytes().to_vec(), ..Output::default() };
        let failure = explain(&Command::new(["xbps-install", "-y", "x"]), &output);
        assert!(failure.output().is_some_and(|output| output.contains(stderr)));
        (failure.to_string(), failure.hint())
    }

    #[test]
    fn what_xbps_says_is_put_into_words() {
        let cases = [
            (2, "ERROR: Package 'nomad' not found in repository pool.", "no repository has `nomad`"),
            (
                16,
                "ERROR: The 'xbps' package must be updated, please run",
                "xbps itself has to be updated first",
            ),
            (
                16,
                "ERROR: [trans] failed to download `a-1_1' package from `http://h': Not Found",
                "a package can't be downloaded",
            ),
            (
                19,
                "chrony-4.7_1 in transaction breaks installed pkg `base-1_1'\nERROR: Transaction aborted due to unresolved dependencies.",
                "an installed package needs what would be removed or changed",
            ),
            (
                11,
                "CONFLICT: a\nERROR: Transaction aborted due to conflicting packages.",
                "packages exclude each other",
            ),
            (
                1,
                "ERROR: failed to lock package database: Permission denied",
                "the package database can't be changed by this user",
            ),
            (95, "", "no repository can be read"),
        ];
        for (status, stderr, words) in cases {
            let (message, _) = explained(status, stderr);
            assert_eq!(message, format!("`xbps-install -y x` exited with status {status}: {words}"));
        }
        assert_eq!(explained(77, "?").0, "`xbps-install -y x` exited with status 77");
        assert_eq!(explained(77, "?").1, None);
    }

    #[test]
    fn what_was_not_read_is_noticed() {
        let output = |stderr: &str| Output { stderr: stderr.as_bytes().to_vec(), ..Output::default() };
        assert!(is_partial(&output("ERROR: failed to open repository: http://h: Input/output error\n")));
        assert!(is_partial(&output(
            "ERROR: failed to open repodata: /srv/x86_64-repodata: Invalid argument\n"
        )));
        assert!(!is_partial(&output("ERROR: Package `chrony' already installed.\n")));
    }
}
