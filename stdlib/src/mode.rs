//! Permission bits as a playbook writes them: `"0644"`, `0o644`, `"u=rwX,g=rX,o="`.

use std::str::FromStr;

/// The bits that a mode can have: permissions, set-user-ID, set-group-ID, sticky.
const ALL: u32 = 0o7777;
/// The execute bits of owner, group and others.
const EXECUTE: u32 = 0o111;
/// The set-user-ID and set-group-ID bits.
const SET_ID: u32 = 0o6000;

/// A mode that something shall have, or how it shall differ from the one it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// These bits and no others.
    Exact(u32),
    /// As chmod(1) changes them, one after the other.
    Symbolic(Vec<Clause>),
}

/// One change of a symbolic mode: `g=rX` of `u=rwX,g=rX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The bits of those whom it is about.
    affected: u32,
    operator: Operator,
    permissions: Permissions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Set,
    Add,
    Remove,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Permissions {
    /// These bits, for all three classes; with `X`, execute too where it makes sense.
    Bits { bits: u32, conditional_execute: bool },
    /// What the class has that begins at this bit: 6 for the owner, 3 for the group, 0 for others.
    CopyOf(u32),
}

/// Why a text or number is not a mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// It is neither octal nor symbolic.
    #[error("`{0}` is not a mode")]
    Malformed(String),
    /// It is beyond 7777.
    #[error("the mode {0:o} has more bits than 7777")]
    TooLarge(i64),
    /// The decimal number 644 is the mode 1204.
    #[error("the number {0} is the mode {0:04o}")]
    Decimal(i64),
}

impl ModeError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Malformed(_) | Self::TooLarge(_) => {
                "a mode is \"0644\", 0o644 or symbolic, \"u=rwX,g=rX,o=\"".to_owned()
            }
            Self::Decimal(number) => {
                format!("for the mode {number:04}, write \"{number:04}\" or 0o{number}")
            }
        }
    }
}

impl Mode {
    /// The mode that a script's integer stands for: `0o644` arrives as 420.
    ///
    /// # Errors
    /// It is out of range, or a decimal number whose digits look like a mode (644), which is almost surely a slip.
    pub fn from_integer(number: i64) -> Result<Self, ModeError> {
        let mode = u32::try_from(number).ok().filter(|mode| *mode <= ALL);
        let mode = mode.ok_or(ModeError::TooLarge(number))?;
        // 511 reads as r-x--x--x, but nobody means that by it.
        if looks_like_mode(mode) && mode != 0o777 {
            return Err(ModeError::Decimal(number));
        }
        Ok(Self::Exact(mode))
    }

    /// The bits that something with the bits `current` shall have.
    pub fn apply(&self, current: u32, is_directory: bool) -> u32 {
        match self {
            Self::Exact(bits) => *bits,
            Self::Symbolic(clauses) => {
                clauses.iter().fold(current & ALL, |mode, clause| clause.apply(mode, is_directory))
            }
        }
    }
}

/// Whether the decimal digits of a number read as the octal ones of a mode that makes sense: the owner can read, the
/// group can do no more than the owner, and others no more than the group.
fn looks_like_mode(number: u32) -> bool {
    let digits = number.to_string();
    let Ok(mode) = u32::from_str_radix(&digits, 8) else { return false };
    let (owner, group, others) = (mode >> 6 & 7, mode >> 3 & 7, mode & 7);
    matches!(digits.len(), 3 | 4) && owner & 4 != 0 && group & !owner == 0 && others & !group == 0
}

