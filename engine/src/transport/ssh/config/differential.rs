//! Generated configurations mean what the system's own ssh says that they mean.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::diagnostic::Diagnostic;
use crate::transport::ssh::LocalUser;

/// What may stand in a line. What is wrong with some of them is wrong for ssh, too.
const LINES: &[&str] = &[
    "HostName %h.example.com",
    "HostName 192.0.2.7",
    "hostname=WEB1",
    "HostName %%h",
    "User alice",
    "User = \"bob\"",
    "user carol # not dave",
    "Port 2222",
    "Port=\t33",
    "IdentityFile ~/.ssh/%h",
    "IdentityFile \"~/my keys/id\"",
    "IdentityFile ~/my\\ keys/id",
    "IdentityFile 'a\"b'",
    "CertificateFile ~/.ssh/c1",
    "CertificateFile ~/.ssh/c2",
    "IdentitiesOnly yes",
    "IdentitiesOnly False",
    "IdentityAgent none",
    "IdentityAgent ~/agent",
    "ProxyJump gate",
    "ProxyJump u@gate:33,inner",
    "ProxyJump none",
    "ProxyCommand nc -X 5 %h %p # all of it",
    "ProxyCommand=none",
    "UserKnownHostsFile a \"b c\"",
    "UserKnownHostsFile /dev/null",
    "GlobalKnownHostsFile /etc/known",
    "StrictHostKeyChecking accept-new",
    "StrictHostKeyChecking NO",
    "StrictHostKeyChecking ask",
    "HostKeyAlias other",
    "ConnectTimeout 1m10s",
    "ConnectTimeout none",
    "ServerAliveInterval none",
    "ServerAliveInterval 15",
    "ServerAliveCountMax 7",
    "PreferredAuthentications publickey,password",
    "PubkeyAuthentication no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "ChallengeResponseAuthentication yes",
    "Ciphers aes128-ctr,aes256-ctr",
    "KexAlgorithms curve25519-sha256",
    "MACs hmac-sha2-256",
    "HostKeyAlgorithms ssh-ed25519",
    "AddressFamily inet6",
    "BindAddress 127.0.0.1",
    "HashKnownHosts yes",
    "Compression yes",
    "SendEnv LANG LC_*",
    "",
    "# Port 1",
    "\tForwardAgent no  ",
    "Zebra 1",
    "Host *",
    "Host web1",
    "Host web? !web1",
    "Host !web2 *",
    "host=db.* \"a b\"",
    "Host WEB1",
    "Match all",
    "Match host web*,db.*",
    "Match host *.example.com",
    "Match !host web1",
    "Match originalhost web1",
    "Match originalhost W*,!web2 user root",
    "Match user alice,bob",
    "Match !user carol localuser *",
    "Match final",
    "Match final host *.example.com",
    "Match host \"web1,web2\"",
    "Include included",
];

/// What stands in few lines, and is wrong.
const WRONG: &[&str] = &[
    "Port 0",
    "Port",
    "Port 22 23",
    "Port x",
    "User \"a",
    "IdentitiesOnly maybe",
    "Match",
    "Match hots a",
    "Match host",
    "Match all host a",
    "Host",
    "ProxyJump a:b",
    "ConnectTimeout 5x",
    "Prot 22",
    "StrictHostKeyChecking often",
];

fn lines() -> impl Strategy<Value = Vec<String>> {
    let usual = prop::sample::select(LINES).prop_map(ToOwned::to_owned);
    let wrong = prop::sample::select(WRONG).prop_map(ToOwned::to_owned);
    let line = prop_oneof![150 => usual.clone(), 1 => wrong];
    let line = (line, 0..3_usize, any::<bool>())
        .prop_map(|(line, indent, cr)| format!("{}{line}{}", " ".repeat(indent), if cr { "\r" } else { "" }));
    prop::collection::vec(line, 0..14)
}

/// What ssh says, by the keyword; `None` when it refuses the configuration.
fn said_by_ssh(config: &Path, host: &str) -> Option<HashMap<String, Vec<String>>> {
    let output = Command::new("ssh").arg("-G").arg("-F").arg(config).arg(host).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut said: HashMap<String, Vec<String>> = HashMap::new();
    for (keyword, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        said.entry(keyword.to_owned()).or_default().push(value.to_owned());
    }
    output.status.success().then_some(said)
}

