//! `iptables-restore` and `ip6tables-restore`: whether rules have the form that they take. There is no filter to load them into.

use crate::invocation::Invocation;

/// The tables of the kernel, and the chains that each has from the beginning.
const TABLES: [(&str, &[&str]); 5] = [
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];

/// Why rules are not taken.
enum Refusal {
    /// The line means nothing, for this reason.
    Senseless(String),
    /// The line can't be done.
    Failed,
}

/// Reads rules from standard input and takes them, or says in which line they fail.
pub fn iptables_restore(invocation: &mut Invocation<'_>) -> i32 {
    let input = (invocation.stdin)();
    let input = String::from_utf8_lossy(&input);
    let name = invocation.name;
    let mut table: Option<Vec<String>> = None;
    let mut last = 0;
    for (index, line) in input.lines().enumerate() {
        last = index + 1;
        match take(line.trim_end(), &mut table) {
            Ok(()) => {}
            Err(Refusal::Failed) => {
                invocation.complain(format!("{name}: line {last} failed"));
                return 1;
            }
            Err(Refusal::Senseless(reason)) => {
                invocation.complain(format!("{name}: {reason}"));
                invocation.complain(format!("Error occurred at line: {last}"));
                invocation.complain(format!("Try `{name} -h' or '{name} --help' for more information."));
                return 2;
            }
        }
    }
    if table.is_some() {
        invocation.complain(format!("{name}: COMMIT expected at line {}", last + 1));
    }
    i32::from(table.is_some())
}

/// Takes one line; `table` are the chains of the table that is being read.
fn take(line: &str, table: &mut Option<Vec<String>>) -> Result<(), Refusal> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    match (line.strip_prefix('*'), &mut *table) {
        (Some(name), None) => {
            let known = TABLES.iter().find(|(known, _)| *known == name);
            let unknown = || Refusal::Senseless(format!("unable to initialize table '{name}'"));
            let (_, chains) = known.ok_or_else(unknown)?;
            *table = Some(chains.iter().map(|chain| (*chain).to_owned()).collect());
            Ok(())
        }
        (None, Some(_)) if line == "COMMIT" => {
            *table = None;
            Ok(())
        }
        (None, Some(chains)) => rule(line, chains),
        (Some(_), Some(_)) | (None, None) => Err(Refusal::Failed),
    }
}

fn rule(line: &str, chains: &mut Vec<String>) -> Result<(), Refusal> {
    if let Some(chain) = line.strip_prefix(':') {
        let mut words = chain.split_whitespace();
        let (name, policy) = (words.next().unwrap_or_default(), words.next());
        policy.ok_or_else(|| Refusal::Senseless(format!("policy for chain '{name}' is missing")))?;
        chains.push(name.to_owned());
        return Ok(());
    }
    let words: Vec<&str> = line.split_whitespace().skip_while(|word| word.starts_with('[')).collect();
    match words.as_slice() {
        ["-N", chain, ..] => {
            chains.push((*chain).to_owned());
            Ok(())
        }
        ["-A" | "--append" | "-I" | "--insert" | "-P" | "-F", chain, ..] => {
            if chains.iter().any(|known| known == chain) { Ok(()) } else { Err(Refusal::Failed) }
        }
        [option, ..] if option.starts_with('-') => {
            Err(Refusal::Senseless(format!("unknown option \"{option}\"")))
        }
        _ => Err(Refusal::Senseless(format!("Bad argument `{}'", words.first().unwrap_or(&line)))),
    }
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::Command;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};

    #[test]
    fn rules_have_a_form() {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        let status = |rules: &str| {
            let output = crate::play(&Command::new(["iptables-restore", "--test"]), &|| rules.into(), &host);
            let output = output.unwrap();
            (output.status, String::from_utf8(output.stderr).unwrap())
        };
        assert_eq!(status("# none\n").0, 0);
        assert_eq!(status("*filter\n:INPUT DROP [0:0]\n:WEB - [0:0]\n[1:2] -A WEB -j ACCEPT\nCOMMIT\n").0, 0);
        let case = |rules: &str, code: i32, words: &str| {
            let (status, said) = status(rules);
            assert!(status == code && said.contains(words), "{rules}: {status} {said}");
        };
        case("*filter\n-A WEB -j ACCEPT\nCOMMIT\n", 1, "iptables-restore: line 2 failed");
        case("-A INPUT -j DROP\n", 1, "iptables-restore: line 1 failed");
        case("*filter\n", 1, "COMMIT expected at line 2");
        case("*fliter\nCOMMIT\n", 2, "Error occurred at line: 1");
        case("*filter\nallow all\nCOMMIT\n", 2, "Bad argument `allow'\nError occurred at line: 2");
    }
}
