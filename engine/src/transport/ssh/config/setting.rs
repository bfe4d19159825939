//! The keywords of ssh_config(5): which are honoured, and what their values mean.

use super::options::{Jump, Proxy};
use super::words::Word;

/// What a line says that is honoured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    HostName(String),
    User(String),
    Port(u16),
    IdentityFile(String),
    CertificateFile(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    Proxy(Proxy),
    UserKnownHosts(Vec<String>),
    GlobalKnownHosts(Vec<String>),
    HostKeyChecking(HostKeyChecking),
    HostKeyAlias(String),
    /// In seconds. `none` says nothing.
    ConnectTimeout(Option<u32>),
    AliveInterval(Option<u32>),
    AliveCount(u32),
    PreferredAuthentications(String),
    ByKey(bool),
    ByPassword(bool),
    ByKeyboard(bool),
    Ciphers(String),
    KeyExchanges(String),
    Macs(String),
    HostKeyAlgorithms(String),
    AddressFamily(AddressFamily),
    BindAddress(String),
    HashKnownHosts(bool),
}

/// What happens to hosts whose key is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKeyChecking {
    /// They are refused: `yes`, and `ask`, since many hosts at once can't ask.
    Strict,
    /// Their key is taken down: `accept-new`.
    AcceptNew,
    /// They are let pass, and so are those whose key has changed: `no`.
    Off,
}

/// Which addresses of a name are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressFamily {
    Any,
    Inet,
    Inet6,
}

/// What follows a keyword.
pub(super) struct Arguments<'a> {
    pub words: &'a [Word],
    /// All of it, as it was written.
    pub rest: &'a str,
}

/// What a keyword is to us.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// It is honoured. The error says what it takes.
    Honoured(fn(&Arguments<'_>) -> Result<Setting, String>),
    /// It is about something that has no place in a run: terminals, forwarding, multiplexing.
    Idle,
    /// A person should know that it is not honoured, unless it has one of these values.
    Unheeded(&'static [&'static str]),
    /// Going on without it would be less safe, unless it has one of these values.
    Refused(&'static [&'static str]),
}

use Meaning::{Honoured, Idle, Refused, Unheeded};

