//! Arguments of the program ssh, as Ansible's variables have them: what of them is honoured.

use std::path::PathBuf;

use super::directive::{self, Directive};
use super::options::HostOptions;
use super::words;
use crate::diagnostic::Diagnostic;

/// Arguments of ssh, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct SshArguments {
    /// The configuration file to read instead of the usual ones.
    pub file: Option<PathBuf>,
    /// The lines that the options stand for.
    lines: String,
}

/// Options without a value that make no difference to a run.
const IDLE: &str = "aCfGgKkMNnqsTtVvXxYy";

/// Options with a value that make no difference to a run.
const IDLE_WITH_VALUE: &str = "DEeLOPRSWw";

/// Options with a value that are taken in.
const WITH_VALUE: &str = "BbcFIiJlmop";

impl SshArguments {
    /// Adds the arguments in a text, split as a shell would.
    ///
    /// # Errors
    /// An option that ssh does not have, or without its value.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), Diagnostic> {
        let split = words::split(&text.replace('\n', " "), 0);
        let words = split.map_err(|_| Diagnostic::new(format!("a quote is not closed: `{text}`")))?;
        let mut words = words.into_iter().map(|word| word.text);
        while let Some(word) = words.next() {
            let Some(options) = word.strip_prefix('-').filter(|options| !options.is_empty()) else {
                return Err(Diagnostic::new(format!("`{word}` is no option of ssh")));
            };
            let mut rest = options;
            while let Some(option) = rest.chars().next() {
                rest = &rest[option.len_utf8()..];
                if IDLE.contains(option) {
                    continue;
                }
                if let Some(line) = without_value(option) {
                    self.line(line);
                    continue;
                }
                if !WITH_VALUE.contains(option) && !IDLE_WITH_VALUE.contains(option) {
                    return Err(Diagnostic::new(format!("ssh has no option `-{option}`")));
                }
                let value = if rest.is_empty() { words.next() } else { Some(rest.to_owned()) };
                let value = value.ok_or_else(|| Diagnostic::new(format!("`-{option}` needs a value")))?;
                self.with_value(option, &value);
                break;
            }
        }
        Ok(())
    }

    fn with_value(&mut self, option: char, value: &str) {
        let quoted = || format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        match option {
            'F' => self.file = Some(value.into()),
            'o' => self.line(value),
            'J' => self.line(&format!("ProxyJump {value}")),
            'p' => self.line(&format!("Port {value}")),
            'l' => self.line(&format!("User {}", quoted())),
            'i' => self.line(&format!("IdentityFile {}", quoted())),
            'b' => self.line(&format!("BindAddress {value}")),
            'B' => self.line(&format!("BindInterface {value}")),
            'c' => self.line(&format!("Ciphers {value}")),
            'm' => self.line(&format!("MACs {value}")),
            'I' => self.line(&format!("PKCS11Provider {}", quoted())),
            // The others make no difference.
            _ => {}
        }
    }

    fn line(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// What they say, over what `said` says.
    ///
    /// # Errors
    /// An option of `-o` makes no sense.
    pub(crate) fn options(&self, mut said: HostOptions) -> Result<HostOptions, Diagnostic> {
        let directives = directive::read("-o", &self.lines);
        let directives = directives.map_err(|problems| problems.into_iter().next().unwrap_or_default())?;
        for directive in directives {
            match directive {
                Directive::Set(setting) => said.take(&setting),
                Directive::Unheeded(keyword, place) => said.pass_over(keyword, &place),
                Directive::Refused(keyword, place) => {
                    said.refused.get_or_insert((keyword, place));
                }
                Directive::Host(_) | Directive::Match(..) | Directive::Include(_) => {
                    return Err(Diagnostic::new("`Host`, `Match` and `Include` stand in files only"));
                }
            }
        }
        Ok(said)
    }
}

/// The line that an option without a value stands for.
fn without_value(option: char) -> Option<&'static str> {
    match option {
        '4' => Some("AddressFamily inet"),
        '6' => Some("AddressFamily inet6"),
        'A' => Some("ForwardAgent yes"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Proxy;
    use super::*;

    fn options(text: &str) -> Result<HostOptions, Diagnostic> {
        let mut arguments = SshArguments::default();
        arguments.add(text)?;
        arguments.options(HostOptions::default())
    }

    #[test]
    fn what_ansible_trees_have_is_understood() {
        let found = options(
            "-C -o ControlMaster=auto -oControlPersist=60s -o Port=33 -qp 44 -i '/a b/key' \
             -o ProxyCommand=\"ssh -W %h:%p -q me@gate\"",
        )
        .unwrap();
        assert_eq!(found.port, Some(33));
        assert_eq!(found.identity_files, ["/a b/key"]);
        assert_eq!(found.proxy, Some(Proxy::Command("ssh -W %h:%p -q me@gate".to_owned())));
        assert!(matches!(options("-J a,b").unwrap().proxy, Some(Proxy::Jump(hops)) if hops.len() == 2));
        assert_eq!(options("-A").unwrap().unheeded[0].0, "ForwardAgent");
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for (text, error) in [
            ("host", "`host` is no option of ssh"),
            ("-Z", "ssh has no option `-Z`"),
            ("-o", "`-o` needs a value"),
            ("-o 'a", "a quote is not closed: `-o 'a`"),
            ("-o Prot=3", "ssh has no option `Prot`"),
            ("-p x", "`Port` takes a port"),
        ] {
            assert_eq!(options(text).unwrap_err().message, error);
        }
    }
}
