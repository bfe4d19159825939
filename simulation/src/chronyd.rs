//! `chronyd -p`: reads a configuration and prints what it means.

use std::path::Path;

use refrain_engine::system::Content;

use crate::Invocation;

/// The directives with the least and the most words behind them.
const DIRECTIVES: [(&str, usize, usize); 61] = [
    ("acquisitionport", 1, 1),
    ("allow", 0, 2),
    ("authselectmode", 1, 1),
    ("bindacqaddress", 1, 1),
    ("bindacqdevice", 1, 1),
    ("bindaddress", 1, 1),
    ("bindcmdaddress", 1, 1),
    ("bindcmddevice", 1, 1),
    ("binddevice", 1, 1),
    ("clientloglimit", 1, 1),
    ("clockprecision", 1, 1),
    ("cmdallow", 0, 2),
    ("cmddeny", 0, 2),
    ("cmdport", 1, 1),
    ("combinelimit", 1, 1),
    ("confdir", 1, 10),
    ("corrtimeratio", 1, 1),
    ("deny", 0, 2),
    ("driftfile", 1, 1),
    ("dscp", 1, 1),
    ("dumpdir", 1, 1),
    ("dumponexit", 0, 0),
    ("hwclockfile", 1, 1),
    ("hwtimestamp", 1, MANY),
    ("include", 1, 1),
    ("initstepslew", 2, MANY),
    ("keyfile", 1, 1),
    ("leapsecmode", 1, 1),
    ("leapsectz", 1, 1),
    ("local", 0, MANY),
    ("lock_all", 0, 0),
    ("log", 1, MANY),
    ("logbanner", 1, 1),
    ("logchange", 1, 1),
    ("logdir", 1, 1),
    ("makestep", 2, 2),
    ("manual", 0, 0),
    ("maxchange", 3, 3),
    ("maxclockerror", 1, 1),
    ("maxdistance", 1, 1),
    ("maxdrift", 1, 1),
    ("maxsamples", 1, 1),
    ("maxslewrate", 1, 1),
    ("maxupdateskew", 1, 1),
    ("minsamples", 1, 1),
    ("minsources", 1, 1),
    ("noclientlog", 0, 0),
    ("ntsdumpdir", 1, 1),
    ("ntsservercert", 1, 1),
    ("ntsserverkey", 1, 1),
    ("peer", 1, MANY),
    ("pidfile", 1, 1),
    ("pool", 1, MANY),
    ("port", 1, 1),
    ("refclock", 2, MANY),
    ("rtcautotrim", 1, 1),
    ("rtconutc", 0, 0),
    ("rtcsync", 0, 0),
    ("server", 1, MANY),
    ("sourcedir", 1, 10),
    ("user", 1, 1),
];
/// As many words as there are.
const MANY: usize = usize::MAX;
/// Directives whose only word is a number.
const NUMBERS: [&str; 12] = [
    "acquisitionport",
    "clientloglimit",
    "cmdport",
    "combinelimit",
    "logchange",
    "maxclockerror",
    "maxdistance",
    "maxdrift",
    "maxsamples",
    "maxslewrate",
    "maxupdateskew",
    "minsources",
];
/// Options of sources that stand alone, and those that a value follows.
const OPTIONS: [&[&str]; 2] = [
    &[
        "iburst",
        "burst",
        "prefer",
        "noselect",
        "trust",
        "require",
        "xleave",
        "nts",
        "auto_offline",
        "offline",
        "copy",
    ],
    &[
        "key",
        "certset",
        "maxdelay",
        "maxdelayratio",
        "maxdelaydevratio",
        "maxdelayquant",
        "mindelay",
        "asymmetry",
        "offset",
        "minsamples",
        "maxsamples",
        "filter",
        "polltarget",
        "port",
        "ntsport",
        "presend",
        "minstratum",
        "version",
        "extfield",
        "minpoll",
        "maxpoll",
        "maxsources",
    ],
];

/// `chronyd -p [-f FILE]`. It does not run as a daemon here.
pub fn chronyd(call: &mut Invocation<'_>) -> i32 {
    let mut path = "/etc/chrony.conf";
    let mut prints = false;
    let mut words = call.arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-p" => prints = true,
            "-f" => path = words.next().unwrap_or_default(),
            _ => {}
        }
    }
    if !prints {
        call.complain("chronyd: only `-p` is simulated");
        return 1;
    }
    let content = call.system.read(Path::new(path)).ok().flatten();
    let Some(text) = content.as_ref().and_then(Content::known).map(String::from_utf8_lossy) else {
        return fatal(call, format!("Could not open {path} : No such file or directory"));
    };
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first().is_none_or(|first| first.starts_with(['!', ';', '#', '%'])) {
            continue;
        }
        call.say(words.join(" "));
        if let Err(problem) = check(&words) {
            return fatal(call, format!("{problem} at line {} in file {path}", number + 1));
        }
    }
    0
}

fn fatal(call: &mut Invocation<'_>, message: String) -> i32 {
    call.complain(format_args!("1970-01-01T00:00:00Z Fatal error : {message}"));
    1
}

fn check(words: &[&str]) -> Result<(), String> {
    let (name, rest) = (words[0].to_ascii_lowercase(), &words[1..]);
    let Some((name, least, most)) = DIRECTIVES.iter().find(|(known, ..)| *known == name) else {
        return Err("Invalid directive".to_owned());
    };
    let unparsed = || Err(format!("Could not parse {name} directive"));
    if is_source(name) {
        return if rest.is_empty() || !are_options(&rest[1..]) { unparsed() } else { Ok(()) };
    }
    if rest.len() < *least {
        return Err(format!("Missing arguments for {name} directive"));
    }
    if rest.len() > *most {
        return Err(format!("Too many arguments for {name} directive"));
    }
    let is_number = |word: &&str| word.parse::<f64>().is_ok();
    let numbers = NUMBERS.contains(name) || *name == "makestep";
    match *name {
        _ if numbers && !rest.iter().all(is_number) => unparsed(),
        "local" if !is_local(rest) => unparsed(),
        _ => Ok(()),
    }
}

fn is_source(name: &str) -> bool {
    ["server", "pool", "peer"].contains(&name)
}

fn are_options(words: &[&str]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if OPTIONS[0].contains(word) {
            continue;
        }
        let value = OPTIONS[1].contains(word).then(|| words.next()).flatten();
        if value.is_none_or(|value| *word != "extfield" && value.parse::<f64>().is_err()) {
            return false;
        }
    }
    true
}

fn is_local(words: &[&str]) -> bool {
    match words {
        [] => true,
        ["orphan", rest @ ..] => is_local(rest),
        ["stratum", number, rest @ ..] => {
            number.parse::<u8>().is_ok_and(|number| (1..16).contains(&number)) && is_local(rest)
        }
        ["distance", number, rest @ ..] => number.parse::<f64>().is_ok() && is_local(rest),
        _ => false,
    }
}
