//! `sshd -t`: says whether it could start with a configuration.

use std::path::Path;

use refrain_engine::system::Content;

use crate::Invocation;

/// What a keyword takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `yes` or `no`.
    Flag,
    /// One whole number.
    Number,
    /// A number of a port.
    Port,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Anything.
    Any,
}

const FLAGS: &str = "disableforwarding exposeauthinfo gatewayports gssapiauthentication gssapicleanupcredentials \
    gssapikeyexchange gssapistrictacceptorcheck hostbasedauthentication hostbasedusesnamefrompacketonly \
    ignoreuserknownhosts kbdinteractiveauthentication challengeresponseauthentication kerberosauthentication \
    kerberosorlocalpasswd kerberosticketcleanup passwordauthentication permitemptypasswords permittty permituserrc printlastlog \
    printmotd pubkeyauthentication streamlocalbindunlink strictmodes tcpkeepalive usedns usepam x11forwarding x11uselocalhost \
    allowagentforwarding";
const NUMBERS: &str = "maxauthtries maxsessions clientalivecountmax x11displayoffset requiredrsasize";
const OTHERS: &str = "acceptenv addressfamily allowgroups allowstreamlocalforwarding allowtcpforwarding allowusers \
    authenticationmethods authorizedkeyscommand authorizedkeyscommanduser authorizedkeysfile authorizedprincipalscommand \
    authorizedprincipalscommanduser authorizedprincipalsfile banner casignaturealgorithms channeltimeout chrootdirectory ciphers \
    clientaliveinterval compression debianbanner denygroups denyusers fingerprinthash forcecommand gssapikexalgorithms \
    gssapistorecredentialsonrekey hostbasedacceptedalgorithms hostcertificate hostkey hostkeyagent hostkeyalgorithms \
    ignorerhosts include ipqos kexalgorithms listenaddress logingracetime loglevel macs maxstartups modulifile permitlisten \
    permitopen permittunnel permituserenvironment persourcemaxstartups persourcenetblocksize pidfile pubkeyacceptedalgorithms \
    pubkeyauthoptions rdomain rekeylimit revokedkeys securitykeyprovider setenv streamlocalbindmask subsystem syslogfacility \
    trustedusercakeys unusedconnectiontimeout versionaddendum xauthlocation match protocol";
/// What can't be chosen for some connections and not for others.
const GLOBAL: &str = "addressfamily ciphers compression debianbanner fingerprinthash hostcertificate hostkey hostkeyagent \
    hostkeyalgorithms kexalgorithms listenaddress logingracetime macs maxstartups modulifile pidfile port printlastlog printmotd \
    strictmodes subsystem syslogfacility tcpkeepalive usedns usepam versionaddendum xauthlocation permituserenvironment \
    requiredrsasize";
const ROOT: &[&str] = &["yes", "no", "prohibit-password", "without-password", "forced-commands-only"];
/// The conditions of a `Match`.
const CONDITIONS: [&str; 8] =
    ["user", "group", "host", "localaddress", "localport", "rdomain", "address", "all"];

fn takes(keyword: &str) -> Option<Takes> {
    let is_in = |list: &str| list.split_whitespace().any(|known| known == keyword);
    match keyword {
        "port" => Some(Takes::Port),
        "permitrootlogin" => Some(Takes::OneOf(ROOT)),
        _ if is_in(FLAGS) => Some(Takes::Flag),
        _ if is_in(NUMBERS) => Some(Takes::Number),
        _ if is_in(OTHERS) => Some(Takes::Any),
        _ => None,
    }
}

/// Why a line is wrong.
enum Problem {
    /// It is counted, and the next ones are read.
    Counted(String),
    /// Nothing more is read.
    Final(String),
}

/// `sshd -t [-f FILE]`. It does not run as a daemon here.
pub fn sshd(call: &mut Invocation<'_>) -> i32 {
    let mut path = "/etc/ssh/sshd_config";
    let mut tests = false;
    let mut words = call.arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-t" => tests = true,
            "-f" => path = words.next().unwrap_or_default(),
            _ => {}
        }
    }
    if !tests {
        call.complain("sshd: only `-t` is simulated");
        return 1;
    }
    let content = call.system.read(Path::new(path)).ok().flatten();
    let Some(text) = content.as_ref().and_then(Content::known).map(String::from_utf8_lossy) else {
        call.complain(format_args!("{path}: No such file or directory"));
        return 1;
    };
    match read(call, path, &text) {
        true => host_keys(call, &text),
        false => 255,
    }
}