/// All keywords that ssh knows, sorted, as ssh_config(5) spells them, and older spellings.
pub(super) const KEYWORDS: &[(&str, Meaning)] = &[
    ("AddKeysToAgent", Idle),
    ("AddressFamily", Honoured(address_family)),
    ("BatchMode", Idle),
    ("BindAddress", Honoured(|it| it.one().map(Setting::BindAddress))),
    ("BindInterface", Unheeded(&["none"])),
    ("CanonicalDomains", Idle),
    ("CanonicalizeFallbackLocal", Idle),
    ("CanonicalizeHostname", Unheeded(&["no", "false"])),
    ("CanonicalizeMaxDots", Idle),
    ("CanonicalizePermittedCNAMEs", Idle),
    ("CASignatureAlgorithms", Idle),
    ("CertificateFile", Honoured(|it| it.one().map(Setting::CertificateFile))),
    ("ChallengeResponseAuthentication", Honoured(|it| it.flag().map(Setting::ByKeyboard))),
    ("ChannelTimeout", Idle),
    ("CheckHostIP", Idle),
    ("Cipher", Idle),
    ("Ciphers", Honoured(|it| it.one().map(Setting::Ciphers))),
    ("ClearAllForwardings", Idle),
    ("Compression", Idle),
    ("CompressionLevel", Idle),
    ("ConnectionAttempts", Unheeded(&["1"])),
    ("ConnectTimeout", Honoured(|it| it.seconds().map(Setting::ConnectTimeout))),
    ("ControlMaster", Idle),
    ("ControlPath", Idle),
    ("ControlPersist", Idle),
    ("DSAAuthentication", Honoured(|it| it.flag().map(Setting::ByKey))),
    ("DynamicForward", Idle),
    ("EnableEscapeCommandline", Idle),
    ("EnableSSHKeysign", Idle),
    ("EscapeChar", Idle),
    ("ExitOnForwardFailure", Idle),
    ("FingerprintHash", Idle),
    ("ForkAfterAuthentication", Idle),
    ("ForwardAgent", Unheeded(&["no", "false"])),
    ("ForwardX11", Idle),
    ("ForwardX11Timeout", Idle),
    ("ForwardX11Trusted", Idle),
    ("GatewayPorts", Idle),
    ("GlobalKnownHostsFile", Honoured(|it| it.files().map(Setting::GlobalKnownHosts))),
    ("GSSAPIAuthentication", Idle),
    ("GSSAPIClientIdentity", Idle),
    ("GSSAPIDelegateCredentials", Idle),
    ("GSSAPIKexAlgorithms", Idle),
    ("GSSAPIKeyExchange", Idle),
    ("GSSAPIRenewalForcesRekey", Idle),
    ("GSSAPIServerIdentity", Idle),
    ("GSSAPITrustDns", Idle),
    ("HashKnownHosts", Honoured(|it| it.flag().map(Setting::HashKnownHosts))),
    ("HostbasedAcceptedAlgorithms", Idle),
    ("HostbasedAuthentication", Unheeded(&["no", "false"])),
    ("HostbasedKeyTypes", Idle),
    ("HostKeyAlgorithms", Honoured(|it| it.one().map(Setting::HostKeyAlgorithms))),
    ("HostKeyAlias", Honoured(|it| it.one().map(Setting::HostKeyAlias))),
    ("HostName", Honoured(|it| it.one().map(Setting::HostName))),
    ("IdentitiesOnly", Honoured(|it| it.flag().map(Setting::IdentitiesOnly))),
    ("IdentityAgent", Honoured(|it| it.one().map(Setting::IdentityAgent))),
    ("IdentityFile", Honoured(|it| it.one().map(Setting::IdentityFile))),
    ("IdentityFile2", Honoured(|it| it.one().map(Setting::IdentityFile))),
    ("IgnoreUnknown", Idle),
    ("IPQoS", Idle),
    ("KbdInteractiveAuthentication", Honoured(|it| it.flag().map(Setting::ByKeyboard))),
    ("KbdInteractiveDevices", Idle),
    ("KeepAlive", Idle),
    ("KexAlgorithms", Honoured(|it| it.one().map(Setting::KeyExchanges))),
    ("KnownHostsCommand", Unheeded(&["none"])),
    ("LocalCommand", Idle),
    ("LocalForward", Idle),
    ("LogLevel", Idle),
    ("LogVerbose", Idle),
    ("MACs", Honoured(|it| it.one().map(Setting::Macs))),
    ("NoHostAuthenticationForLocalhost", Idle),
    ("NumberOfPasswordPrompts", Idle),
    ("ObscureKeystrokeTiming", Idle),
    ("PasswordAuthentication", Honoured(|it| it.flag().map(Setting::ByPassword))),
    ("PermitLocalCommand", Idle),
    ("PermitRemoteOpen", Idle),
    ("PKCS11Provider", Unheeded(&["none"])),
    ("Port", Honoured(port)),
    ("PreferredAuthentications", Honoured(|it| it.one().map(Setting::PreferredAuthentications))),
    ("Protocol", Idle),
    ("ProxyCommand", Honoured(|it| it.command().map(Proxy::Command).map(Setting::Proxy))),
    ("ProxyJump", Honoured(|it| it.one().and_then(|jumps| jump_list(&jumps)).map(Setting::Proxy))),
    ("ProxyUseFdpass", Refused(&["no", "false"])),
    ("PubkeyAcceptedAlgorithms", Idle),
    ("PubkeyAcceptedKeyTypes", Idle),
    ("PubkeyAuthentication", Honoured(by_key)),
    ("RekeyLimit", Idle),
    ("RemoteCommand", Idle),
    ("RemoteForward", Idle),
    ("RequestTTY", Idle),
    ("RequiredRSASize", Unheeded(&["1024"])),
    ("RevokedHostKeys", Refused(&["none"])),
    ("RhostsRSAAuthentication", Idle),
    ("RSAAuthentication", Idle),
    ("SecurityKeyProvider", Idle),
    ("SendEnv", Idle),
    ("ServerAliveCountMax", Honoured(|it| it.number().map(Setting::AliveCount))),
    ("ServerAliveInterval", Honoured(|it| it.seconds().map(Setting::AliveInterval))),
    ("SessionType", Idle),
    ("SetEnv", Unheeded(&[])),
    ("SkeyAuthentication", Honoured(|it| it.flag().map(Setting::ByKeyboard))),
    ("SmartcardDevice", Unheeded(&["none"])),
    ("StdinNull", Idle),
    ("StreamLocalBindMask", Idle),
    ("StreamLocalBindUnlink", Idle),
    ("StrictHostKeyChecking", Honoured(host_key_checking)),
    ("SyslogFacility", Idle),
    ("Tag", Unheeded(&["none"])),
    ("TCPKeepAlive", Idle),
    ("TISAuthentication", Honoured(|it| it.flag().map(Setting::ByKeyboard))),
    ("Tunnel", Idle),
    ("TunnelDevice", Idle),
    ("UpdateHostKeys", Idle),
    ("UseKeychain", Idle),
    ("UsePrivilegedPort", Idle),
    ("User", Honoured(|it| it.one().map(Setting::User))),
    ("UserKnownHostsFile", Honoured(|it| it.files().map(Setting::UserKnownHosts))),
    ("VerifyHostKeyDNS", Idle),
    ("VersionAddendum", Idle),
    ("VisualHostKey", Idle),
    ("XAuthLocation", Idle),
];

