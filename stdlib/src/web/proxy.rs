//! Which proxy is asked for what.

use super::address::Address;

/// The proxies of an environment: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, also in capitals.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    /// Hosts that are asked without one, as `no_proxy` lists them.
    without: Option<String>,
}

impl Proxies {
    /// Those of the environment that `variable` reads.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let value = variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
            value.filter(|value| !value.trim().is_empty())
        };
        let all = || either("all_proxy");
        Self {
            http: either("http_proxy").or_else(all),
            https: either("https_proxy").or_else(all),
            without: either("no_proxy"),
        }
    }

    /// The URL of the proxy to ask for what is at `address`. Absent when its server is asked itself.
    pub fn of(&self, address: &Address) -> Option<&str> {
        let proxy = if address.is_encrypted() { &self.https } else { &self.http };
        let host = address.uri().host().unwrap_or_default();
        let without = self.without.iter().flat_map(|hosts| hosts.split([',', ' ']));
        let is_without = without.map(str::trim).any(|entry| covers(entry, host));
        proxy.as_deref().filter(|_| !is_without)
    }
}

/// Whether an entry of `no_proxy` is a host, a domain that it is in, or `*`. Without regard to case.
fn covers(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let below = || host.strip_suffix(&domain).is_some_and(|name| name.ends_with('.'));
    !domain.is_empty() && (domain == "*" || host == domain || below())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(environment: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::new(|wanted| {
            environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        });
        proxies.of(&Address::new(url, false).unwrap()).map(ToOwned::to_owned)
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let both = [("http_proxy", "http://one"), ("HTTPS_PROXY", "http://two")];
        assert_eq!(proxy(&both, "http://h/").as_deref(), Some("http://one"));
        assert_eq!(proxy(&both, "https://h/").as_deref(), Some("http://two"));
        let all = [("all_proxy", "http://all"), ("https_proxy", "")];
        assert_eq!(proxy(&all, "https://h/").as_deref(), Some("http://all"));
        assert_eq!(proxy(&[("http_proxy", "http://one")], "https://h/"), None);
    }

    #[test]
    fn some_hosts_are_asked_themselves() {
        for (without, host, itself) in [
            ("localhost, example.org", "example.org", true),
            ("example.org", "WWW.example.org", true),
            (".example.org", "example.org", true),
            ("*.example.org", "a.b.example.org", true),
            ("example.org", "an-example.org", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("::1", "[::1]", true),
            ("*", "anything", true),
            (",", "anything", false),
        ] {
            let environment = [("http_proxy", "http://one"), ("no_proxy", without)];
            assert_eq!(proxy(&environment, &format!("http://{host}/")).is_none(), itself, "{without} {host}");
        }
    }
}
