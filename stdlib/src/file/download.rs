//! `file::download`.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, System};
use schemars::JsonSchema;
use serde::Deserialize;

use super::checksum::Checksum;
use crate::attributes::AttributeOptions;
use crate::file_target::{FileTarget, parent};
use crate::host_path::HostPath;
use crate::seconds::Seconds;
use crate::web::{Get, arguments};
use crate::whole_file::WholeFile;

/// How long a download may take when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Downloads a file from the web to the host.
///
/// ```rhai,no_run
/// file::download("https://example.com/tool-1.4.2", "/usr/local/bin/tool", #{
///     checksum: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
///     mode: "0755",
/// });
/// file::download("https://example.com/blocklist.txt", "/etc/blocklist.txt", #{
///     headers: #{ "Private-Token": vars.repository_token },
///     force: true,
/// });
/// ```
///
/// With a `checksum`, the file is downloaded when it does not have it, and what has another one is never put in place.
/// Without one, it is downloaded when it is not there; with `force`, each time, to be compared.
///
/// Check mode downloads nothing: what the file would hold is unknown then. The host itself asks, through the proxies that
/// its environment or the task's `environment` names (`https_proxy`, `no_proxy`). The server's certificate has to be signed by
/// one of the host's CAs. Up to 10 redirects are followed, but not from `https` to `http`.
///
/// The file is held in memory on its way, and replaced as a whole. Where `path` is a link, the file that it leads to is
/// written and the link stays.
#[derive(Deserialize, JsonSchema)]
pub struct FileDownload {
    /// What is downloaded: a URL that begins with `https://` or `http://`. A name and a password in it (`https://name:password@host/`)
    /// and all behind a `?` are not shown; a URL that is a secret is not shown at all.
    #[schemars(schema_with = "arguments::secret_string")]
    url: Text,
    /// Where the file shall be: its own path, not that of its directory, which has to exist.
    path: HostPath,
    /// The checksum that the file has to have: `sha256:` or `sha512:` and hexadecimal digits.
    #[serde(default)]
    checksum: Option<Checksum>,
    /// What the server is told beside the usual: names and values, which can be secrets. A server that it redirects to is not
    /// told.
    #[serde(default)]
    headers: BTreeMap<String, Text>,
    /// How long all of it may take, in seconds; a server that does not answer is given up after 30. Default 600.
    #[serde(default)]
    timeout: Option<Seconds>,
    /// How large the file may be, in bytes. Default 512 MiB.
    #[serde(default = "max_size")]
    max_size: u64,
    /// Download it although it is there, to compare it. Default false.
    #[serde(default)]
    force: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
    /// What was downloaded to be compared: looking again must not ask again.
    #[serde(skip)]
    compared: OnceCell<Vec<u8>>,
}

/// 512 MiB.
fn max_size() -> u64 {
    512 * 1024 * 1024
}

/// What is there, and what shall be.
pub enum Found {
    /// What shall be there, whatever its attributes.
    Held(FileTarget),
    /// Nothing, or something with another checksum: this gets what belongs there.
    Other(FileTarget, Rc<Get>),
    /// Something that may be right, and what shall be there.
    Compared {
        /// What is there.
        file: WholeFile,
        /// What shall be there. Check mode does not know.
        content: Content,
        /// Whether everybody may see it.
        shown: bool,
    },
}

impl State for FileDownload {
    const NAME: &'static str = "file::download";
    const POSITIONAL: &'static [&'static str] = &["url", "path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let get = self.get(context)?;
        let host = context.host;
        let rules = self.attributes.resolve(host)?;
        let target =
            FileTarget::look(host, &self.path, &rules, |path| Ok(rules.of_new_file(parent(host, path)?)))?;
        let content = match &self.checksum {
            Some(_) if self.force => return Err(both()),
            Some(checksum) if target.existing.is_some() => match host.read(&target.path)? {
                Some(Content::Known(bytes)) if checksum.is_of(&bytes) => return Ok(Found::Held(target)),
                Some(Content::Unknown) => Content::Unknown,
                _ => return Ok(Found::Other(target, Rc::new(get))),
            },
            None if self.force && host.is_predicted() => Content::Unknown,
            None if self.force => Content::Known(self.compared(&get)?.to_vec()),
            None if target.existing.is_some() => return Ok(Found::Held(target)),
            _ => return Ok(Found::Other(target, Rc::new(get))),
        };
        let shown = self.headers.is_empty() && !get.address.is_confidential();
        Ok(Found::Compared { file: WholeFile::read(host, target)?, content, shown })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(match found {
            Found::Held(target) => target.plan_attributes(),
            // It is put in place with its attributes: nothing at all is changed if it can't be had.
            Found::Other(target, get) => vec![Box::new(Download {
                get: Rc::clone(get),
                checksum: self.checksum.clone(),
                target: target.clone(),
            })],
            Found::Compared { file, content, shown } => file.plan(content.clone(), *shown),
        })
    }
}

fn both() -> Failure {
    Failure::argument("force", "`force` and `checksum` can't go together")
        .advise("with a checksum, the file is downloaded whenever it has another one")
}

impl FileDownload {
    fn get(&self, context: &Context<'_>) -> Result<Get, Failure> {
        let timeout = self.timeout.map_or(TIMEOUT, |timeout| timeout.0);
        Ok(Get {
            address: arguments::address(&self.url)?,
            headers: arguments::headers(&self.headers)?,
            proxies: arguments::proxies(context),
            timeout: context.materials.time_left().map_or(timeout, |left| timeout.min(left)),
            max_size: self.max_size,
        })
    }

    /// What is behind the URL, to compare it.
    fn compared(&self, get: &Get) -> Result<&[u8], Failure> {
        if let Some(content) = self.compared.get() {
            return Ok(content);
        }
        let content = download(get)?;
        Ok(self.compared.get_or_init(|| content))
    }
}

fn download(get: &Get) -> Result<Vec<u8>, Failure> {
    get.get().map_err(|error| error.failure(&get.address, get.timeout))
}

/// Downloads a file that is needed in any case.
struct Download {
    get: Rc<Get>,
    checksum: Option<Checksum>,
    target: FileTarget,
}

impl Step for Download {
    fn describe(&self) -> String {
        let (address, path) = (&self.get.address, self.target.path.display());
        format!("download {address} to {path} (mode {:04o})", self.target.attributes.mode)
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        overlay.write(&self.target.path, Content::Unknown, self.target.attributes)
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        let content = download(&self.get)?;
        if let Some(checksum) = &self.checksum
            && !checksum.is_of(&content)
        {
            let (address, got) = (&self.get.address, checksum.alike(&content));
            return Err(Failure::state(format!("`{address}` has the checksum {got}, not {checksum}"))
                .advise(
                    "if it was replaced there on purpose, take the checksum that its makers publish now",
                ));
        }
        system.write(&self.target.path, &content, self.target.attributes)
    }

    fn undo(&self) -> Undo {
        Undo::Restore(vec![self.target.path.clone()])
    }
}
