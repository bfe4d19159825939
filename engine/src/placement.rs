//! Where a play is evaluated: on its host, or on the controller, from where its calls travel one by one.

use std::fmt;

use crate::diagnostic::{Diagnostic, Location};

/// Where a play is evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// On each of its hosts: the play travels, and a converged one costs the same however long it is.
    #[default]
    Host,
    /// On the controller: its calls travel, each for a round trip or so.
    Controller,
}

impl Placement {
    /// What the option `placement` of a play can be.
    pub const WORDS: [&str; 2] = ["host", "controller"];

    /// The placement of this word.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "host" => Some(Self::Host),
            "controller" => Some(Self::Controller),
            _ => None,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Controller => "controller",
        }
    }
}

/// A call that is only possible on the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What is called: `on`, `file::fetch`.
    pub name: String,
    /// Where.
    pub at: Location,
}

/// Where a play is evaluated, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Where.
    pub placement: Placement,
    because: Reason,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Reason {
    /// Nothing asks for anything else.
    #[default]
    Usual,
    /// The play says so.
    Said,
    /// `--step` asks here.
    Step,
    /// This call.
    Call(Need),
}

impl Decision {
    /// Where a play is evaluated that says where (or not), and that reaches a call which needs the controller (or not);
    /// `step` if a person is asked before each call.
    ///
    /// # Errors
    /// It says that it is evaluated on its host, and can't be.
    pub fn new(said: Option<Placement>, need: Option<Need>, step: bool) -> Result<Self, Diagnostic> {
        let controller = |because| Ok(Self { placement: Placement::Controller, because });
        match (said, need) {
            (Some(Placement::Host), Some(need)) => Err(Diagnostic::new(format!(
                "`{}` needs the controller, and the play says `placement: \"host\"`",
                need.name
            ))
            .at(need.at)
            .hint("leave `placement` out: the play is then evaluated on the controller")),
            (Some(Placement::Controller), _) => controller(Reason::Said),
            (_, Some(need)) => controller(Reason::Call(need)),
            _ if step => controller(Reason::Step),
            (said, None) => {
                let because = if said.is_some() { Reason::Said } else { Reason::Usual };
                Ok(Self { placement: Placement::Host, because })
            }
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.placement.word())?;
        match &self.because {
            Reason::Usual => Ok(()),
            Reason::Said => f.write_str(", as the play says"),
            Reason::Step => f.write_str(", because of `--step`"),
            Reason::Call(Need { name, at }) => write!(f, ", because of `{name}` at {}:{}", at.path, at.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_decides_unless_the_play_contradicts() {
        let need = || Some(Need { name: "on".to_owned(), at: Location::new("site.rhai", "on(1)", 1, 1) });
        let case = |said: Option<Placement>, need, step, expected: &str| {
            let decision = Decision::new(said, need, step);
            let words = decision.map_or_else(|error| error.message, |decision| decision.to_string());
            assert_eq!(words, expected);
        };
        case(None, None, false, "host");
        case(None, None, true, "controller, because of `--step`");
        case(None, need(), false, "controller, because of `on` at site.rhai:1");
        case(Some(Placement::Host), None, false, "host, as the play says");
        case(Some(Placement::Host), None, true, "controller, because of `--step`");
        case(Some(Placement::Controller), need(), false, "controller, as the play says");
        let refused = "`on` needs the controller, and the play says `placement: \"host\"`";
        case(Some(Placement::Host), need(), false, refused);
    }
}
