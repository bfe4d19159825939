//! Options of the command line, read as by `getopt_long`: in any order, long ones abbreviated.

use super::errno::Errno;
use crate::invocation::Invocation;

/// What follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// An argument.
    Required,
    /// Perhaps an argument, only after `=` or in the same word.
    Optional,
}

/// An option: its letter (a digit where it has none), its long name (empty where it has none), and what follows it.
pub type Known = (char, &'static str, Argument);

/// The options and operands of a call.
#[derive(Debug, Default)]
pub struct Options {
    given: Vec<(char, String)>,
    /// What is no option.
    pub operands: Vec<String>,
}

impl Options {
    /// Reads the arguments of a call.
    ///
    /// # Errors
    /// An option that is not known, or without its argument. It is printed along with `usage`, as it is with `-h`: that is no
    /// error of the caller's, but nothing is to be done either.
    pub fn parse(call: &mut Invocation<'_>, known: &[Known], usage: &str) -> Result<Self, i32> {
        let mut options = Self::default();
        let result = options.read(call.arguments, known);
        if let Err(problem) = &result {
            call.complain(format!("{}: {problem}", call.name));
        }
        if result.is_err() || options.has('h') {
            call.print(usage);
            return Err(i32::from(result.is_err()));
        }
        if options.has('V') {
            call.say("XBPS: 0.60.7 API: 20250629 GIT: c5f41d5b");
            return Err(0);
        }
        Ok(options)
    }

    fn read(&mut self, arguments: &[String], known: &[Known]) -> Result<(), String> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                self.operands.extend(rest.by_ref().cloned());
            } else if let Some(long) = argument.strip_prefix("--") {
                self.read_long(long, known, &mut rest)?;
            } else if argument.len() > 1 && argument.starts_with('-') {
                self.read_short(&argument[1..], known, &mut rest)?;
            } else {
                self.operands.push(argument.clone());
            }
        }
        Ok(())
    }

    fn read_long<'a>(
        &mut self,
        long: &str,
        known: &[Known],
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let exact = known.iter().find(|(_, long, _)| *long == name);
        let abbreviated = || {
            let mut fitting = known.iter().filter(|(_, long, _)| long.starts_with(name));
            fitting.next().filter(|_| fitting.next().is_none())
        };
        let Some((letter, name, argument)) = exact.or_else(abbreviated) else {
            return Err(format!("unrecognized option '--{name}'"));
        };
        let value = match (argument, value) {
            (Argument::None, Some(_)) => return Err(format!("option '--{name}' doesn't allow an argument")),
            (Argument::Required, None) => {
                let value = rest.next().ok_or_else(|| format!("option '--{name}' requires an argument"))?;
                value.clone()
            }
            (_, value) => value.unwrap_or_default().to_owned(),
        };
        self.given.push((*letter, value));
        Ok(())
    }

    fn read_short<'a>(
        &mut self,
        letters: &str,
        known: &[Known],
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let option = known.iter().find(|(known, ..)| *known == letter && letter.is_ascii_alphabetic());
            let (_, _, argument) = option.ok_or_else(|| format!("invalid option -- '{letter}'"))?;
            let attached = &letters[at + letter.len_utf8()..];
            if *argument == Argument::None {
                self.given.push((letter, String::new()));
                continue;
            }
            let value = match attached {
                "" if *argument == Argument::Required => rest
                    .next()
                    .cloned()
                    .ok_or_else(|| format!("option requires an argument -- '{letter}'"))?,
                attached => attached.to_owned(),
            };
            self.given.push((letter, value));
            break;
        }
        Ok(())
    }

    /// Whether an option was given.
    pub fn has(&self, letter: char) -> bool {
        self.count(letter) > 0
    }

    /// How often an option was given.
    pub fn count(&self, letter: char) -> usize {
        self.given.iter().filter(|(given, _)| *given == letter).count()
    }

    /// The last argument of an option.
    pub fn last(&self, letter: char) -> Option<&str> {
        self.all(letter).last()
    }

    /// All arguments of an option.
    pub fn all(&self, letter: char) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| *given == letter).map(|(_, value)| value.as_str())
    }
}

/// The exit status of what ended like this.
pub fn status(result: Result<(), Errno>) -> i32 {
    result.map_or_else(|errno| errno.0, |()| 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[
        ('y', "yes", Argument::None),
        ('r', "rootdir", Argument::Required),
        ('R', "repository", Argument::Required),
        ('1', "reproducible", Argument::None),
        ('O', "optional", Argument::Optional),
    ];

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let mut options = Options::default();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        options.read(&arguments, KNOWN)?;
        Ok(options)
    }

    #[test]
    fn options_come_in_any_order() {
        let options =
            read(&["a", "-yr/mnt", "b", "--repository=u", "-R", "v", "--repr", "-O", "--", "-y"]).unwrap();
        let expected = [('y', ""), ('r', "/mnt"), ('R', "u"), ('R', "v"), ('1', ""), ('O', "")];
        assert_eq!(options.given, expected.map(|(letter, value)| (letter, value.to_owned())));
        assert_eq!(options.operands, ["a", "b", "-y"]);
    }

    #[test]
    fn wrong_options_are_told() {
        let cases = [
            (vec!["-z"], "invalid option -- 'z'"),
            (vec!["-1"], "invalid option -- '1'"),
            (vec!["-yr"], "option requires an argument -- 'r'"),
            (vec!["--rep"], "unrecognized option '--rep'"),
            (vec!["--yes=1"], "option '--yes' doesn't allow an argument"),
        ];
        for (arguments, expected) in cases {
            assert_eq!(read(&arguments).unwrap_err(), expected);
        }
    }
}
