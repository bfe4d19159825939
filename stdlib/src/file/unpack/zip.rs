//! Reading zip.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, Error, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::entries::{Collector, Item, Stop};
use super::error::ArchiveError;

/// The longest target that a link can have on Linux.
const LONGEST_TARGET: u64 = 4096;
/// The modes of what was packed on a system that has none.
const FILE: u32 = 0o644;
const DIRECTORY: u32 = 0o755;

const KIND: u32 = 0o170_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_DIRECTORY: u32 = 0o040_000;

/// Whether these are the first bytes of a zip archive, maybe an empty one.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Takes in all entries.
pub fn read(bytes: &[u8], collector: &mut Collector<'_>) -> Result<(), Stop> {
    let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        read_entry(&archive, &entry, collector)?;
    }
    Ok(())
}

fn damaged(error: Error) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

fn read_entry(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let Some(place) = collector.selection.place(entry.file_path().as_bytes())? else { return Ok(()) };
    let mode = mode(entry);
    match mode & KIND {
        _ if entry.is_dir() => Ok(collector.add(place, mode, Item::Directory)?),
        KIND_DIRECTORY => Ok(collector.add(place, mode, Item::Directory)?),
        _ if entry.mode().is_symlink() => {
            let target = target(archive, entry, &place, collector)?;
            collector.add(place, mode, Item::Link(target))
        }
        KIND_FILE => with_content(archive, entry, &place.clone(), |content| {
            collector.add_file(place, mode, entry.uncompressed_size_hint(), content)
        }),
        _ => Err(ArchiveError::Special { path: place, kind: "special file" }.into()),
    }
}

/// Kind and permissions. What was packed on Windows has the usual ones.
fn mode(entry: &ZipFileHeaderRecord<'_>) -> u32 {
    let mode = entry.mode().value();
    let is_unix = matches!(
        entry.version_made_by().creator_system(),
        rawzip::CreatorSystem::UNIX | rawzip::CreatorSystem::MACOS
    );
    if is_unix && mode & 0o7777 != 0 {
        return mode;
    }
    let usual = if entry.is_dir() { DIRECTORY } else { FILE };
    let kind = if mode & KIND == 0 { KIND_FILE } else { mode & KIND };
    kind | usual
}

fn target(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    place: &Path,
    collector: &Collector<'_>,
) -> Result<PathBuf, Stop> {
    let size = entry.uncompressed_size_hint();
    if size > LONGEST_TARGET {
        return Err(ArchiveError::Damaged(format!("the link `{}` is too long", place.display())).into());
    }
    let mut target = Vec::new();
    with_content(archive, entry, place, |content| {
        target = collector.read(place, size, content)?;
        Ok(())
    })?;
    Ok(OsString::from_vec(target).into())
}

/// Hands on the content of an entry, which is checked against its checksum while it is read.
fn with_content(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    place: &Path,
    take: impl FnOnce(&mut dyn std::io::Read) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if entry.flags().is_encrypted() {
        return Err(ArchiveError::Encrypted(place.to_owned()).into());
    }
    let packed = archive.get_entry(entry.wayfinder()).map_err(damaged)?;
    match entry.compression_method() {
        CompressionMethod::STORE => take(&mut packed.verifying_reader(packed.data())),
        CompressionMethod::DEFLATE => take(&mut packed.verifying_reader(DeflateDecoder::new(packed.data()))),
        other => Err(ArchiveError::Method { path: place.to_owned(), method: other.as_u16() }.into()),
    }
}
