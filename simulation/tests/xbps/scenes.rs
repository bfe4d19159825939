//! What the stage was like when a scene began, and what was done to it unseen.

/// A scene of a transcript: it begins with a fresh stage at a comment.
pub struct Scene {
    pub transcript: &'static str,
    /// The beginning of the comment.
    pub begins: &'static str,
    /// Run in the root directory before it.
    pub setup: &'static [&'static str],
}

/// Something that is done unseen.
pub struct Direction {
    pub transcript: &'static str,
    /// A part of the comment before which it is done, or of the command behind which it is done.
    pub at: &'static str,
    pub command: &'static str,
}

/// Copies packages into a repository, and the signatures of those that have one.
macro_rules! lay {
    ($directory:literal, $($package:literal)+) => {
        concat!(
            "mkdir -p ", $directory, "; cd /srv/pkgs; cp ", $($package, ".* ",)+ $directory, "; cd ", $directory,
            "; xbps-rindex -a *.xbps"
        )
    };
}

/// Signs the repository and lets the server on port 8099 have it.
const SERVE: &str = "xbps-rindex --signedby 'Example <a@example.net>' --privkey /root/key.pem -s /srv/repo; \
    ln -s /srv/repo /srv/network/127.0.0.1:8099; \
    echo repository=http://127.0.0.1:8099 > /etc/xbps.d/00-repository-main.conf";
const SERVE_UNSIGNED: &str = "ln -s /srv/repo /srv/network/127.0.0.1:8099";
const STOP_SERVER: &str = "rm /srv/network/127.0.0.1:8099";

const OF_UPDATE: &str = lay!("/srv/repo",
    "chrony-4.6_1" "nomad-1.9.3_2" "docker-27.0.3_1" "docker-cli-27.0.3_1" "moby-27.0.3_1" "containerd-1.7.20_1"
    "iptables-1.8.10_1" "libseccomp-2.5.5_1" "openssh-9.9p1_1" "ntp-doc-4.2.8_1" "snooze-0.5_1" "linux-6.6_1"
    "linux6.6-6.6.60_1" "removed-packages-0.1.20240101_1" "vim-9.1_1" "ca-certificates-20240203_1");
const OF_PREVIEW: &str = lay!("/srv/repo",
    "chrony-4.6_1" "nomad-1.9.3_2" "docker-27.0.3_1" "docker-cli-27.0.3_1" "moby-27.0.3_1" "containerd-1.7.20_1"
    "iptables-1.8.10_1" "libseccomp-2.5.5_1" "openssh-9.9p1_1" "ntp-doc-4.2.8_1" "snooze-0.5_1" "linux-6.6_1"
    "linux6.6-6.6.60_1" "removed-packages-0.1.20241101_1" "vim-9.1_1" "ca-certificates-20240203_1"
    "base-system-0.114_1" "runit-void-20241016_1");
const OF_MANY: &str = lay!("/srv/repo",
    "linux-6.6_1" "ca-certificates-20240203_1" "linux6.6-6.6.62_1" "chrony-4.6_1" "logrotate-3.22_1" "moby-27.0.3_1"
    "consul-1.20.1_1" "nomad-1.9.3_2" "containerd-1.7.20_1" "cronie-1.7.2_1" "nvi-1.81.6_1" "dcron-4.5_1"
    "openntpd-6.8p1_1" "openssh-9.9p1_1" "docker-27.0.3_1" "removed-packages-0.1.20241101_1" "docker-cli-27.0.3_1"
    "snooze-0.5_1" "texlive-2024_1" "iptables-1.8.10_1" "vim-9.1_1" "iptables-nft-1.8.10_1" "libseccomp-2.5.5_1");
const OF_ERRORS: &str = lay!("/srv/repo",
    "chrony-4.6_1" "ntp-4.2.8p18_1" "openntpd-6.8p1_1" "libseccomp-2.5.5_1" "busybox-huge-1.36_1" "kbd-2.6_1"
    "snooze-0.5_1" "nomad-driver-podman-0.6_1" "hashi-ui-1.3_1" "vault-1.15_1" "nomad-1.9.3_2" "logrotate-3.22_1"
    "cronie-1.7.2_1" "dcron-4.5_1" "timesync-1.0_1" "consul-1.20.1_1" "consul-pre-1.20.1_1" "bigfont-1.0_1"
    "manyfiles-1.0_1" "texlive-2024_1");
const OF_SELF_UPDATE: &str = lay!("/srv/repo",
    "ca-certificates-20240203_1" "chrony-4.6_1" "libseccomp-2.5.5_1" "libxbps-0.60.6_1" "nomad-1.9.3_2"
    "xbps-0.60.6_1" "xtools-0.67_1" "snooze-0.5_1" "vim-9.1_1");
const OF_FEW: &str = lay!("/srv/repo", "chrony-4.6_1" "libseccomp-2.5.5_1" "nomad-1.9.3_2");
const OF_NEW: &str = lay!("/srv/repo", "chrony-4.7_1" "libseccomp-2.5.5_1" "nomad-1.9.4_1");
const LOCAL: &str = lay!("/srv/local", "chrony-4.6_1" "libseccomp-2.5.5_1");
const USE_LOCAL: &str = "echo repository=/srv/local > /etc/xbps.d/00-repository-main.conf";

