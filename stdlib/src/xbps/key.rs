//! `xbps::key`.

use refrain_engine::base64;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fingerprint::Fingerprint;
use super::placed_file::PlacedFile;
use super::plist;
use super::trust::key_file;

/// Trusts a key with which repositories are signed.
///
/// ```rhai
/// xbps::key("60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d", "void.plist");
/// ```
///
/// The key is a file of the play: the property list that xbps keeps in `/var/db/xbps/keys`, copied from a host that is known to
/// have the right one. Its fingerprint is declared beside it and compared, so that nobody trusts a key by its
/// file's name alone. xbps would ask that when it meets a new key; refrain never answers that question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The fingerprint of the key, as xbps shows it: 16 bytes in hexadecimal digits, between colons.
    fingerprint: Fingerprint,
    /// The file of the play that holds the key, in `files/` beside the role or playbook.
    #[schemars(extend("x-source" = "file"))]
    source: String,
}

/// The file on the host, and what it shall hold.
#[derive(Debug)]
pub struct Found {
    file: PlacedFile,
    content: Vec<u8>,
}

impl State for Key {
    const NAME: &'static str = "xbps::key";
    const POSITIONAL: &'static [&'static str] = &["fingerprint", "source"];
    type Found = Found;

    fn subject(&self) -> String {
        self.fingerprint.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let content = context.materials.file(&self.source)?;
        let found = fingerprint_in(&content).map_err(|why| {
            Failure::argument("source", format!("`{}` holds no key of xbps: {why}", self.source))
                .advise("such a file is in `/var/db/xbps/keys` of a host that trusts the key")
        })?;
        if found != self.fingerprint {
            return Err(Failure::argument(
                "fingerprint",
                format!("the key in `{}` has another fingerprint: {found}", self.source),
            )
            .advise("find out which of the two is right, from a source that you trust"));
        }
        Ok(Found { file: PlacedFile::look(context.host, &key_file(&self.fingerprint.to_string()))?, content })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(found.file.plan(found.content.clone()))
    }
}

/// The fingerprint of the key in a property list.
fn fingerprint_in(list: &[u8]) -> Result<Fingerprint, String> {
    let list = plist::parse(&String::from_utf8_lossy(list)).map_err(|error| error.to_string())?;
    let data = list["public-key"].as_str().ok_or("there is no `public-key` in it")?;
    let text = base64::decode(data).ok_or("its `public-key` is not in base64")?;
    Fingerprint::of_pem(&String::from_utf8_lossy(&text))
}
