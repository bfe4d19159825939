//! What the simulation does not agree with, and why.

/// A transcript, the beginning of a command, and the reason. Each stands for one command, which is run all the same; in a
/// transcript, they are used up in order.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("update", "xbps-install -Suy   # stdout and stderr are a terminal", TERMINAL),
    ("update", "xbps-install -y linux   # on a terminal", TERMINAL),
    ("update", "xbps-install snooze   # on a terminal", TERMINAL),
    ("update", "cat /var/log/httpd.log", SERVER_LOG),
    ("preview", "cat /var/log/httpd.log", SERVER_LOG),
    ("preview", "find / -xdev -newer /tmp/mark2", "a fetched index has the time of the one on the server"),
    ("files", "cat /var/log/httpd.log; find", SERVER_LOG),
    ("files", "cat /var/log/httpd.log", SERVER_LOG),
    ("files", "cat /var/log/httpd.log", SERVER_LOG),
    ("lock", "flock /var/db/xbps/lock", "busybox has no flock"),
    ("locks", "xbps-install -fy texlive >/dev/null & sleep 1; xbps-install -y nomad >/dev/null & ", MIXED),
    ("errors2", "xbps-install -r /mnt/small -R /srv/repo -y manyfiles", ARCHIVE_ORDER),
    ("errors2", "df -k /mnt/small; ls", ARCHIVE_ORDER),
    ("errors2", "ls -l /var/cache/xbps | tr -s", PARTIAL_DOWNLOAD),
    ("errors2", "cp /srv/repo/x86_64-repodata /tmp/good; ls -l", "the size of an index"),
    ("errors2", "xbps-install -n nomad", BROKEN_DATABASE),
    ("errors2", "xbps-install -y nomad", BROKEN_DATABASE),
    ("errors2", "xbps-install -n nomad", BROKEN_DATABASE),
    (
        "errors2",
        "xbps-install -y texlive snooze nomad & sleep 1",
        "a script ends along with the tool that runs it",
    ),
];

const TERMINAL: &str = "a terminal shows a table";
const SERVER_LOG: &str = "there is no server that keeps a log";
const MIXED: &str = "two processes write into one line";
const ARCHIVE_ORDER: &str = "the order of files in an archive";
const PARTIAL_DOWNLOAD: &str = "a download comes at once or not at all";
const BROKEN_DATABASE: &str =
    "how often a broken database is tried, and an error number left over from something else";

/// A transcript, the comments at the beginning and behind the end of a part that is not played, what is run instead of it,
/// and the reason.
pub const SKIPPED: &[(&str, &str, &str, &str, &str)] = &[
    (
        "errors2",
        "while files are unpacked",
        "scene 10",
        "true",
        "how many files were dealt with when a process was killed",
    ),
    (
        "errors2",
        "scene 10",
        "the server is gone, the key is known",
        "yes | xbps-install -S; xbps-install -y snooze bigfont",
        "a server that is slow, or breaks off",
    ),
];
