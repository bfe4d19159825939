use std::path::Path;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Plan, State};
use refrain_engine::step::Step;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
use refrain_engine::system::{Content, View};
use serde_json::{Value, json};

use super::home::Home;
use super::present::{Found, Present};
use crate::accounts::Accounts;
use crate::accounts::defaults::Defaults;
use crate::accounts::testing::accounts;

const HASH: &str = "$5$saltsalt$tYCmAcqS7QfOLFbpVtDBSuzxSgJl2SpUKJkLsSVLNo9";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n";
const SHADOW: &str = "root:*:20000::::::\nada:!:20000:0:99999:7:::\n";
const GROUP: &str = "root:x:0:\nwheel:x:10:root,ada\naudio:x:63:\nada:x:1000:\n";
const GSHADOW: &str = "root:*::\nwheel:!::root,ada\naudio:!::\nada:!::\n";

fn found(accounts: Accounts, home: &str) -> Found {
    let login = "USERGROUPS_ENAB yes\nPASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\n";
    let mut place = Home::default();
    place.path = home.into();
    Found {
        accounts,
        defaults: Defaults::parse(Some(login), None),
        home: place,
        home_owner: None,
        today: 20_500,
    }
}

fn usual(home: &str) -> Found {
    found(accounts(PASSWD, Some(SHADOW), GROUP, Some(GSHADOW)), home)
}

fn present(arguments: Value) -> Present {
    serde_json::from_value(arguments).unwrap()
}

fn plan(arguments: Value, found: &Found) -> Result<Plan, Failure> {
    present(arguments).plan(found)
}

fn texts(plan: &Plan) -> Vec<String> {
    plan.iter().map(|step| step.describe()).collect()
}

/// The lines that are new or other ones in a file after the steps.
fn lines(plan: &[Box<dyn Step>], path: &str, before: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let overlay = Overlay::new(Rc::new(Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap()));
    plan.iter().for_each(|step| step.predict(&overlay).unwrap());
    let Some(Content::Known(after)) = overlay.read(Path::new(path)).unwrap() else { panic!("no {path}") };
    let after = String::from_utf8(after).unwrap();
    after.lines().filter(|line| !before.lines().any(|known| known == *line)).map(ToOwned::to_owned).collect()
}

#[test]
fn a_new_account_is_like_the_hosts_others() {
    let steps =
        plan(json!({ "name": "grace", "groups": ["wheel", "audio"] }), &usual("/home/grace")).unwrap();
    assert_eq!(
        texts(&steps),
        [
            "create user grace: uid 1001, a group of its own (gid 1001), home /home/grace, shell /bin/sh, \
             +group wheel, +group audio",
            "make directory /home/grace (mode 0700)",
            "set mode 0755 (was 0700), owner 1001 (was 0), group 1001 (was 0) of /home/grace",
        ]
    );
    assert_eq!(lines(&steps, "/etc/passwd", PASSWD), ["grace:x:1001:1001::/home/grace:/bin/sh"]);
    assert_eq!(lines(&steps, "/etc/shadow", SHADOW), ["grace:!:20500:0:99999:7:::"]);
    assert_eq!(
        lines(&steps, "/etc/group", GROUP),
        ["wheel:x:10:root,ada,grace", "audio:x:63:grace", "grace:x:1001:"]
    );
    assert_eq!(
        lines(&steps, "/etc/gshadow", GSHADOW),
        ["wheel:!::root,ada,grace", "audio:!::grace", "grace:!::"]
    );
}

#[test]
fn an_account_of_the_system_has_no_home_and_no_age() {
    let steps = plan(json!({ "name": "web", "system": true, "shell": "/sbin/nologin" }), &usual("/home/web"))
        .unwrap();
    let text = "create user web: uid 999, a group of its own (gid 999), home /home/web, shell /sbin/nologin";
    assert_eq!(texts(&steps), [text]);
    assert_eq!(lines(&steps, "/etc/shadow", SHADOW), ["web:!:20500::::::"]);
}

#[test]
fn a_group_of_the_same_name_is_taken() {
    let group = format!("{GROUP}web:x:555:\n");
    let found = found(accounts(PASSWD, Some(SHADOW), &group, None), "/srv");
    let steps = plan(json!({ "name": "web", "home": "/srv", "create_home": false }), &found).unwrap();
    assert_eq!(texts(&steps), ["create user web: uid 1001, home /srv, shell /bin/sh"]);
    assert_eq!(lines(&steps, "/etc/passwd", PASSWD), ["web:x:1001:555::/srv:/bin/sh"]);
}

