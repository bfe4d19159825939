//! What package managers complain about, in plain words.

use refrain_engine::failure::Failure;
use refrain_engine::system::{Command, Output};

use crate::meaning::Meaning;

/// What they say, the more particular before the less.
const MEANINGS: &[Meaning] = &[
    Meaning {
        message: "you must manually run 'dpkg --configure -a'",
        words: "an earlier change of packages was interrupted",
        hint: Some("`command::run([\"dpkg\", \"--configure\", \"-a\"])` brings it to its end"),
    },
    Meaning {
        message: "Unable to locate package",
        words: "no repository has one of the packages",
        hint: Some("is its name right, and the index up to date? `pkg::refresh()` fetches it"),
    },
    Meaning {
        message: "has no installation candidate",
        words: "one of the packages is only a name that others provide, or no repository has it",
        hint: Some("name the package itself"),
    },
    Meaning {
        message: "Version '",
        words: "no repository has that version of the package",
        hint: Some("`apt-cache policy NAME` shows the versions that there are"),
    },
    Meaning {
        message: "unmet dependencies",
        words: "packages can't be installed together",
        hint: Some("is one of them on hold (`apt-mark showhold`)?"),
    },
    Meaning {
        message: "Unable to fetch some archives",
        words: "a package can't be downloaded",
        hint: Some("the index may be older than the repository: `pkg::refresh()`"),
    },
    Meaning {
        message: "Failed to fetch",
        words: "the index of a repository can't be fetched",
        hint: Some("is its address right, and its server up?"),
    },
    Meaning {
        message: "are you root?",
        words: "the packages can't be changed by this user",
        hint: Some("does the play need `become`?"),
    },
    Meaning {
        message: "target not found",
        words: "no repository has one of the packages, or it is not installed",
        hint: Some("is its name right, and the index up to date? `pkg::refresh()` fetches it"),
    },
    Meaning {
        message: "could not satisfy dependencies",
        words: "another package needs what would be removed or changed",
        hint: Some("name that package, too"),
    },
    Meaning {
        message: "failed retrieving file",
        words: "something can't be downloaded",
        hint: Some("the index may be older than the repository: `pkg::refresh()`"),
    },
    Meaning {
        message: "unable to select packages",
        words: "no repository has one of the packages, or they can't be installed together",
        hint: None,
    },
    Meaning {
        message: "Unable to find a match",
        words: "no repository has one of the packages",
        hint: Some("is its name right?"),
    },
    Meaning {
        message: "No match for argument",
        words: "no repository has one of the packages",
        hint: Some("is its name right?"),
    },
    Meaning {
        message: "superuser privileges",
        words: "the packages can't be changed by this user",
        hint: Some("does the play need `become`?"),
    },
    Meaning {
        message: "you cannot perform this operation unless you are root",
        words: "the packages can't be changed by this user",
        hint: Some("does the play need `become`?"),
    },
    Meaning { message: "o space left on device", words: "there is not enough space on the disk", hint: None },
];

/// The failure of a command of a package manager.
pub fn explain(command: &Command, output: &Output) -> Failure {
    Meaning::explain_by(MEANINGS, output.failure(words(command)), &output.both_streams())
}

/// A command as a person would give it: without what only keeps it quiet or in its place.
pub fn words(command: &Command) -> String {
    let mut argv = Vec::new();
    let mut words = command.argv.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-o" => drop(words.next()),
            word if word.starts_with("--setopt=") || word.starts_with('{') => {}
            word => argv.push(word.to_owned()),
        }
    }
    Command::new(argv).to_shell()
}

/// A host without the manager is another kind of host, mostly.
pub fn without_program(failure: Failure) -> Failure {
    match failure {
        Failure::Start { program, reason } if reason.contains("no such program") => {
            Failure::state(format!("the host has no `{program}`"))
                .advise("leave out `manager`, and the host's own is taken")
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_put_into_words() {
        let command =
            Command::new(["apt-get", "-q", "-o", "Dpkg::Options::=--force-confold", "install", "x"]);
        let stderr = b"E: Unable to locate package x\n".to_vec();
        let failure = explain(&command, &Output { status: 100, stderr, ..Output::default() });
        assert_eq!(
            failure.to_string(),
            "`apt-get -q install x` exited with status 100: no repository has one of the packages"
        );
        assert!(failure.hint().is_some_and(|hint| hint.contains("pkg::refresh")));
        let failure = explain(&command, &Output { status: 3, ..Output::default() });
        assert_eq!(failure.to_string(), "`apt-get -q install x` exited with status 3");
    }
}
