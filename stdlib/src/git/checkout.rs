//! `git::checkout`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, Kind, System};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::repository::{Tree, Version, command, resolve, short};
use crate::host_path::HostPath;

/// What check mode keeps of working trees.
const PREDICTED: &str = "git tree";

/// So many changed files are shown.
const SHOWN: usize = 10;

/// Keeps a directory at a version of a git repository.
///
/// ```rhai,no_run
/// git::checkout("https://example.org/app.git", "/srv/app", #{ version: "v1.4.2" });
/// git::checkout("git@example.org:site.git", "/srv/site", #{ version: "main", depth: 1 });
/// ```
///
/// `git` has to be on the host. Each time, the repository is asked what a branch or a tag is now, without anything being changed; check mode
/// does that, too, and foretells from which commit to which the directory goes. With a whole commit as `version`, and with `update: false`,
/// nobody is asked once the directory has it.
///
/// Files that git does not know are left alone. Where files that it knows were changed by hand, nothing is done and the call fails, unless
/// `force` is given. A branch is checked out as a branch, all else without one. The outcome has `before` and `after`: commits, `before` is
/// `()` the first time.
///
/// A rollback goes back to the commit that was checked out before; a directory that was not there before stays.
///
/// A password or a key belongs into the environment of an enclosing task (`GIT_SSH_COMMAND`, `GIT_ASKPASS`), or into the host's own
/// configuration: a URL with a password in it would stay readable in the directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitCheckout {
    /// The repository: a URL, or a path on the host.
    repository: String,
    /// The directory. Made if it is missing; one that has other things in it is refused.
    path: HostPath,
    /// A branch, a tag, or a commit with all of its digits. The repository's own branch when absent.
    #[serde(default)]
    version: Option<String>,
    /// How many commits of the history are fetched. All when absent.
    #[serde(default)]
    depth: Option<u32>,
    /// Whether a directory that is there follows what the branch or tag has become. Default true.
    #[serde(default = "yes")]
    update: bool,
    /// Throw away what was changed by hand in files that git knows. Default false.
    #[serde(default)]
    force: bool,
}

fn yes() -> bool {
    true
}

/// What is there, and what shall be.
pub struct Found {
    tree: Option<Tree>,
    wanted: Version,
    /// What makes the one of the other.
    commands: Vec<Command>,
    /// What takes that back. Absent when there is nothing yet.
    back: Option<Command>,
}

impl State for GitCheckout {
    const NAME: &'static str = "git::checkout";
    const POSITIONAL: &'static [&'static str] = &["repository", "path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let tree = self.tree(context)?;
        let wanted = match tree.as_ref().and_then(|tree| Some((tree, tree.commit.clone()?))) {
            Some((tree, commit)) if !self.update => Version { commit, branch: tree.branch.clone() },
            _ => resolve(context, &self.repository, self.version.as_deref())?,
        };
        let commands = self.commands(context, tree.as_ref(), &wanted);
        let back = tree.as_ref().and_then(|tree| self.back(context, tree));
        Ok(Found { tree, wanted, commands, back })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let Found { tree, wanted, commands, back } = found;
        if let Some(tree) = tree {
            let is_there = tree.commit.as_ref() == Some(&wanted.commit) && tree.branch == wanted.branch;
            let is_ours = tree.origin.as_deref() == Some(&self.repository);
            let is_clean = tree.changes.is_empty();
            if is_there && is_ours && (is_clean || !self.force) {
                return Ok(Plan::new());
            }
            if !is_clean && !self.force {
                return Err(changed_by_hand(tree));
            }
        }
        let before = tree.as_ref().and_then(|tree| tree.commit.clone());
        let text = match &before {
            None => format!("check out {} at {}", self.repository, short(&wanted.commit)),
            Some(before) if *before == wanted.commit => format!("check out {} again", short(before)),
            Some(before) => format!("go from {} to {}", short(before), short(&wanted.commit)),
        };
        Ok(vec![Box::new(CheckOut {
            text,
            path: self.path.clone(),
            commands: commands.clone(),
            tree: Tree {
                commit: Some(wanted.commit.clone()),
                branch: wanted.branch.clone(),
                origin: Some(self.repository.clone()),
                changes: Vec::new(),
            },
            back: back.clone(),
        })])
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let commit = found.tree.as_ref().and_then(|tree| tree.commit.clone());
        Map::from_iter([("before".to_owned(), json!(commit)), ("after".to_owned(), json!(commit))])
    }

    fn changed(&self, before: &Found, after: &Found) -> Map<String, Value> {
        let commit = |found: &Found| found.tree.as_ref().and_then(|tree| tree.commit.clone());
        Map::from_iter([
            ("before".to_owned(), json!(commit(before))),
            ("after".to_owned(), json!(commit(after))),
        ])
    }
}

