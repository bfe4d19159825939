//! Options of mounts that the kernel shows as they are.

/// An option, and the one that is its opposite and the default.
const FLAGS: [(&str, &str); 6] = [
    ("ro", "rw"),
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("noexec", "exec"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
];

/// What imply others: for mounts that users may make.
const USERS: [&str; 4] = ["user", "users", "owner", "group"];

/// Whether a mount that the kernel shows with the options `live` is one with these options, as far as that can be told.
///
/// Most options say something to a type of file system, and the kernel shows them in its own way. Not these.
pub fn agree(declared: &str, live: &str) -> bool {
    let live: Vec<&str> = live.split(',').collect();
    // `remount` without `ro` makes it writable again, so that the absence of an option means something, too.
    FLAGS.iter().all(|(flag, opposite)| live.contains(flag) == is_set(declared, flag, opposite))
}

/// The options with which what is mounted with `live` is mounted anew with these.
///
/// Some programs keep flags that the mount has, unless they are told the opposite.
pub fn remount(declared: &str, live: &str) -> String {
    let has = |flag: &str| live.split(',').any(|option| option == flag);
    let ends =
        |(flag, opposite): &&(&'static str, &'static str)| has(flag) && !is_set(declared, flag, opposite);
    let opposites = FLAGS.iter().filter(ends).map(|(_, opposite)| *opposite);
    ["remount"].into_iter().chain(opposites).chain([declared]).collect::<Vec<_>>().join(",")
}

/// Whether options say a flag: the last word about it counts.
fn is_set(declared: &str, flag: &str, opposite: &str) -> bool {
    declared.split(',').fold(false, |set, option| match option {
        option if option == flag => true,
        option if option == opposite || option == "defaults" => false,
        option if USERS.contains(&option) && ["nosuid", "nodev"].contains(&flag) => true,
        "user" | "users" if flag == "noexec" => true,
        "owner" | "group" if flag == "noexec" => set,
        _ => set,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_shows_is_compared() {
        for (declared, live, fine) in [
            ("defaults", "rw,relatime", true),
            ("defaults", "ro,relatime", false),
            ("ro", "ro,relatime", true),
            ("ro", "rw", false),
            ("noatime,size=1G,nofail", "rw,noatime,size=1048576k", true),
            ("noatime", "rw,relatime", false),
            ("defaults,nosuid,nodev", "rw,nosuid,nodev,relatime", true),
            ("defaults", "rw,nosuid", false),
            ("user", "rw,nosuid,nodev,noexec,relatime", true),
            ("users,exec", "rw,nosuid,nodev,relatime", true),
            ("ro,rw", "rw", true),
        ] {
            assert_eq!(agree(declared, live), fine, "{declared} and {live}");
        }
    }

    #[test]
    fn what_a_mount_has_is_taken_off() {
        assert_eq!(remount("size=2m,noexec", "rw,nosuid,noexec,relatime"), "remount,suid,size=2m,noexec");
        assert_eq!(remount("defaults", "ro,noatime"), "remount,rw,atime,defaults");
        assert_eq!(remount("ro", "rw"), "remount,ro");
    }
}
