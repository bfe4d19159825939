//! How much an archive may unpack to: a small one can hold the zeros of a whole disk.

use std::cell::Cell;
use std::io::{self, Read};

use super::error::ArchiveError;

/// What the smallest file takes on most disks.
const BLOCK: u64 = 4096;

/// The bytes that may still be unpacked.
#[derive(Debug)]
pub struct Allowance {
    limit: u64,
    /// For what comes out of the decompression, in memory.
    stream: Cell<u64>,
    /// For what is written, on the disk.
    disk: Cell<u64>,
    exceeded: Cell<bool>,
}

impl Allowance {
    /// At most `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, stream: Cell::new(limit), disk: Cell::new(limit), exceeded: Cell::new(false) }
    }

    /// Takes what an entry of this size takes on a disk: whole blocks, and one for itself.
    pub fn take_entry(&self, size: u64) -> Result<(), ArchiveError> {
        let blocks = size.div_ceil(BLOCK).saturating_add(1);
        self.take(&self.disk, blocks.saturating_mul(BLOCK))
    }

    fn take(&self, left: &Cell<u64>, bytes: u64) -> Result<(), ArchiveError> {
        match left.get().checked_sub(bytes) {
            Some(rest) => left.set(rest),
            None => {
                self.exceeded.set(true);
                return Err(self.too_large());
            }
        }
        Ok(())
    }

    fn too_large(&self) -> ArchiveError {
        ArchiveError::TooLarge(self.limit)
    }

    /// The same stream, which ends with an error where it becomes too long.
    pub fn limit<R: Read>(&self, stream: R) -> Limited<'_, R> {
        Limited { stream, allowance: self }
    }

    /// What a failed reading means.
    pub fn explain(&self, error: &io::Error) -> ArchiveError {
        // Who reads the stream may have replaced the error by one of its own.
        if self.exceeded.get() {
            return self.too_large();
        }
        ArchiveError::Damaged(refrain_engine::failure::reason(error))
    }
}

/// A stream that may only be so long.
pub struct Limited<'a, R> {
    stream: R,
    allowance: &'a Allowance,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.allowance.take(&self.allowance.stream, length as u64).map_err(io::Error::other)?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_take_whole_blocks() {
        let allowance = Allowance::new(5 * BLOCK);
        assert_eq!(allowance.take_entry(0), Ok(()));
        assert_eq!(allowance.take_entry(1), Ok(()));
        assert_eq!(allowance.take_entry(BLOCK + 1), Err(ArchiveError::TooLarge(5 * BLOCK)));
        assert!(allowance.take_entry(u64::MAX).is_err());
    }

    #[test]
    fn an_endless_stream_ends() {
        let allowance = Allowance::new(1000);
        let mut content = Vec::new();
        let error = allowance.limit(io::repeat(0)).read_to_end(&mut content).unwrap_err();
        assert!(content.len() <= 1000);
        assert_eq!(allowance.explain(&error), ArchiveError::TooLarge(1000));
        let other = Allowance::new(1000).explain(&io::Error::other("odd"));
        assert_eq!(other, ArchiveError::Damaged("odd".to_owned()));
    }
}