/// What a keyword is, and how it is spelled. Case does not matter.
pub(super) fn keyword(word: &str) -> Option<(&'static str, Meaning)> {
    KEYWORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).copied()
}

impl Arguments<'_> {
    /// The only word.
    fn one(&self) -> Result<String, String> {
        match self.words {
            [word] if !word.text.is_empty() => Ok(word.text.clone()),
            _ => Err("one value".to_owned()),
        }
    }

    fn files(&self) -> Result<Vec<String>, String> {
        let files: Vec<String> = self.words.iter().map(|word| word.text.clone()).collect();
        let alone = files.len() == 1 || !files.iter().any(|file| file.eq_ignore_ascii_case("none"));
        if files.is_empty() || files.iter().any(String::is_empty) || !alone {
            return Err("file names, or `none` alone".to_owned());
        }
        Ok(files)
    }

    fn flag(&self) -> Result<bool, String> {
        match self.one().map(|word| word.to_ascii_lowercase()).as_deref() {
            Ok("yes" | "true") => Ok(true),
            Ok("no" | "false") => Ok(false),
            _ => Err("`yes` or `no`".to_owned()),
        }
    }

    fn number(&self) -> Result<u32, String> {
        self.one().ok().and_then(|word| word.parse().ok()).ok_or_else(|| "a number".to_owned())
    }

    /// A time: `90`, `1m30s`, `none`.
    fn seconds(&self) -> Result<Option<u32>, String> {
        let word = self.one()?;
        if word == "none" {
            return Ok(None);
        }
        seconds(&word).map(Some).ok_or_else(|| "a time as `90`, `1m30s`, or `none`".to_owned())
    }

    /// All of the line.
    fn command(&self) -> Result<String, String> {
        match self.rest.trim_start_matches(['=', ' ', '\t']) {
            "" => Err("a command".to_owned()),
            command => Ok(command.to_owned()),
        }
    }
}

fn seconds(word: &str) -> Option<u32> {
    let (mut total, mut rest) = (0_u32, word);
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next();
        let factor = match unit.map(|unit| unit.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 60 * 60,
            Some('d') => 24 * 60 * 60,
            Some('w') => 7 * 24 * 60 * 60,
            Some(_) => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[digits + usize::from(unit.is_some())..];
        if rest.is_empty() {
            return Some(total);
        }
    }
}

