//! The shape of what an agent sends, looked at before anything is made of it.
//!
//! A frame of allowed size can still be made to take many times its size in memory (a million empty maps), or a stack (a
//! million arrays in one another).

/// A frame has at most so many values, all levels counted.
const MOST_VALUES: usize = 1_000_000;

/// Values are at most so many levels deep.
const MOST_DEPTH: usize = 64;

/// Checks that `bytes` are one value in MessagePack, neither too wide nor too deep.
///
/// # Errors
/// They are not: in words.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let mut values = Values { bytes, count: 0 };
    values.skip()?;
    match values.bytes.len() {
        0 => Ok(()),
        more => Err(format!("{more} bytes behind its end")),
    }
}

/// Checks that `bytes` are values in MessagePack, one behind the other, neither too wide nor too deep.
///
/// # Errors
/// As [`check`].
pub fn check_all(bytes: &[u8]) -> Result<(), String> {
    let mut values = Values { bytes, count: 0 };
    while !values.bytes.is_empty() {
        values.skip()?;
    }
    Ok(())
}

struct Values<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl Values<'_> {
    /// Skips one value, with all that is in it.
    fn skip(&mut self) -> Result<(), String> {
        // How many values are still to come, for each level.
        let mut open: Vec<u64> = vec![1];
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            self.count += 1;
            if self.count > MOST_VALUES {
                return Err(format!("more than {MOST_VALUES} values"));
            }
            let within = self.head()?;
            if within > 0 {
                open.push(within);
                if open.len() > MOST_DEPTH {
                    return Err(format!("values more than {MOST_DEPTH} levels deep"));
                }
            }
        }
        Ok(())
    }

    /// Skips what belongs to the next value alone; gives how many values are in it.
    fn head(&mut self) -> Result<u64, String> {
        let marker = self.number(1)?;
        match marker {
            0x80..=0x8f => return Ok((marker & 0x0f) * 2),
            0x90..=0x9f => return Ok(marker & 0x0f),
            0xdc => return self.number(2),
            0xdd => return self.number(4),
            0xde => return Ok(self.number(2)? * 2),
            0xdf => return Ok(self.number(4)? * 2),
            _ => {}
        }
        let length = match marker {
            0xa0..=0xbf => marker & 0x1f,
            0xc1 => return Err("a byte that begins no value".to_owned()),
            0xc4 | 0xd9 => self.number(1)?,
            0xc5 | 0xda => self.number(2)?,
            0xc6 | 0xdb => self.number(4)?,
            // The kind of an extension is a byte beside its length.
            0xc7 => self.number(1)? + 1,
            0xc8 => self.number(2)? + 1,
            0xc9 => self.number(4)? + 1,
            0xd4..=0xd8 => (1 << (marker - 0xd4)) + 1,
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 => 2,
            0xca | 0xce | 0xd2 => 4,
            0xcb | 0xcf | 0xd3 => 8,
            // Small numbers, nil, true and false.
            _ => 0,
        };
        self.take(length).map(|_| 0)
    }

    /// A number of so many bytes, at most 4.
    fn number(&mut self, size: u64) -> Result<u64, String> {
        Ok(self.take(size)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, count: u64) -> Result<&[u8], String> {
        let taken = usize::try_from(count).ok().and_then(|count| self.bytes.split_at_checked(count));
        let (taken, rest) = taken.ok_or("a value that breaks off")?;
        self.bytes = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,300}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::vec((".{0,5}", inner), 0..20)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_has_its_shape(value in value(), cut in any::<prop::sample::Index>()) {
            let bytes = rmp_serde::to_vec(&value).unwrap();
            prop_assert_eq!(check(&bytes), Ok(()));
            prop_assert_eq!(check_all(&[&bytes[..], &bytes].concat()), Ok(()));
            prop_assert!(check(&[&bytes[..], &[0]].concat()).is_err());
            prop_assert!(check(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // Whatever it says, it ends and does not panic.
            let _ = (check(&bytes), check_all(&bytes));
        }
    }

    #[test]
    fn bytes_and_long_lists_have_their_shape() {
        for size in [0, 1, 31, 32, 255, 256, 65_535, 65_536] {
            let bytes = serde_bytes::ByteBuf::from(vec![0xc1; size]);
            assert_eq!(check(&rmp_serde::to_vec(&bytes).unwrap()), Ok(()), "{size}");
            assert_eq!(check(&rmp_serde::to_vec(&vec![json!(1); size]).unwrap()), Ok(()), "{size}");
        }
    }

    #[test]
    fn what_grows_is_refused() {
        let deep = [vec![0x91; 1_000_000], vec![0xc0]].concat();
        assert_eq!(check(&deep), Err("values more than 64 levels deep".to_owned()));
        let wide = [vec![0xdd, 0, 0x20, 0, 0], vec![0x80; 0x20_0000]].concat();
        assert_eq!(check(&wide), Err("more than 1000000 values".to_owned()));
        assert_eq!(check(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err("a value that breaks off".to_owned()));
        assert_eq!(check(&[0xc1]), Err("a byte that begins no value".to_owned()));
        assert_eq!(check(&[]), Err("a value that breaks off".to_owned()));
    }
}
