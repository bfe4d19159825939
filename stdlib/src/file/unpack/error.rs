//! Why an archive is not unpacked.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Its beginning is that of no known format.
    #[error("it is no archive of a known format")]
    Unknown,
    /// A single file is compressed, without a name and a mode.
    #[error("it is one file compressed with {0}, not an archive")]
    SingleFile(&'static str),
    /// It can't be read to its end.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// What is in it takes more than may be unpacked, in bytes.
    #[error("it unpacks to more than {0} bytes")]
    TooLarge(u64),
    /// An entry's name is none.
    #[error("it has an entry `{name}`: the name {problem}")]
    Name {
        /// The name, as far as it is text.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A symbolic link leads out of the directory.
    #[error("its link `{}` leads out of the directory: {}", path.display(), target.display())]
    LeadsOut {
        /// The link, below the directory.
        path: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// An entry would be reached through something that is no directory: this, by its path below the directory.
    #[error("it has something below `{}`, which is no directory in it", .0.display())]
    Behind(PathBuf),
    /// A hard link to something that is not unpacked as a file.
    #[error("its hard link `{}` is to `{}`, which is no file that is unpacked", path.display(), target.display())]
    HardLink {
        /// The link, below the directory.
        path: PathBuf,
        /// What it is a link to.
        target: PathBuf,
    },
    /// Something that is neither file nor directory nor link.
    #[error("its entry `{}` is a {kind}", path.display())]
    Special {
        /// The entry, below the directory.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A zip entry that needs a password.
    #[error("its entry `{}` is encrypted", .0.display())]
    Encrypted(PathBuf),
    /// A zip entry that is compressed in another way than most.
    #[error("its entry `{}` is compressed with the method {method}", path.display())]
    Method {
        /// The entry, below the directory.
        path: PathBuf,
        /// The number of the method.
        method: u16,
    },
}

impl ArchiveError {
    /// An entry's name that can't be used.
    pub fn name(name: &[u8], problem: &'static str) -> Self {
        Self::Name { name: String::from_utf8_lossy(name).into_owned(), problem }
    }

    /// What to do about it.
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unknown => "it can be tar, also compressed with gzip, xz or zstd, or zip",
            Self::SingleFile(_) => "an archive with one file in it would do",
            Self::TooLarge(_) => "if that is right, say so with `max_size`",
            Self::Name { .. } | Self::LeadsOut { .. } | Self::Behind(_) => {
                "nothing is unpacked from an archive that reaches out of its directory"
            }
            Self::HardLink { .. } | Self::Special { .. } => "`exclude` leaves it out",
            Self::Method { .. } => "zip entries can be stored or deflated",
            Self::Damaged(_) | Self::Encrypted(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The failure to unpack `source`.
    pub fn of(self, source: &Path) -> Failure {
        let failure = Failure::argument("source", format!("can't unpack `{}`: {self}", source.display()));
        match self.hint() {
            Some(hint) => failure.advise(hint),
            None => failure,
        }
    }
}
