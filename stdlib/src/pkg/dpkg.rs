//! The database of dpkg, read without starting a program.

use super::installed::Installed;

/// Where it is.
pub const STATUS: &str = "/var/lib/dpkg/status";

/// What the database says.
pub fn parse(text: &str) -> Installed {
    let mut installed = Installed::default();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
        };
        let (Some(name), Some(status)) = (field("Package"), field("Status")) else { continue };
        match status.split_whitespace().nth(2) {
            Some("installed") => {}
            Some("config-files") => {
                installed.configured.insert(name.to_owned());
                continue;
            }
            _ => continue,
        }
        let version = field("Version").unwrap_or_default();
        // With a foreign architecture its name has that behind it, unless the package is for any.
        if let Some(architecture) = field("Architecture") {
            installed.versions.insert(format!("{name}:{architecture}"), version.to_owned());
        }
        installed.versions.insert(name.to_owned(), version.to_owned());
        let provides = field("Provides").unwrap_or_default().split(',');
        installed
            .provided
            .extend(provides.filter_map(|one| one.split_whitespace().next()).map(str::to_owned));
    }
    installed
}

#[cfg(test)]
mod tests {
    use super::super::package::Package;
    use super::*;

    const STATUS: &str = "Package: mawk
Status: install ok installed
Architecture: amd64
Provides: awk (= 1.3), nawk
Version: 1.3.4-1
Description: pattern scanning
 Package: not a field

Package: nginx
Status: deinstall ok config-files
Architecture: amd64
Version: 1.22

Package: broken
Status: install ok half-configured
Version: 1
";

    #[test]
    fn only_what_is_whole_is_installed() {
        let installed = parse(STATUS);
        let has = |name: &str, version: Option<&str>| {
            installed.has(&Package { name: name.to_owned(), version: version.map(str::to_owned) })
        };
        for name in ["mawk", "mawk:amd64", "awk", "nawk"] {
            assert!(has(name, None), "{name}");
        }
        assert!(has("mawk", Some("1.3.4-1")) && !has("mawk", Some("1.3.4")));
        for name in ["nginx", "broken", "not a field", "mawk:i386"] {
            assert!(!has(name, None), "{name}");
        }
        assert!(installed.configured.contains("nginx"));
    }
}
