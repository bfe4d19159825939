//! A working tree on the host, and the repository that it comes from, as the program `git` sees them.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::{Command, Output};

/// As many letters of a commit are shown.
const SHORT: usize = 10;

/// What a version means in the repository that is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The commit, with all of its digits.
    pub commit: String,
    /// The branch that it is the tip of, if it was asked for as a branch.
    pub branch: Option<String>,
}

/// What is in the place of a working tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The commit that is checked out. Absent before the first one is.
    pub commit: Option<String>,
    /// The branch that it is on. Absent when it is on none.
    pub branch: Option<String>,
    /// Where it comes from. Absent when it does not say.
    pub origin: Option<String>,
    /// What has been changed in files that git knows, one line each.
    pub changes: Vec<String>,
}

/// The beginning of a commit's name, for people.
pub fn short(commit: &str) -> &str {
    commit.get(..SHORT).unwrap_or(commit)
}

/// Whether a text is the whole name of a commit.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A git command about a working tree. It never asks for a password, and takes a tree that belongs to somebody else.
pub fn command(context: &Context<'_>, tree: &Path, arguments: &[&str]) -> Command {
    let tree = tree.to_string_lossy();
    let words = ["git", "-c", "safe.directory=*", "-C", &tree].into_iter().chain(arguments.iter().copied());
    let mut command = context.command(words);
    command.environment.entry("GIT_TERMINAL_PROMPT".to_owned()).or_insert_with(|| "0".to_owned());
    // An unknown host's key is refused, and nobody is asked.
    command
        .environment
        .entry("GIT_SSH_COMMAND".to_owned())
        .or_insert_with(|| "ssh -oBatchMode=yes".to_owned());
    command
}

/// What a version is in a repository now. Nothing is changed by asking.
///
/// # Errors
/// It can't be asked, or has no such version.
pub fn resolve(context: &Context<'_>, repository: &str, version: Option<&str>) -> Result<Version, Failure> {
    if let Some(commit) = version.filter(|version| is_commit(version)) {
        return Ok(Version { commit: commit.to_ascii_lowercase(), branch: None });
    }
    let mut arguments = vec!["ls-remote", "--quiet", "--symref", "--", repository];
    let branch = version.map(|version| format!("refs/heads/{version}"));
    let tags = version.map(|version| [format!("refs/tags/{version}^{{}}"), format!("refs/tags/{version}")]);
    match (&branch, &tags) {
        (Some(branch), Some([peeled, tag])) => arguments.extend([branch.as_str(), peeled, tag]),
        _ => arguments.push("HEAD"),
    }
    let command = command(context, Path::new("/"), &arguments);
    let output = context.host.probe(&command)?.require_success(&command)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = || text.lines().filter_map(|line| line.split_once('\t'));
    let commit_of = |name: &str| {
        lines()
            .find(|(commit, found)| *found == name && is_commit(commit))
            .map(|(commit, _)| commit.to_owned())
    };
    let of_head = || {
        lines().find_map(|(what, name)| {
            (name == "HEAD").then(|| what.strip_prefix("ref: refs/heads/")).flatten()
        })
    };
    let found = match (version, &branch, &tags) {
        (Some(version), Some(branch), Some([peeled, tag])) => {
            let on_branch = |commit| Version { commit, branch: Some(version.to_owned()) };
            let of_tag = || {
                commit_of(peeled).or_else(|| commit_of(tag)).map(|commit| Version { commit, branch: None })
            };
            commit_of(branch).map(on_branch).or_else(of_tag)
        }
        _ => commit_of("HEAD").map(|commit| Version { commit, branch: of_head().map(str::to_owned) }),
    };
    found.ok_or_else(|| match version {
        Some(version) => {
            Failure::argument("version", format!("`{repository}` has no branch and no tag `{version}`"))
                .advise("a commit is named with all of its digits")
        }
        None => Failure::argument("repository", format!("`{repository}` has no commit")),
    })
}

impl Tree {
    /// The working tree in a directory. Nothing if there is none.
    ///
    /// # Errors
    /// There is one that git can't read.
    pub fn look(context: &Context<'_>, path: &Path) -> Result<Option<Self>, Failure> {
        if context.host.lstat(&path.join(".git"))?.is_none() {
            return Ok(None);
        }
        let ask = |arguments: &[&str]| -> Result<Output, Failure> {
            context.host.probe(&command(context, path, arguments))
        };
        let answer = |arguments: &[&str]| -> Result<Option<String>, Failure> {
            let output = ask(arguments)?;
            let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
            Ok((output.status == 0 && !text.is_empty()).then_some(text))
        };
        let status = command(context, path, &["status", "--porcelain", "--untracked-files=no"]);
        let changes = context.host.probe(&status)?.require_success(&status)?;
        Ok(Some(Self {
            commit: answer(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?,
            branch: answer(&["symbolic-ref", "--quiet", "--short", "HEAD"])?,
            origin: answer(&["config", "--get", "remote.origin.url"])?,
            changes: String::from_utf8_lossy(&changes.stdout).lines().map(str::to_owned).collect(),
        }))
    }
}
