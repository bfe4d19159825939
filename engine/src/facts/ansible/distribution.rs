//! What Ansible calls distributions. It knows them by files that only they have, and else by os-release(5).

use serde_json::{Value, json};

use super::super::os::Release;
use super::super::source::FactSource;
use super::super::text::{assignments, file};
use super::super::{Facts, Gather};

pub(super) const NAMES: &[(&str, Gather)] = &[
    ("distribution", |facts| Some(Distribution::of(facts).name.into())),
    ("distribution_file_parsed", |facts| Distribution::of(facts).parsed()),
    ("distribution_file_path", |facts| Some(Distribution::of(facts).file?.0.into())),
    ("distribution_file_variety", |facts| Some(Distribution::of(facts).file?.1.into())),
    ("distribution_major_version", |facts| Some(major(&Distribution::of(facts).version).into())),
    ("distribution_minor_version", |facts| Distribution::of(facts).minor.map(Value::from)),
    ("distribution_release", |facts| Some(Distribution::of(facts).release.into())),
    ("distribution_version", |facts| Some(Distribution::of(facts).version.into())),
    ("lsb", |facts| Some(lsb(facts.source()))),
    ("os_family", |facts| Some(Distribution::of(facts).family.into())),
];

/// Files that give a distribution away, with what Ansible calls this kind of file.
const FILES: &[(&str, &str)] = &[
    ("/etc/oracle-release", "OracleLinux"),
    ("/etc/slackware-version", "Slackware"),
    ("/etc/centos-release", "CentOS"),
    ("/etc/redhat-release", "RedHat"),
    ("/etc/openwrt_release", "OpenWrt"),
    ("/etc/alpine-release", "Alpine"),
    ("/etc/arch-release", "Archlinux"),
];

const UNKNOWN: &str = "NA";

struct Distribution {
    name: String,
    family: String,
    version: String,
    minor: Option<String>,
    release: String,
    /// The path of the file that told, and its kind.
    file: Option<(&'static str, &'static str)>,
}

impl Distribution {
    fn of(facts: &Facts) -> Self {
        let source = facts.source();
        let Some(release) = Release::of(source) else { return Self::unknown() };
        let family = facts.text("os", "family").unwrap_or_default();
        let (path, kind) = telling_file(source, &release, family);
        let text = file(source, path).unwrap_or_default();
        let name = name(kind, &text, &release);
        let version = version(source, &text, kind, &release).unwrap_or_else(|| UNKNOWN.to_owned());
        Self {
            family: family_name(family).map_or_else(|| name.clone(), str::to_owned),
            minor: minor(source, &release, &version),
            release: release_name(kind, &release, &version),
            file: Some((path, kind)),
            name,
            version,
        }
    }

    fn unknown() -> Self {
        Self {
            name: "OtherLinux".to_owned(),
            family: "OtherLinux".to_owned(),
            version: UNKNOWN.to_owned(),
            minor: None,
            release: UNKNOWN.to_owned(),
            file: None,
        }
    }

    /// Of a file that may be empty, Ansible does not say that it was understood.
    fn parsed(&self) -> Option<Value> {
        let (_, kind) = self.file?;
        (kind != "Archlinux").then(|| true.into())
    }
}

/// The file that tells the distribution, and its kind.
fn telling_file(source: &dyn FactSource, release: &Release, family: &str) -> (&'static str, &'static str) {
    let counts = |path: &str, kind: &str| match kind {
        "CentOS" => file(source, path).is_some_and(|text| text.contains("CentOS Stream")),
        _ => source.exists(path),
    };
    if let Some(found) = FILES.iter().find(|(path, kind)| counts(path, kind)) {
        return *found;
    }
    let kind = match (release.id().as_str(), family) {
        ("amzn", _) => "Amazon",
        ("arch", _) => "Archlinux",
        (_, "debian") => "Debian",
        (_, "suse") => "SUSE",
        _ => UNKNOWN,
    };
    ("/etc/os-release", kind)
}

fn name(kind: &'static str, text: &str, release: &Release) -> String {
    match (kind, release.id().as_str()) {
        ("RedHat", _) if text.contains("Red Hat") => "RedHat",
        ("RedHat", _) => text.split_whitespace().next().unwrap_or(UNKNOWN),
        ("Debian", "debian" | "raspbian") => "Debian",
        ("Debian", "devuan") => "Devuan",
        ("Debian", "kali") => "Kali",
        ("Debian", "parrot") => "Parrot",
        ("Debian" | "SUSE" | UNKNOWN, _) => release.get("NAME").unwrap_or(UNKNOWN),
        _ => kind,
    }
    .to_owned()
}

fn family_name(family: &str) -> Option<&'static str> {
    match family {
        "debian" => Some("Debian"),
        "redhat" => Some("RedHat"),
        "suse" => Some("Suse"),
        "arch" => Some("Archlinux"),
        "alpine" => Some("Alpine"),
        _ => None,
    }
}

