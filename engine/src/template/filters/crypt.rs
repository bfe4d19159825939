//! `password_hash`: passwords as crypt(5) has them.

use md5::Md5;
use minijinja::{Error, State, Value};
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

use super::bcrypt;
use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::python;
use crate::template::python_random::Random;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[callable(
    "password_hash",
    &["value", "hashtype", "salt", "salt_size", "rounds", "ident"],
    password_hash,
)];

/// The digits of crypt's numbers in base 64.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn password_hash(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let kind = call.text("hashtype", "sha512")?;
    let kind = kind.strip_suffix("_crypt").unwrap_or(&kind);
    let longest_salt = match kind {
        "sha512" | "sha256" => 16,
        "md5" => 8,
        "bcrypt" | "blowfish" => return bcrypt_hash(call),
        _ => {
            let known = ["sha512", "sha256", "md5", "bcrypt", "blowfish"];
            return Err(unknown(format!("unknown hash `{kind}`"), kind, known));
        }
    };
    let password = call.value()?.as_str().ok_or_else(|| fail("a password is a text"))?;
    let salt = salt(call, longest_salt)?;
    let rounds = call.integer("rounds")?.filter(|rounds| *rounds != 0);
    let sha = |default: u32| match rounds.map_or(Ok(default), u32::try_from) {
        Ok(rounds @ 1000..=999_999_999) => Ok(rounds),
        _ => Err(fail("`rounds` is a number from 1000 to 999999999")),
    };
    Ok(Value::from(match kind {
        "sha512" => {
            let rounds = sha(656_000)?;
            let hash = sha_crypt::<Sha512>(password.as_bytes(), salt.as_bytes(), rounds);
            format!("$6${}{salt}${}", shown(rounds), sha512_digits(&hash))
        }
        "sha256" => {
            let rounds = sha(535_000)?;
            let hash = sha_crypt::<Sha256>(password.as_bytes(), salt.as_bytes(), rounds);
            format!("$5${}{salt}${}", shown(rounds), sha256_digits(&hash))
        }
        _ => format!("$1${salt}${}", md5_crypt(password.as_bytes(), salt.as_bytes())),
    }))
}

fn bcrypt_hash(call: &Call) -> Result<Value> {
    let password = call.value()?.as_str().filter(|text| !text.contains('\0'));
    let password = password.ok_or_else(|| fail("a password is a text"))?;
    let rounds = call.integer("rounds")?.filter(|rounds| *rounds != 0).map_or(Ok(12), u32::try_from);
    let rounds = rounds.ok().filter(|rounds| (4..=31).contains(rounds));
    let rounds = rounds.ok_or_else(|| fail("`rounds` is a number from 4 to 31"))?;
    let ident = call.some("ident").map_or(Ok("2b".to_owned()), python::text)?;
    if !["2a", "2b", "2y"].contains(&ident.as_str()) {
        return Err(unknown(format!("unknown `ident` `{ident}`"), &ident, ["2a", "2b", "2y"]));
    }
    let hash = bcrypt::hash(password, &salt(call, bcrypt::SALT)?, rounds, &ident);
    hash.map(Value::from).ok_or_else(|| fail(format!("a salt for bcrypt has {} characters", bcrypt::SALT)))
}

fn salt(call: &Call, longest: usize) -> Result<String> {
    let size = call.integer("salt_size")?.and_then(|size| usize::try_from(size).ok());
    if size.is_some_and(|size| size > longest) {
        return Err(fail(format!("a salt has at most {longest} characters")));
    }
    let Some(salt) = call.some("salt").filter(|salt| salt.is_true()) else {
        let mut random = Random::unseeded();
        // What is drawn is below the number of digits.
        let digit = |drawn: u128| char::from(DIGITS[usize::try_from(drawn).unwrap_or(0)]);
        return Ok((0..size.unwrap_or(longest)).map(|_| digit(random.below(64))).collect());
    };
    let salt = python::text(salt)?;
    if salt.len() > longest || !salt.bytes().all(|byte| DIGITS.contains(&byte)) {
        return Err(fail(format!("a salt has at most {longest} letters, digits, `.` and `/`")));
    }
    Ok(salt)
}

/// 5000 rounds are the ones that are meant where none are said.
fn shown(rounds: u32) -> String {
    if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") }
}

/// Drepper's "Unix crypt using SHA-256 and SHA-512".
fn sha_crypt<D: Digest>(key: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let alternate = D::new().chain_update(key).chain_update(salt).chain_update(key).finalize().to_vec();
    let mut first = D::new().chain_update(key).chain_update(salt);
    first.update(repeated(&alternate, key.len()));
    let mut bits = key.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &alternate } else { key });
        bits >>= 1;
    }
    let mut hash = first.finalize().to_vec();
    let keys = (0..key.len()).fold(D::new(), |digest, _| digest.chain_update(key)).finalize();
    let keys = repeated(&keys, key.len());
    let salts =
        (0..16 + usize::from(hash[0])).fold(D::new(), |digest, _| digest.chain_update(salt)).finalize();
    let salts = repeated(&salts, salt.len());
    for round in 0..rounds {
        let odd = round & 1 == 1;
        let mut next = D::new();
        next.update(if odd { keys.as_slice() } else { &hash });
        if round % 3 != 0 {
            next.update(&salts);
        }
        if round % 7 != 0 {
            next.update(&keys);
        }
        next.update(if odd { hash.as_slice() } else { &keys });
        hash = next.finalize().to_vec();
    }
    hash
}

/// Bytes over and over, to a length.
fn repeated(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}

fn sha512_digits(hash: &[u8]) -> String {
    let mut out = String::new();
    for at in 0..21 {
        let mut three = [hash[at], hash[at + 21], hash[at + 42]];
        three.rotate_left(at % 3);
        digits(&mut out, three, 4);
    }
    digits(&mut out, [0, 0, hash[63]], 2);
    out
}

fn sha256_digits(hash: &[u8]) -> String {
    let mut out = String::new();
    for at in 0..10 {
        let mut three = [hash[at], hash[at + 10], hash[at + 20]];
        three.rotate_right(at % 3);
        digits(&mut out, three, 4);
    }
    digits(&mut out, [0, hash[31], hash[30]], 3);
    out
}

/// Poul-Henning Kamp's hash.
fn md5_crypt(key: &[u8], salt: &[u8]) -> String {
    let alternate = Md5::new().chain_update(key).chain_update(salt).chain_update(key).finalize();
    let mut first = Md5::new().chain_update(key).chain_update(b"$1$").chain_update(salt);
    first.update(repeated(&alternate, key.len()));
    let mut bits = key.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0] } else { &key[..1] });
        bits >>= 1;
    }
    let mut hash = first.finalize().to_vec();
    for round in 0..1000 {
        let odd = round & 1 == 1;
        let mut next = Md5::new();
        next.update(if odd { key } else { hash.as_slice() });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(key);
        }
        next.update(if odd { hash.as_slice() } else { key });
        hash = next.finalize().to_vec();
    }
    let mut out = String::new();
    for (at, last) in [(0, 12), (1, 13), (2, 14), (3, 15), (4, 5)] {
        digits(&mut out, [hash[at], hash[at + 6], hash[last]], 4);
    }
    digits(&mut out, [0, 0, hash[11]], 2);
    out
}

/// Three bytes as so many digits, the lowest first.
fn digits(out: &mut String, bytes: [u8; 3], count: usize) {
    let mut number = bytes.iter().fold(0usize, |number, byte| (number << 8) | usize::from(*byte));
    for _ in 0..count {
        out.push(char::from(DIGITS[number & 0x3f]));
        number >>= 6;
    }
}