fn port(arguments: &Arguments<'_>) -> Result<Setting, String> {
    let port = arguments.one().ok().and_then(|word| port_number(&word));
    port.map(Setting::Port).ok_or_else(|| "a port".to_owned())
}

fn port_number(word: &str) -> Option<u16> {
    word.parse().ok().filter(|port| *port > 0)
}

fn by_key(arguments: &Arguments<'_>) -> Result<Setting, String> {
    match arguments.one().map(|word| word.to_ascii_lowercase()).as_deref() {
        Ok("yes" | "true" | "unbound" | "host-bound") => Ok(Setting::ByKey(true)),
        Ok("no" | "false") => Ok(Setting::ByKey(false)),
        _ => Err("`yes`, `no`, `unbound` or `host-bound`".to_owned()),
    }
}

fn host_key_checking(arguments: &Arguments<'_>) -> Result<Setting, String> {
    let checking = match arguments.one().map(|word| word.to_ascii_lowercase()).as_deref() {
        Ok("yes" | "true" | "ask") => HostKeyChecking::Strict,
        Ok("accept-new") => HostKeyChecking::AcceptNew,
        Ok("no" | "false" | "off") => HostKeyChecking::Off,
        _ => return Err("`yes`, `no`, `ask` or `accept-new`".to_owned()),
    };
    Ok(Setting::HostKeyChecking(checking))
}

fn address_family(arguments: &Arguments<'_>) -> Result<Setting, String> {
    let family = match arguments.one().map(|word| word.to_ascii_lowercase()).as_deref() {
        Ok("any") => AddressFamily::Any,
        Ok("inet") => AddressFamily::Inet,
        Ok("inet6") => AddressFamily::Inet6,
        _ => return Err("`any`, `inet` or `inet6`".to_owned()),
    };
    Ok(Setting::AddressFamily(family))
}

/// The hops of a `ProxyJump`.
pub(super) fn jump_list(text: &str) -> Result<Proxy, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Proxy::Jump(Vec::new()));
    }
    let hops: Option<Vec<Jump>> = text.split(',').map(jump).collect();
    hops.map(Proxy::Jump).ok_or_else(|| "hosts as `USER@HOST:PORT`, with commas between".to_owned())
}

fn jump(text: &str) -> Option<Jump> {
    let bare = text.strip_prefix("ssh://").unwrap_or(text);
    let bare = if bare.len() < text.len() { bare.strip_suffix('/').unwrap_or(bare) } else { bare };
    let (user, place) = match bare.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, bare),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() || host.contains(char::is_whitespace) || user.as_deref() == Some("") {
        return None;
    }
    let port = match port {
        Some(port) => Some(port_number(port)?),
        None => None,
    };
    Some(Jump { user, host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_in_every_spelling() {
        let hop = |user: Option<&str>, host: &str, port| Jump {
            user: user.map(ToOwned::to_owned),
            host: host.to_owned(),
            port,
        };
        for (text, hops) in [
            ("a", Some(vec![hop(None, "a", None)])),
            ("u@a:33,ssh://b:44/", Some(vec![hop(Some("u"), "a", Some(33)), hop(None, "b", Some(44))])),
            ("u@d@[::1]:5", Some(vec![hop(Some("u@d"), "::1", Some(5))])),
            ("None", Some(Vec::new())),
            ("a,,b", None),
            ("a:0", None),
            ("::1", None),
            ("@a", None),
        ] {
            assert_eq!(jump_list(text).ok(), hops.map(Proxy::Jump), "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("1m30s", Some(90)),
            ("2H", Some(7200)),
            ("1w1d", Some(691_200)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("-1", None),
            ("99999999w", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_found_in_any_case() {
        let sorted = |pair: &[(&str, Meaning)]| pair[0].0.to_lowercase() < pair[1].0.to_lowercase();
        for pair in KEYWORDS.windows(2) {
            assert!(sorted(pair), "{} {}", pair[0].0, pair[1].0);
        }
        assert_eq!(keyword("hostNAME").map(|(name, _)| name), Some("HostName"));
        assert!(keyword("Hostnam").is_none());
    }
}