impl GitCheckout {
    /// Words that git would take as options.
    fn check(&self) -> Result<(), Failure> {
        let is_option = |text: &str| text.is_empty() || text.starts_with('-');
        if is_option(&self.repository) {
            return Err(Failure::argument("repository", "it is no repository"));
        }
        if self.version.as_deref().is_some_and(is_option) {
            return Err(Failure::argument("version", "it is no branch, tag or commit"));
        }
        if self.depth == Some(0) {
            return Err(Failure::argument("depth", "the history has at least one commit"));
        }
        Ok(())
    }

    fn tree(&self, context: &Context<'_>) -> Result<Option<Tree>, Failure> {
        let host = context.host;
        if let Some(predicted) = host.predicted(PREDICTED, &self.path.to_string()) {
            let text = |key: &str| predicted[key].as_str().map(str::to_owned);
            let (commit, branch, origin) = (text("commit"), text("branch"), text("origin"));
            return Ok(Some(Tree { commit, branch, origin, changes: Vec::new() }));
        }
        if let Some(tree) = Tree::look(context, &self.path)? {
            return Ok(Some(tree));
        }
        match host.lstat(&self.path)? {
            None => Ok(None),
            Some(stat) if stat.kind == Kind::Directory && host.list(&self.path)?.is_empty() => Ok(None),
            Some(_) => Err(Failure::state(format!("`{}` is there, and no working tree of git", self.path))),
        }
    }

    /// All that is needed, whatever is there: each is without effect where it is so already.
    fn commands(&self, context: &Context<'_>, tree: Option<&Tree>, wanted: &Version) -> Vec<Command> {
        let path: &Path = &self.path;
        let place = path.to_string_lossy();
        let mut commands = Vec::new();
        if tree.is_none() {
            commands.push(command(context, Path::new("/"), &["init", "--quiet", "--", &place]));
        }
        if tree.and_then(|tree| tree.origin.as_deref()) != Some(&self.repository) {
            commands.push(command(context, path, &["config", "remote.origin.url", &self.repository]));
            let refs = "+refs/heads/*:refs/remotes/origin/*";
            commands.push(command(context, path, &["config", "remote.origin.fetch", refs]));
        }
        let depth = self.depth.map(|depth| format!("--depth={depth}"));
        let what = match &wanted.branch {
            Some(branch) => format!("+refs/heads/{branch}:refs/remotes/origin/{branch}"),
            None => self.version.as_ref().map_or_else(
                || wanted.commit.clone(),
                |version| match super::repository::is_commit(version) {
                    true => wanted.commit.clone(),
                    false => format!("+refs/tags/{version}:refs/tags/{version}"),
                },
            ),
        };
        let mut fetch = vec!["fetch", "--quiet", "--force"];
        fetch.extend(depth.as_deref());
        fetch.extend(["origin", &what]);
        if tree.is_none_or(|tree| tree.commit.as_ref() != Some(&wanted.commit)) {
            commands.push(command(context, path, &fetch));
        }
        let force = if self.force { "--force" } else { "--quiet" };
        commands.push(match &wanted.branch {
            Some(branch) => {
                command(context, path, &["checkout", "--quiet", force, "-B", branch, &wanted.commit])
            }
            None => command(context, path, &["checkout", "--quiet", force, "--detach", &wanted.commit]),
        });
        commands
    }

    /// The command that goes back to what is there.
    fn back(&self, context: &Context<'_>, tree: &Tree) -> Option<Command> {
        let commit = tree.commit.as_deref()?;
        Some(match &tree.branch {
            Some(branch) => command(context, &self.path, &["checkout", "--quiet", "-B", branch, commit]),
            None => command(context, &self.path, &["checkout", "--quiet", "--detach", commit]),
        })
    }
}

fn changed_by_hand(tree: &Tree) -> Failure {
    let mut changes = tree.changes.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    if tree.changes.len() > SHOWN {
        changes.push(format!("and {} more", tree.changes.len() - SHOWN));
    }
    Failure::state(format!("files were changed by hand:\n{}", changes.join("\n")))
        .advise("`force: true` throws that away")
}

/// Brings a working tree to a commit.
struct CheckOut {
    text: String,
    path: HostPath,
    commands: Vec<Command>,
    /// What is there then.
    tree: Tree,
    back: Option<Command>,
}

impl Step for CheckOut {
    fn describe(&self) -> String {
        self.text.clone()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let Tree { commit, branch, origin, .. } = &self.tree;
        let state = json!({ "commit": commit, "branch": branch, "origin": origin });
        overlay.set_state(PREDICTED, &self.path.to_string(), state);
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        for command in &self.commands {
            system.run(command)?.require_success(command)?;
        }
        Ok(())
    }

    fn undo(&self) -> Undo {
        match &self.back {
            Some(back) => Undo::command(back.clone()),
            None => Undo::Irreversible(format!("`{}` stays as it was checked out first", self.path)),
        }
    }
}
