//! The passphrases of key files, asked for once in a run.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Asks the person at the controller something whose answer must not be seen. The error says why there is no answer.
pub type AskSecret = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// How often a passphrase may be wrong, as with ssh.
const TRIES: u32 = 3;

/// The passphrases that were asked for so far. All hosts of a run share them.
#[derive(Default)]
pub(super) struct Passphrases {
    ask: Option<AskSecret>,
    /// Locked while a question is open: a second host waits for the same answer instead of asking again.
    answers: Mutex<HashMap<PathBuf, Answer>>,
}

#[derive(Default)]
struct Answer {
    passphrase: Option<String>,
    asked: u32,
}

impl Passphrases {
    /// Nothing is known yet. Without `ask`, nobody is there to answer.
    pub(super) fn new(ask: Option<AskSecret>) -> Self {
        Self { ask, answers: Mutex::default() }
    }

    /// Who answers, if anybody.
    pub(super) fn ask(&self) -> Option<&AskSecret> {
        self.ask.as_ref()
    }

    /// The passphrase of a key; `wrong` is the one that turned out to be wrong, if it was asked before.
    ///
    /// # Errors
    /// Nobody answers, or it was wrong too often: in words that follow `needs a passphrase`.
    pub(super) fn of(&self, key: &Path, wrong: Option<&str>) -> Result<String, String> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.entry(key.to_owned()).or_default();
        if let Some(known) = &answer.passphrase
            && wrong != Some(known)
        {
            return Ok(known.clone());
        }
        if answer.asked >= TRIES {
            return Err(format!("wrong {TRIES} times"));
        }
        let ask = self.ask.as_ref().ok_or("nobody to ask")?;
        answer.asked += 1;
        answer.passphrase = None;
        let given = ask(&format!("Passphrase of the key `{}`", key.display()))?;
        answer.passphrase = Some(given.clone());
        Ok(given)
    }
}

impl fmt::Debug for Passphrases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrases").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(answers: &[&str]) -> (Passphrases, Arc<Mutex<Vec<String>>>) {
        let left = Mutex::new(answers.iter().rev().map(|answer| (*answer).to_owned()).collect::<Vec<_>>());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let ask: AskSecret = Arc::new(move |question| {
            log.lock().unwrap().push(question.to_owned());
            left.lock().unwrap().pop().ok_or_else(|| "there is no terminal to ask at".to_owned())
        });
        (Passphrases::new(Some(ask)), asked)
    }

    #[test]
    fn each_key_is_asked_for_once() {
        let (passphrases, asked) = answering(&["one", "two"]);
        let (a, b) = (Path::new("a"), Path::new("b"));
        assert_eq!(passphrases.of(a, None).unwrap(), "one");
        assert_eq!(passphrases.of(a, None).unwrap(), "one");
        assert_eq!(passphrases.of(b, None).unwrap(), "two");
        assert_eq!(*asked.lock().unwrap(), ["Passphrase of the key `a`", "Passphrase of the key `b`"]);
    }

    #[test]
    fn a_wrong_one_is_asked_for_again_but_not_for_ever() {
        let (passphrases, asked) = answering(&["one", "two", "three", "four"]);
        let key = Path::new("key");
        assert_eq!(passphrases.of(key, None).unwrap(), "one");
        assert_eq!(passphrases.of(key, Some("one")).unwrap(), "two");
        // Another host had the first answer, too, and finds a newer one.
        assert_eq!(passphrases.of(key, Some("one")).unwrap(), "two");
        assert_eq!(passphrases.of(key, Some("two")).unwrap(), "three");
        assert_eq!(passphrases.of(key, Some("three")).unwrap_err(), "wrong 3 times");
        assert_eq!(asked.lock().unwrap().len(), 3);
    }

    #[test]
    fn without_an_answer_there_is_a_reason() {
        assert_eq!(Passphrases::default().of(Path::new("key"), None).unwrap_err(), "nobody to ask");
        let (passphrases, _) = answering(&[]);
        let key = Path::new("key");
        assert_eq!(passphrases.of(key, None).unwrap_err(), "there is no terminal to ask at");
    }
}