/// Reads all lines. Whether they are fine.
fn read(call: &mut Invocation<'_>, path: &str, text: &str) -> bool {
    let (mut bad, mut matching) = (0, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match check(line, &mut matching) {
            Ok(()) => {}
            Err(Problem::Counted(problem)) => {
                bad += 1;
                call.complain(problem.replace("{place}", path).replace("{line}", &(number + 1).to_string()));
            }
            Err(Problem::Final(problem)) => {
                call.complain(problem.replace("{place}", path).replace("{line}", &(number + 1).to_string()));
                return false;
            }
        }
    }
    if bad > 0 {
        call.complain(format_args!("{path}: terminating, {bad} bad configuration options"));
    }
    bad == 0
}

fn check(line: &str, matching: &mut bool) -> Result<(), Problem> {
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(line.len());
    let (keyword, rest) = (&line[..end], line[end..].trim_start().trim_start_matches('='));
    let words: Vec<&str> = rest.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
    let name = keyword.to_ascii_lowercase();
    let Some(takes) = takes(&name) else {
        return Err(Problem::Counted(format!(
            "{{place}}: line {{line}}: Bad configuration option: {keyword}"
        )));
    };
    if *matching && GLOBAL.split_whitespace().any(|global| global == name) {
        let problem =
            format!("{{place}} line {{line}}: Directive '{keyword}' is not allowed within a Match block");
        return Err(Problem::Final(problem));
    }
    let Some(first) = words.first() else {
        return Err(Problem::Counted(format!(
            "{{place}} line {{line}}: no argument after keyword \"{keyword}\""
        )));
    };
    let unsupported =
        || Err(Problem::Final(format!("{{place}} line {{line}}: unsupported option \"{first}\".")));
    match takes {
        Takes::Flag if !["yes", "no"].contains(first) => return unsupported(),
        Takes::OneOf(known) if !known.contains(first) => return unsupported(),
        Takes::Number if first.parse::<i32>().is_err() => {
            return Err(Problem::Final(format!("{{place}} line {{line}}: {keyword} integer value invalid.")));
        }
        Takes::Port if !first.parse::<u16>().is_ok_and(|port| port > 0) => {
            return Err(Problem::Final("{place} line {line}: Badly formatted port number.".to_owned()));
        }
        Takes::Any if name == "match" => {
            *matching = true;
            return condition(first);
        }
        Takes::Any => return Ok(()),
        _ => {}
    }
    if words.len() > 1 {
        let problem = format!("{{place}} line {{line}}: keyword {keyword} extra arguments at end of line");
        return Err(Problem::Counted(problem));
    }
    Ok(())
}

fn condition(first: &str) -> Result<(), Problem> {
    if CONDITIONS.contains(&first.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let problem =
        format!("Unsupported Match attribute {first}\n{{place}} line {{line}}: Bad Match condition");
    Err(Problem::Final(problem))
}

/// Without any key of its own, it does not start.
fn host_keys(call: &mut Invocation<'_>, text: &str) -> i32 {
    let given: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().split_once(char::is_whitespace))
        .filter(|(keyword, _)| keyword.eq_ignore_ascii_case("hostkey"))
        .map(|(_, path)| path.trim())
        .collect();
    let usual = ["rsa", "ecdsa", "ed25519"].map(|kind| format!("/etc/ssh/ssh_host_{kind}_key"));
    let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
    let keys = if given.is_empty() { &usual } else { &given };
    let is_there = |path: &&&str| matches!(call.system.stat(Path::new(path)), Ok(Some(_)));
    let missing: Vec<String> =
        keys.iter().filter(|path| !is_there(path)).map(|path| (*path).to_owned()).collect();
    let none = missing.len() == keys.len();
    for path in &missing {
        call.complain(format_args!("Unable to load host key: {path}"));
    }
    if none {
        call.complain("sshd: no hostkeys available -- exiting.");
    }
    i32::from(none)
}
