//! Reading tar.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;

use tar::{Archive, Entry, EntryType};

use super::entries::{Collector, Item, Stop};
use super::error::ArchiveError;

/// The size of a header.
pub const HEADER: usize = 512;

/// Whether these are the first bytes of a tar archive: its header says its own checksum.
pub fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..HEADER) else { return false };
    let header = tar::Header::from_byte_slice(header);
    let is_checksum = |(place, _): &(usize, &u8)| (148..156).contains(place);
    let bytes = header.as_bytes();
    let sum: u32 = bytes
        .iter()
        .enumerate()
        .map(|byte| if is_checksum(&byte) { u32::from(b' ') } else { u32::from(*byte.1) })
        .sum();
    // A block of zeros is the end of an empty archive.
    header.cksum().is_ok_and(|checksum| checksum == sum) || bytes.iter().all(|byte| *byte == 0)
}

/// Takes in all entries.
pub fn read(stream: impl Read, collector: &mut Collector<'_>) -> Result<(), Stop> {
    let allowance = collector.allowance;
    let damaged = |error: &io::Error| Stop::Archive(allowance.explain(error));
    let mut archive = Archive::new(allowance.limit(stream));
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        read_entry(entry.map_err(|error| damaged(&error))?, collector)?;
    }
    // What comes after the last entry holds the checksums of the compression.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| damaged(&error))?;
    Ok(())
}

fn read_entry(mut entry: Entry<'_, impl Read>, collector: &mut Collector<'_>) -> Result<(), Stop> {
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(());
    }
    let name = entry.path_bytes().into_owned();
    let Some(place) = collector.selection.place(&name)? else { return Ok(()) };
    if has_holes_of_pax(&mut entry).map_err(|error| collector.allowance.explain(&error))? {
        return Err(
            ArchiveError::Special { path: place, kind: "file with holes in the format of pax" }.into()
        );
    }
    let mode = entry.header().mode().map_err(|error| collector.allowance.explain(&error))?;
    let target = || entry.link_name_bytes().unwrap_or_default().into_owned();
    match kind {
        EntryType::Directory => collector.add(place, mode, Item::Directory),
        // Before POSIX, a slash at the end was all that made a directory.
        EntryType::Regular if name.ends_with(b"/") => collector.add(place, mode, Item::Directory),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            collector.add_file(place, mode, entry.size(), entry)
        }
        EntryType::Symlink => collector.add(place, mode, Item::Link(OsString::from_vec(target()).into())),
        EntryType::Link => collector.add_hard_link(place, mode, &target()),
        other => Err(ArchiveError::Special { path: place, kind: word(other) }.into()),
    }
}

/// Whether GNU tar left out a file's holes and tells where they were in extended headers, and in the content itself.
fn has_holes_of_pax(entry: &mut Entry<'_, impl Read>) -> io::Result<bool> {
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        if extension?.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn word(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "named pipe",
        _ => "thing of unknown kind",
    }
}
