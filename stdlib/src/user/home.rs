//! Home directories: made once, with what the skeleton holds.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::step::{Change, Step};
use refrain_engine::system::ownership::Owner;
use refrain_engine::system::{Attributes, Content, Kind, Stat, View};

/// The place where a home is, or shall be.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// Where.
    pub path: PathBuf,
    /// What is there.
    pub stat: Option<Stat>,
    /// The directories above it that are missing, the outermost first.
    above: Vec<PathBuf>,
    /// What the skeleton holds, directories before what is in them. Empty when there is a home.
    skeleton: Vec<Piece>,
    /// The user and group that the agent is.
    identity: (u32, u32),
}

/// Something in the skeleton.
#[derive(Clone, Debug)]
struct Piece {
    /// Its path in the skeleton.
    path: PathBuf,
    mode: u32,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Directory,
    File(Content),
    Link(PathBuf),
}

impl Home {
    /// Looks at the home at `path`, and if there is none, at the skeleton.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn look(host: &dyn View, path: &Path, skeleton: &Path) -> Result<Self, Failure> {
        let stat = host.stat(path)?;
        let mut home = Self { path: path.to_owned(), stat, identity: host.identity(), ..Self::default() };
        if home.stat.is_some() {
            return Ok(home);
        }
        for above in path.ancestors().skip(1) {
            if host.stat(above)?.is_some() {
                break;
            }
            home.above.insert(0, above.to_owned());
        }
        home.skeleton = pieces(host, skeleton)?;
        Ok(home)
    }

    /// The steps that make it. None when something is there: what that holds is its owner's business.
    ///
    /// Nobody but root can enter it before it is whole.
    pub fn plan(&self, owner: Owner, mode: u32) -> Vec<Box<dyn Step>> {
        if self.stat.is_some() {
            return Vec::new();
        }
        let (uid, gid) = self.identity;
        let ours = |mode: u32| Attributes { mode, uid, gid };
        let theirs = |mode: u32| Attributes { mode, uid: owner.uid, gid: owner.gid };
        let mut changes: Vec<Change> = Vec::new();
        for path in &self.above {
            changes.push(Change::MakeDirectory { path: path.clone(), attributes: ours(0o755) });
        }
        changes.push(Change::MakeDirectory { path: self.path.clone(), attributes: ours(0o700) });
        for piece in &self.skeleton {
            let path = self.path.join(&piece.path);
            let attributes = theirs(piece.mode);
            match &piece.what {
                What::Directory => changes.push(Change::MakeDirectory { path, attributes }),
                What::File(after) => {
                    let after = after.clone();
                    changes.push(Change::Write { path, before: None, after, attributes, shown: true });
                }
                What::Link(target) => {
                    changes.push(Change::MakeLink {
                        path: path.clone(),
                        target: target.clone(),
                        before: None,
                    });
                    changes.push(Change::SetAttributes { path, before: ours(0o777), after: attributes });
                }
            }
        }
        changes.push(Change::SetAttributes {
            path: self.path.clone(),
            before: ours(0o700),
            after: theirs(mode),
        });
        changes.into_iter().map(Into::into).collect()
    }
}

/// All that is in a skeleton. Devices, sockets and pipes are left out.
fn pieces(host: &dyn View, skeleton: &Path) -> Result<Vec<Piece>, Failure> {
    let mut pieces = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(directory) = todo.pop() {
        for name in host.list(&skeleton.join(&directory))? {
            let path = directory.join(name);
            let place = skeleton.join(&path);
            let Some(stat) = host.lstat(&place)? else { continue };
            let what = match stat.kind {
                Kind::Directory => What::Directory,
                Kind::Link => What::Link(host.read_link(&place)?.unwrap_or_default()),
                Kind::File => What::File(host.read(&place)?.unwrap_or(Content::Known(Vec::new()))),
                Kind::Other => continue,
            };
            if stat.kind == Kind::Directory {
                todo.push(path.clone());
            }
            pieces.push(Piece { path, mode: stat.attributes.mode, what });
        }
    }
    Ok(pieces)
}
