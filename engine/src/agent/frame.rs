//! Frames: a length, then a value in MessagePack with field names.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shape;
use crate::printable;

/// What an agent's stream begins with: it tells the agent from the noise of a login shell.
pub const MAGIC: [u8; 4] = *b"\0RFR";

/// The largest frame that a controller takes from an agent, in bytes: what an agent says may not fill its memory.
pub const LARGEST_FROM_AGENT: usize = 16 * 1024 * 1024;

/// The largest frame that an agent takes from its controller, in bytes.
pub const LARGEST_FROM_CONTROLLER: usize = 1024 * 1024 * 1024;

/// A value as a frame.
///
/// # Errors
/// The value can't be written in this format, or is larger than 4 GiB.
pub fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    rmp_serde::encode::write_named(&mut frame, value).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// Writes a value as a frame.
///
/// # Errors
/// As [`encode`], or the stream is closed.
pub fn write(stream: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    stream.write_all(&encode(value)?)
}

/// Reads a frame. `None` at the end of the stream.
///
/// # Errors
/// The stream breaks off within a frame, or a frame is too large or not a `T`.
pub fn read<T: DeserializeOwned>(stream: &mut impl Read, largest: usize) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = checked(length, largest)?;
    let mut body = Vec::new();
    stream.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended within a frame"));
    }
    decode(&body).map(Some)
}

fn checked(length: [u8; 4], largest: usize) -> io::Result<usize> {
    let length = u32::from_be_bytes(length) as usize;
    if length > largest {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes, more than the {largest} that are allowed"),
        ));
    }
    Ok(length)
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    rmp_serde::from_slice(body).map_err(|error| senseless(&error.to_string()))
}

/// The reason may quote what was sent.
fn senseless(reason: &str) -> io::Error {
    let reason = printable::brief(reason, 200);
    io::Error::new(io::ErrorKind::InvalidData, format!("a frame without sense: {reason}"))
}

/// Frames put together from pieces that arrive as they please, from whoever.
#[derive(Debug, Default)]
pub struct Assembler {
    bytes: Vec<u8>,
    start: usize,
}

impl Assembler {
    /// Takes in what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// The frame is too large, too wide, too deep, or not a `T`.
    pub fn next<T: DeserializeOwned>(&mut self, largest: usize) -> io::Result<Option<T>> {
        let waiting = &self.bytes[self.start..];
        let Some((length, rest)) = waiting.split_first_chunk::<4>() else { return Ok(None) };
        let length = checked(*length, largest)?;
        let Some(body) = rest.get(..length) else { return Ok(None) };
        shape::check(body).map_err(|reason| senseless(&reason))?;
        let value = decode(body)?;
        self.start += 4 + length;
        Ok(Some(value))
    }

    /// How many bytes wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cut() {
        let values = ["one".to_owned(), String::new(), "three".repeat(100)];
        let stream: Vec<u8> = values.iter().flat_map(|value| encode(value).unwrap()).collect();
        for size in [1, 2, 3, 7, 1000] {
            let mut assembler = Assembler::default();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                assembler.push(piece);
                while let Some(value) = assembler.next::<String>(1000).unwrap() {
                    found.push(value);
                }
            }
            assert_eq!(found, values);
            assert_eq!(assembler.waiting(), 0);
        }
        let mut whole = &stream[..];
        assert_eq!(read::<String>(&mut whole, 1000).unwrap().as_deref(), Some("one"));
    }

    #[test]
    fn what_is_too_large_or_senseless_is_refused() {
        let frame = encode(&"x".repeat(100)).unwrap();
        let mut assembler = Assembler::default();
        assembler.push(&frame);
        assert!(assembler.next::<String>(50).unwrap_err().to_string().contains("more than the 50"));
        assert!(read::<u64>(&mut &frame[..], 1000).unwrap_err().to_string().contains("without sense"));
        assert!(read::<String>(&mut &frame[..50], 1000).is_err());
        assert!(read::<String>(&mut &[][..], 1000).unwrap().is_none());
    }
}
