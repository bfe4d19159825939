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

fn utf8_only(call: &Call) -> Result<()> {
    let encoding = call.text("encoding", "utf-8")?;
    if matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "ascii") {
        return Ok(());
    }
    Err(fail(format!("the encoding `{encoding}` is not supported, only `utf-8`")))
}

fn encode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    utf8_only(call)?;
    Ok(Value::from(base64::encode(call.input()?.as_bytes())))
}

/// As lenient as Python: what is not of the alphabet is skipped.
fn decode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    utf8_only(call)?;
    let bytes = base64::decode(&call.input()?).ok_or_else(|| fail("not Base64: its padding is incorrect"))?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| fail("what it decodes to is not UTF-8 text"))
}
