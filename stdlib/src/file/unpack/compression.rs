//! Compressed streams: which one it is, and what is in it.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// What `xz -9` needs to be unpacked, and some more, in KiB.
const XZ_MEMORY: u32 = 256 * 1024;
/// The window of `zstd --ultra -22 --long=27`, in bytes.
const ZSTD_WINDOW: u64 = 128 * 1024 * 1024;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// Tells it by the first bytes. Absent when it is none of these.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A frame to skip, as `pzstd` writes it first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// What is in the stream. Reading it to the end also checks its checksums.
    pub fn reader(self, bytes: &[u8]) -> Box<dyn Read + '_> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(bytes)),
            Self::Xz => Box::new(XzReader::new_mem_limit(bytes, true, XZ_MEMORY)),
            Self::Zstd => Box::new(ZstdReader { rest: bytes, frame: None }),
        }
    }
}

/// The frames of a Zstandard stream, one after the other.
struct ZstdReader<'a> {
    /// What comes after the frame that is being read.
    rest: &'a [u8],
    frame: Option<StreamingDecoder<&'a [u8], FrameDecoder>>,
}

impl ZstdReader<'_> {
    /// Begins the next frame. Returns whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.rest.is_empty() {
            match StreamingDecoder::new_with_max_window_size(self.rest, ZSTD_WINDOW) {
                Ok(frame) => {
                    self.frame = Some(frame);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let header_and_content = 8 + length as usize;
                    if header_and_content > self.rest.len() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.rest.consume(header_and_content);
                }
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        Ok(false)
    }
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(frame) = &mut self.frame else {
                if self.begin()? {
                    continue;
                }
                return Ok(0);
            };
            let length = frame.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            if let Some(expected) = frame.decoder.get_checksum_from_data()
                && frame.decoder.get_calculated_checksum() != Some(expected)
            {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "wrong checksum"));
            }
            self.rest = frame.get_ref();
            self.frame = None;
        }
    }
}
