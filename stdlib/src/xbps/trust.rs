//! Whether a host trusts its repositories. The dry run of xbps does not ask that, and a real run would stop there.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::View;

use super::explanation::explain;
use super::planned::Planned;
use super::prediction::Packages;
use super::program::Xbps;

/// Where the keys are that a host trusts.
pub const KEYS: &str = "/var/db/xbps/keys";

/// Where a key is, by its fingerprint.
pub fn key_file(fingerprint: &str) -> PathBuf {
    Path::new(KEYS).join(format!("{fingerprint}.plist"))
}

/// Foretells whether a real run would stop because of a key. Packages of a local repository need none.
///
/// # Errors
/// It would.
pub fn foretell(
    xbps: &Xbps<'_>,
    host: &dyn View,
    planned: &[Planned],
    packages: &Packages,
) -> Result<(), Failure> {
    let is_open = |repository: &str| {
        repository.contains("://") && !packages.prediction.trusted.iter().any(|trusted| trusted == repository)
    };
    if !planned.iter().any(|line| is_open(&line.repository)) {
        return Ok(());
    }
    let command = xbps.query(&["-v", "-L"]);
    let output = xbps.ask(&command)?;
    if output.status != 0 {
        return Err(explain(&command, &output));
    }
    for repository in parse(&String::from_utf8_lossy(&output.stdout)) {
        if planned.iter().any(|line| line.repository == repository.address) && is_open(&repository.address) {
            repository.require_trust(host)?;
        }
    }
    Ok(())
}

/// What `xbps-query -vL` says of a repository.
#[derive(Debug, PartialEq, Eq)]
struct Repository {
    address: String,
    /// Whose key it is signed with, and the fingerprint of that. Absent when it is not signed.
    key: Option<(String, String)>,
}

impl Repository {
    fn require_trust(&self, host: &dyn View) -> Result<(), Failure> {
        let address = &self.address;
        match &self.key {
            None => Err(Failure::state(format!("the repository `{address}` is not signed"))
                .advise("xbps takes packages only from repositories that are signed, unless they are local")),
            Some((_, fingerprint)) if host.stat(&key_file(fingerprint))?.is_some() => Ok(()),
            Some((by, fingerprint)) => Err(Failure::state(format!(
                "the repository `{address}` is signed by `{by}` with the key {fingerprint}, which the host does not trust"
            ))
            .advise("find out whether that is the right fingerprint, and declare the key with `xbps::key`")),
        }
    }
}

fn parse(text: &str) -> Vec<Repository> {
    let mut repositories: Vec<Repository> = Vec::new();
    let mut by = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), repositories.last_mut()) {
            ([_, address, "(RSA", ..], _) => {
                repositories.push(Repository { address: (*address).to_owned(), key: None });
            }
            (["Signed-by:", ..], _) => {
                line.trim_start().trim_start_matches("Signed-by:").trim().clone_into(&mut by);
            }
            ([_, fingerprint], Some(last)) if fingerprint.contains(':') => {
                last.key = Some((std::mem::take(&mut by), (*fingerprint).to_owned()));
            }
            _ => {}
        }
    }
    repositories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_say_who_signed_them() {
        let text = "    5 http://127.0.0.1:8099 (RSA signed)\n      Signed-by: Example <a@example.net>\n      \
                    2048 48:eb:ca:e2\n    3 /srv/repo (RSA unsigned)\n   -1 https://down.example (RSA maybe-signed)\n";
        let key = Some(("Example <a@example.net>".to_owned(), "48:eb:ca:e2".to_owned()));
        let expected = [("http://127.0.0.1:8099", key), ("/srv/repo", None), ("https://down.example", None)];
        let expected = expected.map(|(address, key)| Repository { address: address.to_owned(), key });
        assert_eq!(parse(text), expected);
    }
}
