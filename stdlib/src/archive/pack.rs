//! `archive::pack`.

use std::path::Path;

use refrain_engine::failure::{Failure, reason};
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;

use super::format::Format;
use super::members::Members;
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;
use crate::whole_file::WholeFile;

/// Packs files and directories of the host into an archive on the host.
///
/// ```rhai
/// archive::pack("/etc/app", "/var/backups/app.tar.gz", #{ exclude: ["app/cache"], mode: "0600" });
/// archive::pack(["/etc/app", "/etc/hosts"], "/var/backups/both.zip", #{ base: "/etc" });
/// ```
///
/// The same files give the same archive, byte for byte: it is written only when something in it is another. Names are relative to `base`;
/// owners, modes, links and the times of files are in it, sockets and devices are not. `file::unpack` is the way back.
///
/// All of it is held in memory. The archive is replaced as a whole.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ArchivePack {
    /// What is packed: a file or a directory with all that is below it, or an array of them.
    source: OneOrMany<HostPath>,
    /// The archive. Its directory has to exist.
    path: HostPath,
    /// `"tar"`, `"tar.gz"`, `"tar.xz"`, `"tar.zst"` or `"zip"`. What the path ends with when absent.
    #[serde(default)]
    format: Option<Format>,
    /// The directory that names are relative to. When absent, each source is in the archive under its own name.
    #[serde(default)]
    base: Option<HostPath>,
    /// What is left out: names as they would be in the archive, in which `*`, `?` and `[…]` stand for names as in a shell. A directory is left
    /// out with all that is in it.
    #[serde(default)]
    exclude: Option<OneOrMany<String>>,
    /// How much there may be to pack, in bytes. Default 512 MiB.
    #[serde(default = "max_size")]
    max_size: u64,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

/// 512 MiB.
fn max_size() -> u64 {
    512 * 1024 * 1024
}

/// The archive as it is, and as it shall be.
pub struct Found {
    file: WholeFile,
    content: Content,
}

impl State for ArchivePack {
    const NAME: &'static str = "archive::pack";
    const POSITIONAL: &'static [&'static str] = &["source", "path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let endings = || {
            Failure::argument("path", format!("what `{}` ends with is no format of archives", self.path))
                .advise(
                    "there are `.tar`, `.tar.gz`, `.tar.xz`, `.tar.zst` and `.zip`; `format` says it, too",
                )
        };
        let format = self.format.or_else(|| Format::of(&self.path)).ok_or_else(endings)?;
        let mut all = Vec::new();
        let (mut left, mut is_unknown) = (self.max_size, false);
        for source in &self.source.0 {
            let base = self.base.as_deref().unwrap_or_else(|| source.parent().unwrap_or(Path::new("/")));
            if !source.starts_with(base) {
                return Err(Failure::argument(
                    "base",
                    format!("`{source}` is not below `{}`", base.display()),
                ));
            }
            let exclude = self.exclude.as_ref().map_or(&[][..], |patterns| &patterns.0);
            let (host, archive) = (context.host, &*self.path);
            let mut members = Members { host, base, archive, exclude, left, found: Vec::new(), is_unknown };
            members.take(source)?;
            all.append(&mut members.found);
            (left, is_unknown) = (members.left, members.is_unknown);
        }
        let packed = |error| Failure::state(format!("could not be packed: {}", reason(&error)));
        let content =
            if is_unknown { Content::Unknown } else { Content::Known(format.pack(&all).map_err(packed)?) };
        Ok(Found { file: WholeFile::look(context.host, &self.path, &self.attributes)?, content })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        // Who may read the archive may read all that is in it: it is as private as a secret unless somebody says otherwise.
        Ok(found.file.plan(found.content.clone(), false))
    }
}
