//! What `sv status` says of a service.

/// A service as its supervisor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It runs.
    Run {
        /// Its process.
        pid: u32,
        /// For how many seconds.
        seconds: u64,
        /// What was ordered, where that is something else, and other remarks: `want down`, `normally down`, `got TERM`.
        remarks: Vec<String>,
    },
    /// It has ended, and its `finish` script runs.
    Finish {
        /// For how many seconds.
        seconds: u64,
        /// As for [`Reported::Run`].
        remarks: Vec<String>,
    },
    /// It does not run.
    Down {
        /// For how many seconds.
        seconds: u64,
        /// As for [`Reported::Run`]: `normally up`, `want up`.
        remarks: Vec<String>,
    },
    /// Nobody supervises it, or `sv` can't tell: in its own words.
    Unsupervised(String),
}

impl Reported {
    /// Reads what `sv` has printed of the service `name`. `None` if it has not said anything about it.
    ///
    /// The lines are `run: NAME: (pid 7) 12s, normally down; run: log: …`, with `ok: ` or `timeout: ` before it where
    /// something was ordered.
    pub fn read(printed: &str, name: &str) -> Option<Self> {
        printed.lines().find_map(|line| Self::read_line(line, name))
    }

    fn read_line(line: &str, name: &str) -> Option<Self> {
        let line = line.strip_prefix("ok: ").or_else(|| line.strip_prefix("timeout: ")).unwrap_or(line);
        let (word, rest) = line.split_once(": ")?;
        let rest = rest.strip_prefix(name)?.strip_prefix(": ")?;
        if matches!(word, "fail" | "warning") {
            return Some(Self::Unsupervised(rest.to_owned()));
        }
        let own = rest.split("; ").next().unwrap_or(rest);
        let mut parts = own.split(", ");
        let first = parts.next().unwrap_or_default();
        let remarks: Vec<String> = parts.map(str::to_owned).collect();
        let (pid, time) = match first.strip_prefix("(pid ").and_then(|rest| rest.split_once(") ")) {
            Some((pid, time)) => (pid.parse().ok(), time),
            None => (None, first),
        };
        let seconds = time.trim_end_matches('s').parse().ok()?;
        match (word, pid) {
            ("run", Some(pid)) => Some(Self::Run { pid, seconds, remarks }),
            ("finish", _) => Some(Self::Finish { seconds, remarks }),
            ("down", _) => Some(Self::Down { seconds, remarks }),
            _ => None,
        }
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        matches!(self, Self::Run { .. })
    }

    /// In words: what it does, without its name.
    pub fn words(&self) -> String {
        let (word, seconds, remarks) = match self {
            Self::Run { seconds, remarks, .. } => ("runs", seconds, remarks),
            Self::Finish { seconds, remarks } => ("is finishing", seconds, remarks),
            Self::Down { seconds, remarks } => ("is down", seconds, remarks),
            Self::Unsupervised(reason) => return format!("is not supervised: {reason}"),
        };
        let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
        format!("{word} since {seconds} s{remarks}")
    }

    /// Whether it runs and shall go on.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Run { remarks, .. } if !remarks.iter().any(|remark| remark == "want down"))
    }

    /// Whether it does not run and shall not.
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Down { remarks, .. } if !remarks.iter().any(|remark| remark == "want up"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pid: u32, seconds: u64, remarks: &[&str]) -> Reported {
        Reported::Run { pid, seconds, remarks: words(remarks) }
    }

    fn down(seconds: u64, remarks: &[&str]) -> Reported {
        Reported::Down { seconds, remarks: words(remarks) }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_lines_of_sv() {
        let cases = [
            ("run: a: (pid 5947) 5s", Some(run(5947, 5, &[]))),
            ("run: a: (pid 5946) 7s; run: log: (pid 5945) 5s", Some(run(5946, 7, &[]))),
            ("run: a: (pid 12) 0s, want down", Some(run(12, 0, &["want down"]))),
            (
                "run: a: (pid 12) 0s, normally down, got TERM",
                Some(run(12, 0, &["normally down", "got TERM"])),
            ),
            ("ok: run: a: (pid 5962) 0s", Some(run(5962, 0, &[]))),
            ("timeout: run: a: (pid 5946) 7s", Some(run(5946, 7, &[]))),
            ("down: a: 1s, normally up, want up", Some(down(1, &["normally up", "want up"]))),
            ("ok: down: a: 1s, normally up", Some(down(1, &["normally up"]))),
            ("down: a: 3s; down: log: 3s", Some(down(3, &[]))),
            (
                "finish: a: (pid 9) 2s, want down",
                Some(Reported::Finish { seconds: 2, remarks: words(&["want down"]) }),
            ),
            ("fail: a: runsv not running", Some(Reported::Unsupervised("runsv not running".to_owned()))),
            (
                "warning: a: unable to open supervise/ok: file does not exist",
                Some(Reported::Unsupervised("unable to open supervise/ok: file does not exist".to_owned())),
            ),
            ("ok: a: runsv not running", None),
            ("run: ab: (pid 1) 1s", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Reported::read(line, "a"), expected, "{line}");
        }
        assert_eq!(Reported::read("down: b: 1s\nrun: a: (pid 3) 2s\n", "a"), Some(run(3, 2, &[])));
    }

    #[test]
    fn what_is_wanted_counts_too() {
        assert!(run(1, 1, &[]).is_up() && !run(1, 1, &["want down"]).is_up());
        assert!(down(1, &["normally up"]).is_down() && !down(1, &["normally up", "want up"]).is_down());
        assert!(!Reported::Unsupervised(String::new()).is_down());
    }
}
