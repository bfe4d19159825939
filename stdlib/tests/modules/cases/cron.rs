//! Jobs as cron and snooze run them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::host::{change, is_root, sandbox, text, tool};

/// How long the job may take to be run.
const PATIENCE: Duration = Duration::from_secs(30);

/// cron, which has its own `/etc/cron.d`, spool and `/run`, and no other crontab.
struct Cron(Child);

impl Cron {
    /// Starts it with the crontabs in `directory`. Absent where mounts can't be made.
    fn start(cron: &Path, directory: &Path) -> Option<Self> {
        let script = "mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron && mkdir /var/spool/cron/crontabs \
            && mount --bind \"$1\" /etc/cron.d && { [ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab; } \
            && echo ready && exec \"$2\" -f";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .arg(directory)
            .arg(cron);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut word = [0; 6];
        let ready = std::io::Read::read_exact(child.stdout.as_mut()?, &mut word).is_ok();
        if !ready {
            assert!(std::env::var_os("CI").is_none(), "needs mounts of its own");
            eprintln!("skipped: needs mounts of its own");
            let _ = child.wait();
            return None;
        }
        Some(Self(child))
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn cron_runs_the_command_as_it_is_written() {
    if !is_root() {
        return;
    }
    let (Some(cron), Some(_)) = (tool("cron"), tool("unshare")) else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let host = sandbox(
        &directory,
        &[
            ("/usr/sbin/cron", ""),
            ("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
        ],
    );
    let result = directory.path().join("result");
    fs::write(&result, "").unwrap();
    fs::set_permissions(&result, fs::Permissions::from_mode(0o666)).unwrap();
    let command = format!("printf '%%|%s|%s\\n' \"$GREETING\" \"$(id -un)\" > {}", result.display());
    let mut job = json!({ "name": "greet", "schedule": "@reboot", "user": "nobody", "command": command });
    job["environment"] = json!({ "GREETING": "it's  fine" });
    change(&*host, "cron::job", &job);
    change(
        &*host,
        "cron::job",
        &json!({ "name": "off", "schedule": "@reboot", "disabled": true,
        "command": format!("echo wrong > {}", result.display()) }),
    );

    let crontabs = directory.path().join("root/etc/cron.d");
    let Some(running) = Cron::start(&cron, &crontabs) else { return };
    let deadline = Instant::now() + PATIENCE;
    while fs::read_to_string(&result).unwrap().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(running);
    assert_eq!(fs::read_to_string(&result).unwrap(), "%|it's  fine|nobody\n");
}

/// The next times at which snooze would run a job.
fn snooze_times(directory: &TempDir, job: &Value) -> Vec<String> {
    let host = sandbox(directory, &[("/usr/bin/snooze", "")]);
    change(&*host, "cron::job", job);
    let script = text(directory, &format!("/etc/sv/cron-{}/run", job["name"].as_str().unwrap()));
    let output = Command::new("sh")
        .args(["-c", &script.replace("exec snooze", "exec snooze -n")])
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| line.split('+').next().unwrap().to_owned()).collect()
}

#[test]
fn snooze_waits_for_the_times_that_cron_means() {
    if tool("snooze").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let times = |name: &str, schedule: &str| {
        snooze_times(&directory, &json!({ "name": name, "schedule": schedule, "command": "true" }))
    };
    for (name, schedule, minutes) in [
        ("a", "*/20 * * * *", &["00", "20", "40"][..]),
        ("b", "5,50-52/2 3 * * *", &["05", "50", "52"]),
        ("c", "0 0 1 jan *", &["00"]),
        ("d", "30 7 * * mon-fri", &["30"]),
    ] {
        let times = times(name, schedule);
        assert_eq!(times.len(), 5, "{schedule}");
        for time in times {
            let minute = &time[14..16];
            assert!(minutes.contains(&minute) && time.ends_with(":00"), "{schedule}: {time}");
            assert!(name != "c" || &time[5..13] == "01-01T00", "{schedule}: {time}");
        }
    }
}
