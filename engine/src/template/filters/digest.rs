//! Checksums and Base64.

use md5::Md5;
use minijinja::{Error, State, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::base64;
use crate::template::arguments::{Call, Callable, callable, fail, unknown};

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("hash", &["value", "hashtype"], |_, call| hash(call, &call.text("hashtype", "sha1")?)),
    callable("md5", &["value"], |_, call| hash(call, "md5")),
    callable("sha1", &["value"], |_, call| hash(call, "sha1")),
    callable("checksum", &["value"], |_, call| hash(call, "sha1")),
    callable("to_uuid", &["value", "namespace"], to_uuid),
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

/// A name in a namespace as RFC 4122 hashes it with SHA-1.
fn to_uuid(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let namespace = call.text("namespace", "361e6d51-faec-444a-9079-341386da8e2e")?;
    let digits: Vec<u8> = namespace
        .trim_start_matches("urn:")
        .trim_start_matches("uuid:")
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b'{' | b'}'))
        .collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 16 && digits.len() == 32);
    let bytes = bytes.ok_or_else(|| fail(format!("the namespace `{namespace}` is not a UUID")))?;
    let mut hash = Sha1::new().chain_update(bytes).chain_update(call.input()?).finalize();
    hash[6] = (hash[6] & 0x0f) | 0x50;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    let hex = hex(&hash[..16]);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(Value::from(parts.join("-")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text in one of the encodings that people meet.
fn encoded(text: &str, encoding: &str) -> Result<Vec<u8>> {
    let narrow = |limit: u32| {
        let byte = |c: char| u8::try_from(u32::from(c)).ok().filter(|byte| u32::from(*byte) < limit);
        let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
        bytes.ok_or_else(|| fail(format!("it has characters that `{encoding}` has not")))
    };
    match spelled(encoding).as_str() {
        "utf8" => Ok(text.as_bytes().to_vec()),
        "utf16le" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf16be" => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        "ascii" => narrow(0x80),
        "latin1" | "iso88591" => narrow(0x100),
        _ => Err(unknown_encoding(encoding)),
    }
}

fn decoded(bytes: Vec<u8>, encoding: &str) -> Result<String> {
    let wrong = || fail(format!("what it decodes to is not `{encoding}` text"));
    let wide = |of: fn([u8; 2]) -> u16| {
        let units = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(of).map_err(|_| wrong()));
        String::from_utf16(&units.collect::<Result<Vec<u16>>>()?).map_err(|_| wrong())
    };
    match spelled(encoding).as_str() {
        "utf16le" => wide(u16::from_le_bytes),
        "utf16be" => wide(u16::from_be_bytes),
        "latin1" | "iso88591" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        "ascii" if !bytes.is_ascii() => Err(wrong()),
        "utf8" | "ascii" => String::from_utf8(bytes).map_err(|_| wrong()),
        _ => Err(unknown_encoding(encoding)),
    }
}

/// Python takes `utf-8`, `UTF_8`, `utf8`.
fn spelled(encoding: &str) -> String {
    encoding.to_ascii_lowercase().replace(['-', '_'], "")
}

fn unknown_encoding(encoding: &str) -> Error {
    let known = ["utf-8", "utf-16-le", "utf-16-be", "ascii", "latin-1"];
    unknown(format!("the encoding `{encoding}` is not supported"), encoding, known)
}

fn encode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    Ok(Value::from(base64::encode(&encoded(&call.input()?, &call.text("encoding", "utf-8")?)?)))
}

/// As lenient as Python: what is not of the alphabet is skipped.
fn decode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let bytes = base64::decode(&call.input()?).ok_or_else(|| fail("not Base64: its padding is incorrect"))?;
    decoded(bytes, &call.text("encoding", "utf-8")?).map(Value::from)
}
