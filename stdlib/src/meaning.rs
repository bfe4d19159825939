//! What the messages of a program mean.

use refrain_engine::failure::Failure;

/// What a message means, and what to do about it.
pub struct Meaning {
    /// What is in the message.
    pub message: &'static str,
    /// In plain words; what stands between the quotes of the message takes the place of `{}`.
    pub words: &'static str,
    /// What to do about it. Absent where that depends.
    pub hint: Option<&'static str>,
}

impl Meaning {
    /// The first of these of which the message was said.
    pub fn of<'a>(meanings: &'a [Self], said: &str) -> Option<&'a Self> {
        meanings.iter().find(|meaning| said.contains(meaning.message))
    }

    /// The failure of a program that has said this, explained by the first of the meanings of which the message was said.
    pub fn explain_by(meanings: &[Self], failure: Failure, said: &str) -> Failure {
        match Self::of(meanings, said) {
            Some(meaning) => meaning.explain(failure, said),
            None => failure,
        }
    }

    /// The failure of a program that has said this, explained.
    pub fn explain(&self, failure: Failure, said: &str) -> Failure {
        let line = said.lines().find(|line| line.contains(self.message)).unwrap_or_default();
        let failure = failure.explain(self.words.replace("{}", quoted(line)));
        match self.hint {
            Some(hint) => failure.advise(hint),
            None => failure,
        }
    }
}

/// What stands between single quotes.
fn quoted(line: &str) -> &str {
    let inside = line.split_once(['\'', '`']).map(|(_, rest)| rest);
    inside.and_then(|rest| rest.split_once('\'')).map_or("", |(name, _)| name)
}