#[test]
fn an_account_that_is_right_is_left_alone() {
    let mut found = usual("/home/ada");
    for arguments in [
        json!({ "name": "ada", "create_home": false }),
        json!({
            "name": "ada", "uid": 1000, "group": "ada", "groups": "wheel", "comment": "Ada", "home": "/home/ada",
            "shell": "/bin/sh", "create_home": false, "lock": true, "expires": "never", "password_max_days": 99999,
            "password_inactive_days": -1,
        }),
        json!({ "name": "ada", "groups": [], "append": true, "create_home": false }),
        json!({ "name": "ada", "group": 1000, "create_home": false, "system": true }),
        json!({ "name": "ada", "password": HASH, "update_password": "on_create", "create_home": false }),
    ] {
        assert_eq!(texts(&plan(arguments.clone(), &found).unwrap()), [""; 0], "{arguments}");
    }
    let shadow = format!("root:*:20000::::::\nada:{HASH}:19000:0:99999:7:::\n");
    found.accounts = accounts(PASSWD, Some(&shadow), GROUP, None);
    let arguments = json!({ "name": "ada", "password": HASH, "create_home": false });
    assert_eq!(texts(&plan(arguments, &found).unwrap()), [""; 0], "the day of the change stays");
}

#[test]
fn what_is_given_is_changed() {
    let case = |arguments: Value, text: &str, file: &str, before: &str, expected: &[&str]| {
        let mut all = json!({ "name": "ada", "create_home": false });
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let steps = plan(all, &usual("/home/ada")).unwrap();
        assert_eq!(texts(&steps), [format!("change user ada: {text}")]);
        assert_eq!(lines(&steps, file, before), expected, "{arguments}");
    };
    let shell = "ada:x:1000:1000:Ada:/home/ada:/bin/zsh";
    case(
        json!({ "shell": "/bin/zsh" }),
        "shell \"/bin/zsh\" (was \"/bin/sh\")",
        "/etc/passwd",
        PASSWD,
        &[shell],
    );
    let line = "ada:x:1000:1000:Ada L.:/srv/ada:/bin/sh";
    let text = "comment \"Ada L.\" (was \"Ada\"), home \"/srv/ada\" (was \"/home/ada\")";
    case(json!({ "comment": "Ada L.", "home": "/srv/ada" }), text, "/etc/passwd", PASSWD, &[line]);
    let line = "ada:x:2000:63:Ada:/home/ada:/bin/sh";
    let text = "uid 2000 (was 1000), gid 63 (was 1000)";
    case(json!({ "uid": 2000, "group": "audio" }), text, "/etc/passwd", PASSWD, &[line]);
    let both = ["wheel:x:10:root", "audio:x:63:ada"];
    case(json!({ "groups": ["audio"] }), "+group audio, -group wheel", "/etc/group", GROUP, &both);
    case(json!({ "groups": "audio", "append": true }), "+group audio", "/etc/group", GROUP, &both[1..]);
    let line = "wheel:!::root";
    case(json!({ "groups": [] }), "-group wheel", "/etc/gshadow", GSHADOW, &[line]);
    let line = format!("ada:{HASH}:20500:0:99999:7:::");
    case(json!({ "password": HASH }), "password", "/etc/shadow", SHADOW, &[&line]);
    let line = format!("ada:!{HASH}:20500:0:99999:7:::");
    case(json!({ "password": HASH, "lock": true }), "password", "/etc/shadow", SHADOW, &[&line]);
    let line = "ada:!:20000:1:90:7:5:20849:";
    let days = json!({
        "password_min_days": 1, "password_max_days": 90, "password_inactive_days": 5, "expires": "2027-01-31"
    });
    let text = "1 days before a password may be changed, 90 days until a password has to be changed, \
                5 days of grace after that, expires 2027-01-31";
    case(days, text, "/etc/shadow", SHADOW, &[line]);
    let text = "no days of warning before that";
    case(json!({ "password_warn_days": -1 }), text, "/etc/shadow", SHADOW, &["ada:!:20000:0:99999::::"]);
}

#[test]
fn a_password_is_never_shown() {
    for found in
        [usual("/home/ada"), found(accounts(&PASSWD.replace(":x:", ":!:"), None, GROUP, None), "/home/ada")]
    {
        let arguments = json!({ "name": "ada", "password": HASH, "shell": "/bin/zsh", "create_home": false });
        let steps = plan(arguments, &found).unwrap();
        for report in steps.iter().flat_map(|step| step.reports()) {
            let shown = format!("{} {}", report.text, report.diff.unwrap_or_default());
            assert!(!shown.contains(&HASH[3..20]), "{shown}");
            assert!(shown.contains("content not shown"), "{shown}");
        }
    }
}

