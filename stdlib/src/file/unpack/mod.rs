//! `file::unpack`.

mod allowance;
mod changes;
mod compression;
mod entries;
mod error;
mod selection;
mod tar;
mod zip;

use std::cell::OnceCell;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, Kind, Stat, System, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::allowance::Allowance;
use self::changes::{Comparison, Place};
use self::compression::Compression;
use self::entries::{Collector, Entries, Stop};
use self::error::ArchiveError;
use self::selection::Selection;
use crate::attributes::{AttributeOptions, AttributeRules};
use crate::directories::Directories;
use crate::host_path::HostPath;
use crate::links::follow;
use crate::mode::Mode;
use crate::one_or_many::OneOrMany;

/// Unpacks an archive into a directory.
///
/// ```rhai
/// file::unpack("app.tar.gz", "/opt/app", #{ strip: 1, exclude: ["doc", "*.md"] });
/// file::unpack("/var/cache/tool.zip", "/usr/local/bin", #{ remote: true, owner: "root" });
/// ```
///
/// The archive can be tar, also compressed with gzip, xz or zstd, or zip; its content tells which. Every entry is held
/// against what is there: kind, mode, content, target of a link. Only what differs is changed, and what else is in the
/// directory stays. Links and files are replaced; a directory is never replaced by something else, nor something else by a
/// directory.
///
/// Nothing is written outside of the directory: names that are absolute or have `..` in them, links that lead out, and
/// devices are errors, and then nothing is unpacked at all. Owners and times in the archive don't count. A hard link becomes
/// a file of its own.
///
/// The archive and what differs are held in memory. A large file of the project travels to the host in every run; one that
/// is there already (`remote`) does not.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileUnpack {
    /// The archive: a name in `files/` beside the role or playbook. With `remote`, a path on the host.
    #[schemars(extend("x-source" = "file"))]
    source: String,
    /// Where it is unpacked. Made if it is missing, with mode 0755; one that exists stays as it is.
    directory: HostPath,
    /// The archive is a file on the host. Default false.
    #[serde(default)]
    remote: bool,
    /// How many leading directories are taken off the names in the archive; what has no more of them is left out. Default 0.
    #[serde(default)]
    strip: usize,
    /// What is left out: paths below the directory, after `strip`, in which `*`, `?` and `[…]` stand for names as in a shell.
    /// A directory is left out with all that is in it.
    #[serde(default)]
    exclude: Option<OneOrMany<String>>,
    /// The owner of everything unpacked: a user's name or number. When absent, what exists keeps its owner, and what is new
    /// belongs to the user that the agent runs as. A directory that exists and is no entry of its own stays as it is.
    #[serde(default)]
    #[schemars(schema_with = "crate::attributes::string_or_integer")]
    owner: Value,
    /// The group, likewise.
    #[serde(default)]
    #[schemars(schema_with = "crate::attributes::string_or_integer")]
    group: Value,
    /// How modes shall differ from those in the archive: symbolic as in chmod(1), `"u=rwX,go=rX"` or `"go-w"`.
    #[serde(default)]
    mode: Option<String>,
    /// Keep the set-user-ID, set-group-ID and sticky bits of the archive. Default false: they are taken off.
    #[serde(default)]
    special_bits: bool,
    /// How much it may unpack to, in bytes: a small archive can hold the zeros of a whole disk. Every entry counts as whole
    /// blocks of 4096 bytes and one for itself; what is left out counts too where it has to be decompressed.
    #[serde(default = "max_size")]
    max_size: u64,
    /// The archive, once it is here: looking again must not fetch it again.
    #[serde(skip)]
    content: OnceCell<Content>,
}

/// 512 MiB.
fn max_size() -> u64 {
    512 * 1024 * 1024
}

/// What is there, and what shall be.
pub enum Found {
    /// What has to be changed.
    Known(Vec<Rc<Change>>),
    /// Check mode can't know what is in the archive.
    Unknown {
        /// The directory, if it is missing.
        directories: Vec<Rc<Change>>,
    },
}

impl State for FileUnpack {
    const NAME: &'static str = "file::unpack";
    const POSITIONAL: &'static [&'static str] = &["source", "directory"];
    type Found = Found;

    fn subject(&self) -> String {
        self.directory.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let rules = self.rules(context.host)?;
        let exclude = self.exclude()?;
        let selection = Selection { strip: self.strip, exclude: &exclude };
        let content = self.content(context)?;
        let (place, mut changes) = self.place(context.host, &rules)?;
        let Some(archive) = content.known() else { return Ok(Found::Unknown { directories: changes }) };
        let unpack = || {
            let entries = self.entries(archive, selection, &place, context.host)?;
            Comparison::new(context.host, &rules, &place, &entries).map_err(Stop::Host)?.changes()
        };
        changes.extend(unpack().map_err(|stop| match stop {
            Stop::Archive(error) => error.of(Path::new(&self.source)),
            Stop::Host(failure) => failure,
        })?);
        Ok(Found::Known(changes))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let shared = |changes: &[Rc<Change>]| -> Plan {
            changes.iter().map(|change| Box::new(Rc::clone(change)) as Box<dyn Step>).collect()
        };
        match found {
            Found::Known(changes) => Ok(shared(changes)),
            Found::Unknown { directories } => {
                let mut plan = shared(directories);
                plan.push(Box::new(UnpackUnknown(self.source.clone(), self.directory.to_path_buf())));
                Ok(plan)
            }
        }
    }
}