impl Clause {
    fn apply(self, mode: u32, is_directory: bool) -> u32 {
        let (value, mentioned) = match self.permissions {
            Permissions::Bits { bits, conditional_execute } => {
                let execute = conditional_execute && (is_directory || mode & EXECUTE != 0);
                (bits | if execute { EXECUTE } else { 0 }, bits & self.affected)
            }
            Permissions::CopyOf(shift) => ((mode >> shift & 7) * EXECUTE, 0),
        };
        // As chmod(1): a directory keeps its set-ID bits unless they are spelled out.
        let kept = if is_directory { SET_ID & !mentioned } else { 0 };
        let value = value & self.affected & !kept;
        match self.operator {
            Operator::Set => mode & (!self.affected | kept) | value,
            Operator::Add => mode | value,
            Operator::Remove => mode & !value,
        }
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    /// Octal digits, with or without a leading `0` or `0o`, or a symbolic mode. Without `ugoa`, a clause is about all:
    /// the agent has no umask.
    fn from_str(text: &str) -> Result<Self, ModeError> {
        let octal = text.strip_prefix("0o").unwrap_or(text);
        if !octal.is_empty() && octal.bytes().all(|digit| matches!(digit, b'0'..=b'7')) {
            let number = i64::from_str_radix(octal, 8).unwrap_or(i64::MAX);
            let mode = u32::try_from(number).ok().filter(|mode| *mode <= ALL);
            return mode.map(Self::Exact).ok_or(ModeError::TooLarge(number));
        }
        let clauses = text.split(',').map(clauses).collect::<Option<Vec<_>>>();
        match clauses {
            Some(clauses) => Ok(Self::Symbolic(clauses.concat())),
            None => Err(ModeError::Malformed(text.to_owned())),
        }
    }
}

/// The changes between two commas: `u=rw`, `g+r-w`.
fn clauses(text: &str) -> Option<Vec<Clause>> {
    let actions = text.find(['+', '-', '='])?;
    let (who, mut rest) = text.split_at(actions);
    let affected = who.chars().try_fold(0, |all, class| Some(all | class_bits(class)?))?;
    let affected = if who.is_empty() { ALL } else { affected };
    let mut found = Vec::new();
    while let Some(sign) = rest.chars().next() {
        let operator = match sign {
            '=' => Operator::Set,
            '+' => Operator::Add,
            _ => Operator::Remove,
        };
        rest = &rest[1..];
        let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
        let permissions = permissions(&rest[..end])?;
        found.push(Clause { affected, operator, permissions });
        rest = &rest[end..];
    }
    Some(found)
}

fn class_bits(class: char) -> Option<u32> {
    match class {
        'u' => Some(0o4700),
        'g' => Some(0o2070),
        'o' => Some(0o1007),
        'a' => Some(ALL),
        _ => None,
    }
}

fn permissions(text: &str) -> Option<Permissions> {
    match text {
        "u" => return Some(Permissions::CopyOf(6)),
        "g" => return Some(Permissions::CopyOf(3)),
        "o" => return Some(Permissions::CopyOf(0)),
        _ => {}
    }
    let (mut bits, mut conditional_execute) = (0, false);
    for letter in text.chars() {
        match letter {
            'r' => bits |= 0o444,
            'w' => bits |= 0o222,
            'x' => bits |= EXECUTE,
            's' => bits |= SET_ID,
            't' => bits |= 0o1000,
            'X' => conditional_execute = true,
            _ => return None,
        }
    }
    Some(Permissions::Bits { bits, conditional_execute })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn octal_is_exact() {
        for text in ["0644", "644", "0o644", "00644"] {
            assert_eq!(text.parse(), Ok(Mode::Exact(0o644)), "{text}");
        }
        assert_eq!(Mode::from_integer(0o644), Ok(Mode::Exact(0o644)));
        assert_eq!("10000".parse::<Mode>(), Err(ModeError::TooLarge(0o10000)));
        assert_eq!(Mode::from_integer(-1), Err(ModeError::TooLarge(-1)));
    }

    #[test]
    fn decimal_slips_are_refused_and_octal_ones_are_not() {
        for slip in [644, 755, 600, 640, 700, 750, 660, 664, 400, 440, 444, 500, 555, 777, 1777, 2755] {
            assert_eq!(Mode::from_integer(slip), Err(ModeError::Decimal(slip)));
        }
        for mode in [
            0, 0o644, 0o755, 0o600, 0o640, 0o700, 0o750, 0o660, 0o664, 0o666, 0o770, 0o775, 0o777, 0o711,
            0o744, 0o400, 0o440, 0o444, 0o500, 0o550, 0o555, 0o1777, 0o2755, 0o2775, 0o2750, 0o4755, 0o4711,
        ] {
            assert_eq!(Mode::from_integer(i64::from(mode)), Ok(Mode::Exact(mode)), "{mode:o}");
        }
        let slip = Mode::from_integer(644).unwrap_err();
        assert_eq!(slip.to_string(), "the number 644 is the mode 1204");
        assert_eq!(slip.hint(), "for the mode 0644, write \"0644\" or 0o644");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "rw", "u", "z=r", "u=q", "u=rw,", "0648", "u=gx", "u rw"] {
            assert_eq!(text.parse::<Mode>(), Err(ModeError::Malformed(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn symbolic_modes_do_what_chmod_does() {
        let directory = tempfile::tempdir().unwrap();
        let (file, below) = (directory.path().join("file"), directory.path().join("below"));
        std::fs::write(&file, "").unwrap();
        std::fs::create_dir(&below).unwrap();
        for symbolic in [
            "u=rwX,g=rX,o=",
            "a+x",
            "u=rwx,go=u-w",
            "g=u",
            "o-rwx,g+s",
            "u+s,g-s,+t",
            "=rX",
            "a=,u=r",
            "ug=rx,o=t",
            "g=rx",
            "u=rws",
            "a-x+X",
            "o=g",
        ] {
            for (path, is_directory) in [(&file, false), (&below, true)] {
                for before in [0o000, 0o644, 0o755, 0o640, 0o2775, 0o4711, 0o1777] {
                    std::fs::set_permissions(path, std::fs::Permissions::from_mode(before)).unwrap();
                    let script = format!("umask 0; chmod -- {symbolic} \"$1\"");
                    let status = Command::new("sh").args(["-c", &script, "sh"]).arg(path).status().unwrap();
                    assert!(status.success(), "{symbolic}");
                    let expected = std::fs::metadata(path).unwrap().permissions().mode() & ALL;
                    let mode: Mode = symbolic.parse().unwrap();
                    let found = mode.apply(before, is_directory);
                    assert_eq!(found, expected, "{symbolic} of {before:o}: {found:o}, not {expected:o}");
                }
            }
        }
    }
}
