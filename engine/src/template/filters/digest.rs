//! Checksums and Base64.

use md5::Md5;
use minijinja::{Error, State, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::template::arguments::{Call, Callable, callable, fail, unknown};

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("hash", &["value", "hashtype"], |_, call| hash(call, &call.text("hashtype", "sha1")?)),
    callable("md5", &["value"], |_, call| hash(call, "md5")),
    callable("sha1", &["value"], |_, call| hash(call, "sha1")),
    callable("checksum", &["value"], |_, call| hash(call, "sha1")),
    callable("b64encode", &["value", "encoding"], encode),
    callable("b64decode", &["value", "encoding"], decode),
];

fn hash(call: &Call, kind: &str) -> Result<Value> {
    let data = call.input()?;
    Ok(Value::from(match kind.to_ascii_lowercase().as_str() {
        "md5" => hex(&Md5::digest(data.as_bytes())),
        "sha1" => hex(&Sha1::digest(data.as_bytes())),
        "sha224" => hex(&Sha224::digest(data.as_bytes())),
        "sha256" => hex(&Sha256::digest(data.as_bytes())),
        "sha384" => hex(&Sha384::digest(data.as_bytes())),
        "sha512" => hex(&Sha512::digest(data.as_bytes())),
        _ => {
            let known = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
            return Err(unknown(format!("unknown hash `{kind}`"), kind, known));
        }
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn utf8_only(call: &Call) -> Result<()> {
    let encoding = call.text("encoding", "utf-8")?;
    if matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "ascii") {
        return Ok(());
    }
    Err(fail(format!("the encoding `{encoding}` is not supported, only `utf-8`")))
}

fn encode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    utf8_only(call)?;
    let data = call.input()?;
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            out.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[digit]) });
        }
    }
    Ok(Value::from(out))
}

/// As lenient as Python: what is not of the alphabet is skipped.
fn decode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    utf8_only(call)?;
    let text = call.input()?;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0u32, 0, 0);
    for byte in text.bytes() {
        if byte == b'=' {
            padding += 1;
            if count % 4 >= 2 && count % 4 + padding >= 4 {
                break;
            }
            continue;
        }
        let Some(digit) = ALPHABET.iter().position(|known| *known == byte) else { continue };
        padding = 0;
        bits = bits << 6 | digit as u32;
        count += 1;
        if count % 4 != 1 {
            let left = [0, 0, 4, 2][count % 4];
            out.push((bits >> left & 0xff) as u8);
        }
    }
    if count % 4 == 1 || (count % 4 != 0 && count % 4 + padding < 4) {
        return Err(fail("not Base64: its padding is incorrect"));
    }
    String::from_utf8(out).map(Value::from).map_err(|_| fail("what it decodes to is not UTF-8 text"))
}
