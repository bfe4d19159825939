//! This program's own executable, as it is put on hosts.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::cache;
use crate::failure::reason;

/// Where the kernel keeps the running program, even when its file has been replaced since.
const OWN: &str = "/proc/self/exe";

/// The program that is put on a host as its agent: its content, hash and compressed copy, each made once and only when it
/// is needed.
#[derive(Debug, Default)]
pub struct AgentBinary {
    hash: OnceLock<Result<String, String>>,
    compressed: OnceLock<Result<Vec<u8>, String>>,
}

impl AgentBinary {
    /// This program's own executable. Its hash is computed in a thread of its own, while the connection is made.
    pub fn own() -> Arc<Self> {
        let own = Arc::new(Self::default());
        let hashed = Arc::clone(&own);
        // Without a thread to be had, whoever needs the hash first computes it.
        let _ = thread::Builder::new().spawn(move || hashed.hash().map(drop));
        own
    }

    /// What the content is known by in the caches of hosts (BLAKE3, hexadecimal).
    ///
    /// # Errors
    /// The executable can't be read: the system's words.
    pub fn hash(&self) -> Result<&str, String> {
        let hash = self.hash.get_or_init(|| hash(Path::new(OWN)).map_err(|error| reason(&error)));
        hash.as_deref().map_err(Clone::clone)
    }

    /// The content.
    ///
    /// # Errors
    /// The executable can't be read: the system's words.
    pub fn content(&self) -> Result<Vec<u8>, String> {
        fs::read(OWN).map_err(|error| reason(&error))
    }

    /// The content as gzip has it.
    ///
    /// # Errors
    /// The executable can't be read: the system's words.
    pub fn compressed(&self) -> Result<&[u8], String> {
        let compressed = self.compressed.get_or_init(|| compress(&self.content()?));
        compressed.as_deref().map_err(Clone::clone)
    }

    /// The kind of machine it runs on, as `uname -sm` has it: `Linux x86_64`.
    pub fn machine() -> String {
        let names = rustix::system::uname();
        format!("{} {}", names.sysname().to_string_lossy(), names.machine().to_string_lossy())
    }
}

fn hash(path: &Path) -> io::Result<String> {
    // An agent is told by its name: the cache in which it lies is nobody else's.
    if let Some(name) = fs::read_link(path)?.file_name().and_then(OsStr::to_str)
        && let Some(hash) = cache::hash_of(name)
    {
        return Ok(hash.to_owned());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Compresses quickly: better compression costs more time here than it saves on all but the slowest lines.
fn compress(content: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 2), Compression::fast());
    encoder.write_all(content).and_then(|()| encoder.finish()).map_err(|error| reason(&error))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_hash_and_the_compressed_copy_are_those_of_this_program() {
        let own = AgentBinary::own();
        let content = own.content().unwrap();
        assert_eq!(own.hash().unwrap(), blake3::hash(&content).to_hex().as_str());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(own.compressed().unwrap()).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == content, "the compressed copy unpacks to something else");
    }
}