fn version(source: &dyn FactSource, text: &str, kind: &str, release: &Release) -> Option<String> {
    let own = release.get("VERSION_ID").map(str::to_owned);
    match release.id().as_str() {
        "debian" => debian_version(source).or(own),
        // Its os-release has the major version only.
        "centos" => numbers(text.split("release").nth(1)?.trim()).or(own),
        _ if kind == "Alpine" => Some(text.trim().to_owned()),
        _ if kind == "SUSE" => numbers(&own?),
        _ => own,
    }
}

fn debian_version(source: &dyn FactSource) -> Option<String> {
    file(source, "/etc/debian_version").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The first two numbers at the start of a version.
fn numbers(version: &str) -> Option<String> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let parts: Vec<&str> = version[..end].split('.').take(2).collect();
    (!parts[0].is_empty()).then(|| parts.join("."))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Only Debian's and Amazon's versions have a minor one in Ansible's eyes.
fn minor(source: &dyn FactSource, release: &Release, version: &str) -> Option<String> {
    match release.id().as_str() {
        "debian" | "raspbian" => {
            numbers(&debian_version(source)?)?.split_once('.').map(|(_, minor)| minor.to_owned())
        }
        "amzn" => Some(version.split('.').nth(1).unwrap_or(UNKNOWN).to_owned()),
        _ => None,
    }
}

fn release_name(kind: &str, release: &Release, version: &str) -> String {
    let minor = || version.split('.').nth(1).unwrap_or(if release.id() == "sles" { "0" } else { "" });
    // A codename that is set to nothing is nothing, not unknown.
    let name = release.field("VERSION_CODENAME").or_else(|| release.get("UBUNTU_CODENAME"));
    match kind {
        "CentOS" => "Stream",
        "SUSE" => minor(),
        _ => name.or_else(|| release.codename()).unwrap_or(UNKNOWN),
    }
    .to_owned()
}

/// What `lsb_release` says: the settings of its file, or on newer systems, where it is installed, os-release(5).
fn lsb(source: &dyn FactSource) -> Value {
    let settings = assignments(&file(source, "/etc/lsb-release").unwrap_or_default());
    let setting = |key: &str| settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let mut fact = json!({});
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fact[key] = value.into();
        }
    };
    let release = Release::of(source).filter(|_| source.exists("/usr/bin/lsb_release"));
    let release = release.as_ref().filter(|_| setting("DISTRIB_ID").is_none());
    let field = |key: &str| release?.get(key).map(str::to_owned);
    put("id", setting("DISTRIB_ID").or_else(|| Some(capitalized(&release?.id()))));
    put("codename", setting("DISTRIB_CODENAME").or_else(|| release?.codename().map(str::to_owned)));
    put("description", setting("DISTRIB_DESCRIPTION").or_else(|| field("PRETTY_NAME")));
    let number = setting("DISTRIB_RELEASE").or_else(|| field("VERSION_ID"));
    put("major_release", number.as_deref().map(|number| major(number).to_owned()));
    put("release", number);
    fact
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::super::fake::Fake;
    use super::*;

    /// Files in `/etc`, and what Ansible 2.19 says about a system that has them.
    const RECORDED: &str = include_str!("testdata/distributions.json");

    fn recorded() -> Map<String, Value> {
        serde_json::from_str(RECORDED).unwrap()
    }

    fn host(case: &Value) -> Facts {
        let files = case["etc"].as_object().unwrap().iter();
        Facts::new(files.fold(Fake::default(), |host, (name, text)| {
            host.file(&format!("/etc/{name}"), text.as_str().unwrap())
        }))
    }

    #[test]
    fn distributions_have_the_names_that_ansible_gives_them() {
        for (name, case) in recorded() {
            let facts = host(&case);
            let own: Map<String, Value> =
                NAMES.iter().filter_map(|(key, gather)| Some(((*key).to_owned(), gather(&facts)?))).collect();
            let mut expected = case["ansible"].clone();
            if name == "pop" {
                // Ansible doesn't know that it is made from Ubuntu until it comes to the family.
                expected["distribution_file_variety"] = "Debian".into();
            }
            assert_eq!(Value::from(own), expected, "{name}");
        }
    }

    #[test]
    fn children_belong_to_the_family() {
        let text = "NAME=\"Zorin OS\"\nID=zorin\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"17\"\n";
        let facts = Facts::new(Fake::default().file("/etc/os-release", text));
        let distribution = Distribution::of(&facts);
        assert_eq!((distribution.name.as_str(), distribution.family.as_str()), ("Zorin OS", "Debian"));
    }

    #[test]
    fn the_lsb_of_a_newer_system_is_its_os_release() {
        let host = Fake::default().file("/usr/bin/lsb_release", "").file(
            "/etc/os-release",
            "ID=debian\nPRETTY_NAME=\"Debian 12\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n",
        );
        assert_eq!(
            lsb(&host),
            json!({
                "id": "Debian", "codename": "bookworm", "description": "Debian 12", "major_release": "12",
                "release": "12",
            })
        );
    }
}
