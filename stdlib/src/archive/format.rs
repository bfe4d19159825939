//! The formats of archives, written so that the same members give the same bytes.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use lzma_rust2::{XzOptions, XzWriter};
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter, ZipDataWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use schemars::JsonSchema;
use serde::Deserialize;

use super::members::{Body, Member};

/// How hard xz works: its own default.
const XZ_PRESET: u32 = 6;

/// What a link is in a zip archive: the kind of file in the mode.
const ZIP_LINK: u32 = 0o120_000;
/// What a file is there.
const ZIP_FILE: u32 = 0o100_000;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Format {
    /// tar without compression.
    #[serde(rename = "tar")]
    Tar,
    /// tar, compressed with gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// tar, compressed with xz.
    #[serde(rename = "tar.xz")]
    TarXz,
    /// tar, compressed with zstd.
    #[serde(rename = "tar.zst")]
    TarZst,
    /// zip.
    #[serde(rename = "zip")]
    Zip,
}

impl Format {
    /// The format that the ending of a path means. Absent for other endings.
    pub fn of(path: &Path) -> Option<Self> {
        let endings = [
            (".tar", Self::Tar),
            (".tar.gz", Self::TarGz),
            (".tgz", Self::TarGz),
            (".tar.xz", Self::TarXz),
            (".txz", Self::TarXz),
            (".tar.zst", Self::TarZst),
            (".zip", Self::Zip),
        ];
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        endings.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }

    /// The archive of these members.
    ///
    /// # Errors
    /// A name is too long for the format.
    pub fn pack(self, members: &[Member]) -> io::Result<Vec<u8>> {
        match self {
            Self::Tar => tar(members),
            Self::TarGz => {
                // Its header has no time and no name.
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(&tar(members)?)?;
                encoder.finish()
            }
            Self::TarXz => {
                let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(XZ_PRESET))?;
                encoder.write_all(&tar(members)?)?;
                encoder.finish()
            }
            Self::TarZst => Ok(compress_to_vec(&tar(members)?[..], CompressionLevel::Fastest)),
            Self::Zip => zip(members).map_err(|error| io::Error::other(error.to_string())),
        }
    }
}

fn tar(members: &[Member]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for Member { name, body, attributes, modified } in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(attributes.mode);
        header.set_uid(attributes.uid.into());
        header.set_gid(attributes.gid.into());
        header.set_mtime(*modified);
        header.set_size(0);
        match body {
            Body::Directory => {
                header.set_entry_type(tar::EntryType::Directory);
                builder.append_data(&mut header, name, io::empty())?;
            }
            Body::File(content) => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, name, &content[..])?;
            }
            Body::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, name, target)?;
            }
        }
    }
    builder.into_inner()
}

fn zip(members: &[Member]) -> Result<Vec<u8>, rawzip::Error> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for Member { name, body, attributes, modified } in members {
        let name = name.to_string_lossy();
        let time = UtcDateTime::from_unix(i64::try_from(*modified).unwrap_or_default());
        let content = match body {
            Body::Directory => {
                archive.new_dir(&*format!("{name}/")).unix_permissions(attributes.mode).create()?;
                continue;
            }
            Body::File(content) => &content[..],
            Body::Link(target) => target.as_os_str().as_bytes(),
        };
        let kind = if matches!(body, Body::Link(_)) { ZIP_LINK } else { ZIP_FILE };
        let (mut entry, config) = archive
            .new_file(&*name)
            .compression_method(CompressionMethod::DEFLATE)
            .last_modified(time)
            .unix_permissions(kind | attributes.mode)
            .start()?;
        let mut writer: ZipDataWriter<_> =
            config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(content)?;
        let (encoder, output) = writer.finish()?;
        encoder.finish()?;
        entry.finish(output)?;
    }
    archive.finish()
}
