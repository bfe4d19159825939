//! What the head of a program says about where it runs: the ELF format, as far as that takes.

use super::source::FactSource;

/// The headers and the loader's name stand at the start of a program, unless somebody has rewritten it.
const HEAD: u64 = 16 << 10;

/// What was found at the start of a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// Whose machine code it is, by the format's numbers.
    machine: u16,
    /// Whether addresses have 64 bits instead of 32.
    pub wide: bool,
    /// Whether the most significant byte comes first.
    big_endian: bool,
    /// Its dynamic loader; a static program has none.
    pub interpreter: Option<String>,
}

impl Program {
    /// The root's shell, or what else every root has.
    pub(super) fn of(source: &dyn FactSource) -> Option<Self> {
        let usual = ["/bin/sh", "/usr/bin/env", "/sbin/init"];
        usual.iter().find_map(|path| Self::parse(&source.read_start(path, HEAD)?))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class, data, ..] = *bytes else { return None };
        let (wide, big_endian) = (class == 2, data == 2);
        let head = Head { bytes, wide, big_endian };
        Some(Self {
            machine: u16::try_from(head.number(18, 2)?).ok()?,
            wide,
            big_endian,
            interpreter: head.interpreter(),
        })
    }

    /// The architecture as uname(2) would call it; all 32-bit ARM counts as `armv7l`.
    pub(super) fn architecture(&self) -> Option<&'static str> {
        let name = match (self.machine, self.wide, self.big_endian) {
            (3, ..) => "i686",
            (20, ..) => "ppc",
            (21, _, true) => "ppc64",
            (21, _, false) => "ppc64le",
            (22, ..) => "s390x",
            (40, ..) => "armv7l",
            (62, ..) => "x86_64",
            (183, ..) => "aarch64",
            (243, true, _) => "riscv64",
            (258, true, _) => "loongarch64",
            _ => return None,
        };
        Some(name)
    }
}

/// The start of a program, with how its numbers are to be read.
struct Head<'a> {
    bytes: &'a [u8],
    wide: bool,
    big_endian: bool,
}

impl Head<'_> {
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let digits = self.bytes.get(at..at.checked_add(size)?)?.iter();
        let join = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        Some(if self.big_endian { digits.fold(0, join) } else { digits.rev().fold(0, join) })
    }

    fn place(&self, at: usize, size: usize) -> Option<usize> {
        usize::try_from(self.number(at, size)?).ok()
    }

    /// The content of the segment that names the loader.
    fn interpreter(&self) -> Option<String> {
        const PT_INTERP: u64 = 3;

        let (headers, size, count) = if self.wide {
            (self.place(32, 8)?, self.place(54, 2)?, self.place(56, 2)?)
        } else {
            (self.place(28, 4)?, self.place(42, 2)?, self.place(44, 2)?)
        };
        let starts = (0..count).map_while(|index| headers.checked_add(index.checked_mul(size)?));
        let segments = starts.map_while(|at| Some((at, self.number(at, 4)?)));
        let (at, _) = segments.into_iter().find(|(_, kind)| *kind == PT_INTERP)?;
        let (offset, length) = if self.wide {
            (self.place(at.checked_add(8)?, 8)?, self.place(at.checked_add(32)?, 8)?)
        } else {
            (self.place(at.checked_add(4)?, 4)?, self.place(at.checked_add(16)?, 4)?)
        };
        let path = self.bytes.get(offset..offset.checked_add(length)?)?;
        Some(String::from_utf8_lossy(path).trim_end_matches('\0').to_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A program of one segment, little-endian, of 64 bits.
    pub(in super::super) fn program(machine: u16, loader: &str) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..58].copy_from_slice(&[56, 0, 1, 0]);
        bytes[64] = 3;
        bytes[72..80].copy_from_slice(&120_u64.to_le_bytes());
        bytes[96..104].copy_from_slice(&u64::try_from(loader.len()).unwrap().to_le_bytes());
        bytes.extend(loader.bytes());
        bytes
    }

    #[test]
    fn programs_name_their_machine_and_loader() {
        let musl = Program::parse(&program(183, "/lib/ld-musl-aarch64.so.1\0")).unwrap();
        assert_eq!(musl.architecture(), Some("aarch64"));
        assert_eq!(musl.interpreter.as_deref(), Some("/lib/ld-musl-aarch64.so.1"));
        let unheard_of = Program::parse(&program(9999, "")).unwrap();
        assert_eq!((unheard_of.architecture(), unheard_of.wide), (None, true));
        assert_eq!(Program::parse(b"#!/bin/sh\n"), None);
        assert_eq!(Program::parse(&program(62, "")[..30]).unwrap().interpreter, None);
    }

    proptest! {
        #[test]
        fn no_program_panics(rest in proptest::collection::vec(any::<u8>(), 0..200), wide: bool) {
            let bytes = [&[0x7f, b'E', b'L', b'F', 1 + u8::from(wide)][..], &rest].concat();
            let _ = Program::parse(&bytes);
        }
    }
}