/// What we say, in the words of ssh. What was not said is absent.
fn said_by_us(
    config: &Path,
    host: &str,
    user: &LocalUser,
) -> Result<Vec<(&'static str, Vec<String>)>, Diagnostic> {
    let config = Files::default().of(Some(config), user)?;
    let question = Question { host, local_user: &user.name, said: HostOptions::default() };
    let it = config.of(question);
    let one = |value: Option<String>| value.into_iter().collect::<Vec<_>>();
    let flag = |value: Option<bool>| one(value.map(|yes| if yes { "yes" } else { "no" }.to_owned()));
    let list = |value: Option<Vec<String>>| one(value.map(|files| files.join(" ")));
    let number = |value: Option<u32>| one(value.map(|number| number.to_string()));
    // ssh says it with the home directory in it.
    let expanded = |path: String| user.expand(Path::new(&path)).display().to_string();
    let checking = it.host_key_checking.map(|checking| match checking {
        HostKeyChecking::Strict => "ask",
        HostKeyChecking::AcceptNew => "accept-new",
        HostKeyChecking::Off => "false",
    });
    let family = it.address_family.map(|family| match family {
        AddressFamily::Any => "any",
        AddressFamily::Inet => "inet",
        AddressFamily::Inet6 => "inet6",
    });
    let timeout =
        it.connect_timeout.map(|seconds| if seconds == 0 { "none".to_owned() } else { seconds.to_string() });
    let (mut jump, mut command) = (Vec::new(), Vec::new());
    match it.proxy {
        // `none` is nothing to speak of.
        Some(Proxy::Jump(hops)) if !hops.is_empty() => {
            jump.push(hops.iter().map(hop).collect::<Vec<_>>().join(","))
        }
        Some(Proxy::Command(line)) if line != "none" => command.push(line),
        _ => {}
    }
    Ok(vec![
        ("hostname", one(it.host_name)),
        ("user", one(it.user)),
        ("port", one(it.port.map(|port| port.to_string()))),
        ("identityfile", it.identity_files),
        ("certificatefile", it.certificate_files),
        ("identitiesonly", flag(it.identities_only)),
        ("identityagent", one(it.identity_agent.map(expanded))),
        ("proxyjump", jump),
        ("proxycommand", command),
        ("userknownhostsfile", list(it.user_known_hosts)),
        ("globalknownhostsfile", list(it.global_known_hosts)),
        ("stricthostkeychecking", one(checking.map(ToOwned::to_owned))),
        ("hostkeyalias", one(it.host_key_alias)),
        ("connecttimeout", one(timeout)),
        ("serveraliveinterval", number(it.alive_interval)),
        ("serveralivecountmax", number(it.alive_count)),
        ("preferredauthentications", one(it.preferred_authentications)),
        ("pubkeyauthentication", one(it.by_key.map(|yes| yes.to_string()))),
        ("passwordauthentication", flag(it.by_password)),
        ("kbdinteractiveauthentication", flag(it.by_keyboard)),
        ("ciphers", one(it.ciphers)),
        ("kexalgorithms", one(it.key_exchanges)),
        ("macs", one(it.macs)),
        ("hostkeyalgorithms", one(it.host_key_algorithms)),
        ("addressfamily", one(family.map(ToOwned::to_owned))),
        ("bindaddress", one(it.bind_address)),
        ("hashknownhosts", flag(it.hash_known_hosts)),
    ])
}

fn hop(jump: &Jump) -> String {
    let user = jump.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = jump.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", jump.host)
}

/// The values that stand for nothing being said.
const DEFAULTS: &[(&str, &str)] = &[
    ("port", "22"),
    ("identitiesonly", "no"),
    ("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
    ("stricthostkeychecking", "ask"),
    ("connecttimeout", "none"),
    ("serveraliveinterval", "0"),
    ("serveralivecountmax", "3"),
    ("pubkeyauthentication", "true"),
    ("passwordauthentication", "yes"),
    ("kbdinteractiveauthentication", "yes"),
    ("addressfamily", "any"),
    ("hashknownhosts", "no"),
];

#[test]
fn configurations_mean_what_ssh_says() {
    if Command::new("ssh").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "ssh is missing");
        eprintln!("skipped: ssh is missing");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    let user = LocalUser::current();
    let mut runner = TestRunner::new_with_rng(
        Cases { cases: 400, failure_persistence: None, ..Cases::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let hosts = prop::sample::select(&["web1", "web2", "WEB1", "db.example.com", "192.0.2.7"][..]);
    let case = (lines(), lines(), hosts);
    let result = runner.run(&case, |(lines, included, host)| {
        let place = directory.path().join("inc luded").display().to_string();
        let text = lines.join("\n").replace("Include included", &format!("Include \"{place}\" /nowhere/*"));
        fs::write(&config, format!("IgnoreUnknown Ze*\n{text}\n")).unwrap();
        fs::write(
            &place,
            format!("IgnoreUnknown Ze*\n{}", included.join("\n").replace("Include included", "")),
        )
        .unwrap();
        let (ssh, ours) = (said_by_ssh(&config, host), said_by_us(&config, host, &user));
        let (Some(ssh), Ok(ours)) = (&ssh, &ours) else {
            prop_assert_eq!(ssh.is_some(), ours.is_ok(), "{:?}", ours.as_ref().err());
            return Ok(());
        };
        for (keyword, mut values) in ours.iter().cloned() {
            let theirs = ssh.get(keyword).cloned().unwrap_or_default();
            let standard = DEFAULTS.iter().find(|(name, _)| *name == keyword).map(|(_, value)| *value);
            match (values.is_empty(), keyword) {
                // Of these, ssh has long lists of its own, or names in the home directory.
                (
                    true,
                    "identityfile" | "ciphers" | "kexalgorithms" | "macs" | "hostkeyalgorithms"
                    | "userknownhostsfile",
                ) => continue,
                (true, "user") => values.push(user.name.clone()),
                (true, _) => values.extend(standard.map(ToOwned::to_owned)),
                _ => {}
            }
            let theirs: Vec<String> = match keyword {
                "stricthostkeychecking" => theirs.iter().map(|value| value.replace("true", "ask")).collect(),
                _ => theirs,
            };
            prop_assert_eq!(&values, &theirs, "{}", keyword);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text: String) {
        let _ = directive::read("config", &text);
    }

    #[test]
    fn nor_are_lines_that_are_nearly_right(text in "(Host|Match|Port|User|Include)?[ =\t\"'#!,*\\\\a-cé\r\n]{0,30}") {
        let _ = directive::read("config", &text);
        let _ = SshArguments::default().add(&text);
    }
}