const USE_REPO: &str = "echo repository=/srv/repo > /etc/xbps.d/00-repository-main.conf";

const fn scene(transcript: &'static str, begins: &'static str, setup: &'static [&'static str]) -> Scene {
    Scene { transcript, begins, setup }
}

pub const SCENES: &[Scene] = &[
    scene("update", "scene 1:", &[OF_UPDATE]),
    scene("update", "scene 2:", &[OF_UPDATE, SERVE]),
    scene("self-update", "scene 1:", &[OF_SELF_UPDATE]),
    scene("self-update", "scene 2:", &[OF_SELF_UPDATE]),
    scene("self-update", "scene 3:", &[OF_SELF_UPDATE, SERVE]),
    scene("self-update", "scene 4:", &[OF_SELF_UPDATE]),
    scene("self-update", "scene 5:", &[OF_SELF_UPDATE]),
    scene("preview", "scene 1:", &[OF_PREVIEW]),
    scene(
        "preview",
        "scene 2:",
        &[OF_FEW, lay!("/srv/second", "chrony-4.6.1_1" "libseccomp-2.5.5_1" "nomad-1.9.4_1")],
    ),
    scene(
        "preview",
        "scene 3:",
        &[
            lay!("/srv/repo", "chrony-4.6_1" "libseccomp-2.5.5_1"),
            lay!("/srv/other", "chrony-4.7_1" "libseccomp-2.5.5_1" "nomad-1.9.4_1"),
        ],
    ),
    scene("preview", "scene 4:", &[OF_NEW, SERVE, LOCAL, USE_LOCAL]),
    scene("preview", "scene 5:", &[OF_NEW, "rm /srv/repo/*.sig2", SERVE_UNSIGNED, LOCAL, USE_LOCAL]),
    scene("hold", "scene 1:", &[OF_MANY]),
    scene("hold", "scene 2:", &[OF_MANY]),
    scene("hold", "scene 3:", &[OF_MANY, SERVE]),
    scene("files", "scene 1:", &[OF_MANY]),
    scene("files", "scene 2:", &[OF_MANY, SERVE]),
    scene("alternatives2", "two providers", &[OF_MANY]),
    scene("locks", "the first xbps-install", &[OF_MANY]),
    scene("errors2", "scene 1:", &[OF_ERRORS]),
    scene("errors2", "scene 2:", &[OF_ERRORS]),
    scene("errors2", "scene 3:", &[OF_ERRORS]),
    scene("errors2", "scene 4:", &[OF_ERRORS]),
    scene("errors2", "scene 5:", &[OF_ERRORS]),
    scene("errors2", "scene 6:", &[OF_ERRORS, SERVE]),
    scene("errors2", "scene 7:", &[OF_FEW, SERVE, USE_REPO]),
    scene("errors2", "scene 8:", &[OF_FEW]),
    scene("errors2", "scene 9:", &[OF_ERRORS]),
    scene("errors2", "scene 10:", &[OF_ERRORS, SERVE]),
];

const fn direction(transcript: &'static str, at: &'static str, command: &'static str) -> Direction {
    Direction { transcript, at, command }
}

pub const DIRECTIONS: &[Direction] = &[
    direction(
        "update",
        "the repository has an older version without reverts",
        "cd /srv/repo; rm openssh-9.9p2_1.*; xbps-rindex -c .; cp /srv/pkgs/openssh-9.9p1_1.* .; \
         xbps-rindex -a openssh-9.9p1_1.*.xbps",
    ),
    direction("update", "several packages, a removal", "cp /srv/pkgs/linux6.6-6.6.62_1.* /srv/repo"),
    direction("files", "the server is gone", STOP_SERVER),
    direction("errors2", "the server does not answer any more", STOP_SERVER),
    direction(
        "errors2",
        "xbps-rindex --signedby \"Other",
        "cd /srv/repo; xbps-rindex -c .; xbps-rindex --privkey /root/otherkey.pem -S *.xbps",
    ),
    direction("errors2", "the server is gone, the key is known", STOP_SERVER),
];

/// The transcripts of the first recording, which were one session on one stage, in the order of that session.
pub const FIRST: &[&str] = &[
    "query",
    "install",
    "query-installed",
    "pkgdb",
    "reconfigure",
    "alternatives",
    "remove",
    "errors",
    "remote-repo",
    "lock",
];

/// What was done before a transcript of the first session.
pub const FIRST_DIRECTIONS: &[(&str, &str)] = &[
    (
        "query",
        lay!("/srv/repo", "chrony-4.6_1" "docker-27.0_1" "iptables-1.8.10_1" "nomad-1.9.3_2" "openssh-9.9_1"),
    ),
    ("query", "touch '/var/db/xbps/keys/60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d.plist'"),
    (
        "remote-repo",
        "rm /srv/repo/*.sig2; cd /srv/repo; xbps-rindex --privkey /root/otherkey.pem -S *.xbps; \
         xbps-rindex --signedby 'Example <a@example.net>' --privkey /root/key.pem -s /srv/repo; \
         ln -s /srv/repo /srv/network/127.0.0.1:8099",
    ),
];