impl FileUnpack {
    fn rules(&self, host: &dyn View) -> Result<AttributeRules, Failure> {
        if let Some(Ok(Mode::Exact(mode))) = self.mode.as_deref().map(str::parse) {
            let message = format!("the mode {mode:04o} can't be that of files and directories alike");
            return Err(Failure::argument("mode", message)
                .advise("a symbolic mode changes those of the archive: \"u=rwX,go=rX\""));
        }
        let mode = self.mode.as_deref().into();
        AttributeOptions::new(self.owner.clone(), self.group.clone(), mode).resolve(host)
    }

    fn exclude(&self) -> Result<Vec<PathBuf>, Failure> {
        let patterns = self.exclude.iter().flat_map(|patterns| &patterns.0);
        patterns
            .map(|pattern| {
                let path = Path::new(pattern);
                let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
                match plain && !pattern.is_empty() {
                    true => Ok(path.to_owned()),
                    false => Err(Failure::argument(
                        "exclude",
                        format!("`{pattern}` is no path below the directory"),
                    )),
                }
            })
            .collect()
    }

    /// The archive itself, which is asked for only once.
    fn content(&self, context: &Context<'_>) -> Result<&Content, Failure> {
        if let Some(content) = self.content.get() {
            return Ok(content);
        }
        let content = match self.remote {
            true => self.read_remote(context.host)?,
            false => {
                self.check_size(context.materials.source(&self.source)?.size)?;
                Content::Known(context.materials.file(&self.source)?)
            }
        };
        Ok(self.content.get_or_init(|| content))
    }

    fn read_remote(&self, host: &dyn View) -> Result<Content, Failure> {
        let source = HostPath::new(&self.source).map_err(|message| Failure::argument("source", message))?;
        let stat = host.stat(&source)?.filter(|stat| stat.kind == Kind::File);
        let nothing = || Failure::argument("source", format!("there is no file `{source}` on the host"));
        self.check_size(stat.ok_or_else(nothing)?.size)?;
        host.read(&source)?.ok_or_else(nothing)
    }

    /// An archive is hardly larger than what is in it, and is held in memory.
    fn check_size(&self, size: u64) -> Result<(), Failure> {
        match size > self.max_size {
            true => Err(ArchiveError::TooLarge(self.max_size).of(Path::new(&self.source))),
            false => Ok(()),
        }
    }

    /// The directory, and the changes that make it.
    fn place(&self, host: &dyn View, rules: &AttributeRules) -> Result<(Place, Vec<Rc<Change>>), Failure> {
        let (path, stat) = follow(host, &self.directory)?;
        if let Some(Stat { kind: Kind::Directory, attributes, .. }) = stat {
            return Ok((Place { path, attributes, missing: false }, Vec::new()));
        }
        let mut directories = Directories::default();
        directories.look(host, &path, rules)?;
        let attributes = directories.parent(host, &path.join("entry"))?;
        let changes = directories.changes().map(Rc::new).collect();
        Ok((Place { path, attributes, missing: true }, changes))
    }

    fn entries(
        &self,
        archive: &[u8],
        selection: Selection<'_>,
        place: &Place,
        host: &dyn View,
    ) -> Result<Entries, Stop> {
        let is_there = |below: &Path, content: &[u8]| {
            let path = place.path.join(below);
            let stat = host.lstat(&path)?;
            let same_size =
                stat.is_some_and(|stat| stat.kind == Kind::File && stat.size == content.len() as u64);
            Ok(same_size && host.read(&path)?.as_ref().and_then(Content::known) == Some(content))
        };
        let mut collector = Collector {
            selection,
            allowance: &Allowance::new(self.max_size),
            mode_bits: if self.special_bits { 0o7777 } else { 0o777 },
            is_there: &is_there,
            entries: Entries::new(),
        };
        read(archive, &mut collector)?;
        Ok(collector.entries)
    }
}

/// Takes in the entries of an archive, whose format its first bytes tell.
fn read(archive: &[u8], collector: &mut Collector<'_>) -> Result<(), Stop> {
    if zip::is_zip(archive) {
        return zip::read(archive, collector);
    }
    if tar::is_tar(archive) {
        return tar::read(archive, collector);
    }
    let Some(compression) = Compression::of(archive) else { return Err(ArchiveError::Unknown.into()) };
    let allowance = collector.allowance;
    // Decoders are slow by the byte.
    let mut stream = BufReader::new(compression.reader(archive));
    let mut first = Vec::new();
    let header = stream.by_ref().take(tar::HEADER as u64).read_to_end(&mut first);
    header.map_err(|error| allowance.explain(&error))?;
    if !tar::is_tar(&first) {
        return Err(ArchiveError::SingleFile(compression.name()).into());
    }
    tar::read((&first[..]).chain(stream), collector)
}

/// Unpacks what only a real run knows.
struct UnpackUnknown(String, PathBuf);

impl Step for UnpackUnknown {
    fn describe(&self) -> String {
        format!("unpack `{}` into `{}`, where it differs", self.0, self.1.display())
    }

    fn certain(&self) -> bool {
        false
    }

    fn predict(&self, _overlay: &Overlay) -> Result<(), Failure> {
        Ok(())
    }

    fn act(&self, _system: &dyn System) -> Result<(), Failure> {
        Err(Failure::state(format!("the content of `{}` is still unknown", self.0)))
    }

    fn undo(&self) -> Undo {
        Undo::Irreversible("nothing was done".to_owned())
    }
}
