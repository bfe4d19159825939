//! Python's `random.Random`: the same numbers for the same seed.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use sha2::{Digest, Sha512};

use super::arguments::fail;
use super::python;

const N: usize = 624;
const M: usize = 397;

/// A Mersenne Twister, MT19937.
pub(super) struct Random {
    state: Box<[u32; N]>,
    at: usize,
}

impl Random {
    /// The generator of a seed as Python takes it: a number or a text.
    pub fn of(seed: &Value) -> Result<Self, Error> {
        let key = match seed.kind() {
            ValueKind::Number if !seed.is_integer() => {
                float_hash(f64::try_from(seed.clone())?).to_be_bytes().to_vec()
            }
            ValueKind::Number | ValueKind::Bool => {
                i128::try_from(seed.clone())?.unsigned_abs().to_be_bytes().to_vec()
            }
            ValueKind::String => {
                let text = seed.as_str().unwrap_or_default().as_bytes();
                [text, &Sha512::digest(text)].concat()
            }
            _ => return Err(fail(format!("a seed is a number or a text, not {}", python::type_name(seed)))),
        };
        Ok(Self::of_number(&key))
    }

    /// A generator that nobody can foretell.
    pub fn unseeded() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let key: Vec<u8> = (0..8u64).flat_map(|n| RandomState::new().hash_one(n).to_be_bytes()).collect();
        Self::of_number(&key)
    }

    /// The seed as the bytes of a number, the highest first.
    fn of_number(bytes: &[u8]) -> Self {
        let mut words: Vec<u32> = bytes
            .rchunks(4)
            .map(|word| word.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)))
            .collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        let mut random = Self::of_word(19_650_218);
        random.mix(&words);
        random
    }

    fn of_word(word: u32) -> Self {
        let mut state = Box::new([0; N]);
        let mut last = word;
        for (at, slot) in (0u32..).zip(state.iter_mut()) {
            if at > 0 {
                last = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(at);
            }
            *slot = last;
        }
        Self { state, at: N }
    }

    fn mix(&mut self, key: &[u32]) {
        let state = &mut *self.state;
        let mut i = 1;
        let mut j = 0;
        for _ in 0..N.max(key.len()) {
            let last = state[i - 1];
            let mixed = state[i] ^ (last ^ (last >> 30)).wrapping_mul(1_664_525);
            // A key is shorter than any 32-bit number.
            state[i] = mixed.wrapping_add(key[j]).wrapping_add(u32::try_from(j).unwrap_or(0));
            i += 1;
            j = (j + 1) % key.len();
            if i == N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        for _ in 1..N {
            let last = state[i - 1];
            let mixed = state[i] ^ (last ^ (last >> 30)).wrapping_mul(1_566_083_941);
            state[i] = mixed.wrapping_sub(u32::try_from(i).unwrap_or(0));
            i += 1;
            if i == N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
    }

    fn word(&mut self) -> u32 {
        if self.at >= N {
            self.refill();
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn refill(&mut self) {
        let state = &mut *self.state;
        for at in 0..N {
            let y = (state[at] & 0x8000_0000) | (state[(at + 1) % N] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            state[at] = state[(at + M) % N] ^ (y >> 1) ^ odd;
        }
        self.at = 0;
    }

    /// A number of so many bits.
    fn bits(&mut self, count: u32) -> u128 {
        let mut out = 0;
        let mut done = 0;
        while done < count {
            let take = (count - done).min(32);
            out |= u128::from(self.word() >> (32 - take)) << done;
            done += take;
        }
        out
    }

    /// A number from 0 to `limit`, without it. `limit` is at least 1.
    pub fn below(&mut self, limit: u128) -> u128 {
        let bits = u128::BITS - limit.leading_zeros();
        loop {
            let number = self.bits(bits);
            if number < limit {
                return number;
            }
        }
    }

    /// Puts items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            // It is below the length of a list.
            let other = usize::try_from(self.below(at as u128 + 1)).unwrap_or(0);
            items.swap(at, other);
        }
    }
}

/// Python's hash of a float: the number modulo 2⁶¹ - 1.
fn float_hash(number: f64) -> u64 {
    const BITS: u32 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    if !number.is_finite() {
        return if number.is_nan() { 0 } else { 314_159 };
    }
    let (mut mantissa, mut exponent) = (number.abs(), 0i64);
    // To a mantissa below 1, as frexp(3) has it.
    while mantissa >= 1.0 {
        mantissa /= 2.0;
        exponent += 1;
    }
    while mantissa != 0.0 && mantissa < 0.5 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let mut hash = 0u64;
    while mantissa != 0.0 {
        hash = ((hash << 28) & MODULUS) | (hash >> (BITS - 28));
        mantissa *= f64::from(1u32 << 28);
        exponent -= 28;
        let whole = mantissa.trunc();
        mantissa -= whole;
        hash += whole as u64;
        if hash >= MODULUS {
            hash -= MODULUS;
        }
    }
    // The remainder is between 0 and 60.
    let shift = u32::try_from(exponent.rem_euclid(i64::from(BITS))).unwrap_or(0);
    hash = ((hash << shift) & MODULUS) | (hash >> (BITS - shift));
    // The sign of a seed does not count.
    hash
}