#[test]
fn without_shadow_the_password_is_in_passwd() {
    let passwd = "ada:!:1000:1000:Ada:/home/ada:/bin/sh\n";
    let found = found(accounts(passwd, None, GROUP, None), "/home/ada");
    let steps = plan(json!({ "name": "ada", "password": HASH, "create_home": false }), &found).unwrap();
    let line = format!("ada:{HASH}:1000:1000:Ada:/home/ada:/bin/sh");
    assert_eq!(lines(&steps, "/etc/passwd", passwd), [line]);
    let steps = plan(json!({ "name": "web", "create_home": false }), &found).unwrap();
    assert_eq!(
        lines(&steps, "/etc/passwd", passwd),
        ["web:!:1001:1001::/home/ada:/bin/sh".replace("ada", "web")]
    );
    let failure = plan(json!({ "name": "ada", "expires": "2027-01-31" }), &found).err().unwrap();
    assert_eq!(failure.to_string(), "`expires 2027-01-31` has no place: the host has no /etc/shadow");
}

#[test]
fn a_password_moves_to_shadow_when_it_changes() {
    let passwd = "ada:$1$old:1000:1000:Ada:/home/ada:/bin/sh\n";
    let found = found(accounts(passwd, Some("root:*:1::::::\n"), GROUP, None), "/home/ada");
    let steps = plan(json!({ "name": "ada", "lock": true, "create_home": false }), &found).unwrap();
    assert_eq!(lines(&steps, "/etc/shadow", "root:*:1::::::"), ["ada:!$1$old:20500:0:99999:7:::"]);
    assert_eq!(lines(&steps, "/etc/passwd", passwd), ["ada:x:1000:1000:Ada:/home/ada:/bin/sh"]);
}

#[test]
fn a_home_moves_along_with_its_users_numbers() {
    let mut found = usual("/home/ada");
    let arguments = json!({ "name": "ada", "uid": 2000, "create_home": false });
    found.home_owner = Some(1000);
    let steps = texts(&plan(arguments.clone(), &found).unwrap());
    assert_eq!(
        steps,
        ["give uid 2000 what uid 1000 owns in /home/ada", "change user ada: uid 2000 (was 1000)"]
    );
    let regroup = json!({ "name": "ada", "group": "audio", "create_home": false });
    let steps = texts(&plan(regroup, &found).unwrap());
    assert_eq!(steps[0], "give group 63 what uid 1000 owns of group 1000 in /home/ada");
    found.home_owner = Some(0);
    assert_eq!(
        texts(&plan(arguments, &found).unwrap()).len(),
        1,
        "another one's directory stays another one's"
    );
}

#[test]
fn homes_are_made_for_those_who_live_there() {
    let makes = |arguments: Value, home: &str, passwd: &str| {
        let found = found(accounts(passwd, Some(SHADOW), GROUP, None), home);
        texts(&plan(arguments, &found).unwrap()).iter().any(|text| text.contains("make directory"))
    };
    let daemon = "www:x:33:33::/var/www:/sbin/nologin\n";
    assert!(makes(json!({ "name": "ada" }), "/home/ada", PASSWD), "also later");
    assert!(!makes(json!({ "name": "www", "groups": ["audio"] }), "/var/www", daemon), "no ordinary user");
    assert!(makes(json!({ "name": "www", "create_home": true }), "/var/www", daemon));
    assert!(!makes(json!({ "name": "new" }), "/nonexistent", PASSWD));
    assert!(makes(json!({ "name": "new", "uid": 500 }), "/home/new", PASSWD), "that was asked for");
    assert!(!makes(json!({ "name": "new", "create_home": false }), "/home/new", PASSWD));
}

#[test]
fn contradictions_are_errors() {
    let case = |arguments: Value, message: &str, hint: &str| {
        let failure = plan(arguments, &usual("/home/x")).err().unwrap();
        assert_eq!((failure.to_string().as_str(), failure.hint().as_deref()), (message, Some(hint)));
    };
    case(
        json!({ "name": "new", "uid": 1000 }),
        "the uid 1000 is that of the user `ada`",
        "choose another one, or say `non_unique: true`",
    );
    case(json!({ "name": "new", "group": "adaa" }), "the host has no group `adaa`", "did you mean `ada`?");
    case(
        json!({ "name": "new", "group": 77 }),
        "the host has no group with the gid 77",
        "make it first: group::present(…)",
    );
    case(
        json!({ "name": "ada", "groups": ["docker"] }),
        "the host has no group `docker`",
        "make it first: group::present(\"docker\")",
    );
    case(
        json!({ "name": "ada", "lock": false }),
        "an account without a password can't be unlocked: anybody could get in",
        "give it a `password`, or leave `lock` out",
    );
    let unique = json!({ "name": "new", "uid": 1000, "non_unique": true, "create_home": false });
    assert!(plan(unique, &usual("/home/x")).is_ok());
    for arguments in [
        json!({ "name": "new", "comment": "a:b" }),
        json!({ "name": "new", "comment": "a\nb" }),
        json!({ "name": "a:b" }),
        json!({ "name": "new", "shell": "zsh" }),
        json!({ "name": "new", "update_password": "never" }),
    ] {
        assert!(serde_json::from_value::<Present>(arguments.clone()).is_err(), "{arguments}");
    }
}
