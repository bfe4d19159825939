//! Archives that no program would make.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar archive, header by header.
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn file(self, name: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(name, mode, b'0', "", content.len() as u64).content(content)
    }

    pub fn directory(self, name: &str, mode: u32) -> Self {
        self.entry(name, mode, b'5', "", 0)
    }

    pub fn link(self, name: &str, target: &str) -> Self {
        self.entry(name, 0o777, b'2', target, 0)
    }

    pub fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(name, 0o644, b'1', target, 0)
    }

    pub fn device(self, name: &str) -> Self {
        self.entry(name, 0o666, b'3', "", 0)
    }

    pub fn pipe(self, name: &str) -> Self {
        self.entry(name, 0o666, b'6', "", 0)
    }

    /// A file that says to have this size.
    pub fn of_size(self, name: &str, size: u64) -> Self {
        self.entry(name, 0o644, b'0', "", size)
    }

    /// With the two blocks of zeros at its end.
    pub fn bytes(&self) -> Vec<u8> {
        [self.0.as_slice(), &[0; 1024]].concat()
    }

    pub fn gzip(&self) -> Vec<u8> {
        gzip(&self.bytes())
    }

    fn entry(mut self, name: &str, mode: u32, kind: u8, target: &str, size: u64) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header.set_mode(mode);
        header.set_size(size);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive of stored entries: name, mode (0 for one that was made on Windows) and content.
pub fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, mode, content) in entries {
        let offset = u32::try_from(archive.len()).unwrap();
        let (size, length) = (u32::try_from(content.len()).unwrap(), u16::try_from(name.len()).unwrap());
        let mut common = Vec::new();
        // Version needed, flags, method, time, date.
        for field in [20_u16, 0, 0, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [rawzip::crc32(content), size, size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        archive.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), content].concat());
        let system: u8 = if *mode == 0 { 0 } else { 3 };
        directory.extend([b"PK\x01\x02", [20, system].as_slice(), &common].concat());
        // Comment, disk, internal attributes.
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = u32::try_from(archive.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    archive.extend(&directory);
    archive.extend(
        [b"PK\x05\x06", [0; 4].as_slice(), &count, &count, &size, &start.to_le_bytes(), &[0; 2]].concat(),
    );
    archive
}
