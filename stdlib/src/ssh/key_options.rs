//! The options that stand before a key in `authorized_keys`.

use refrain_engine::diagnostic::near_match;

/// What sshd(8) knows. It refuses a key with any other option.
const KNOWN: [&str; 24] = [
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-verify-required",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "touch-required",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// Those of them that have a value.
const VALUED: [&str; 8] =
    ["command", "environment", "expiry-time", "from", "permitlisten", "permitopen", "principals", "tunnel"];

/// An option: its name in lower case, and its value without quotes.
type KeyOption = (String, Option<String>);

/// Why a text is no list of options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// sshd does not know it.
    #[error("sshd knows no option `{0}`, and ignores a key that has it")]
    Unknown(String),
    /// A value is missing, or has to stand in quotes.
    #[error("the option `{0}` needs a value in double quotes")]
    NoValue(String),
    /// A value that means nothing.
    #[error("the option `{0}` takes no value")]
    Value(String),
    /// Two options are not separated by a comma, or there is an empty one.
    #[error("options are separated by single commas, without blanks")]
    Separator,
    /// A quote is not closed, or it is more than one line.
    #[error("a quote is not closed")]
    Quote,
}

impl OptionsError {
    /// What to do instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(name) => {
                near_match(&name.to_lowercase(), KNOWN).map(|near| format!("did you mean `{near}`?"))
            }
            Self::NoValue(name) => Some(format!("write `{name}=\"…\"`; in a script, between backticks")),
            _ => None,
        }
    }
}

/// Reads options as sshd does.
///
/// # Errors
/// sshd would not take them.
pub fn parse(text: &str) -> Result<Vec<KeyOption>, OptionsError> {
    let mut options = Vec::new();
    let mut rest = text;
    if text.contains(['\n', '\r', '\0']) {
        return Err(OptionsError::Quote);
    }
    while !rest.is_empty() {
        let end = rest.find(['=', ',', ' ', '\t', '"']).unwrap_or(rest.len());
        let written = &rest[..end];
        rest = &rest[end..];
        let name = written.to_ascii_lowercase();
        if name.is_empty() {
            return Err(OptionsError::Separator);
        }
        if !KNOWN.contains(&name.as_str()) {
            return Err(OptionsError::Unknown(written.to_owned()));
        }
        let value = match rest.strip_prefix('=') {
            None if VALUED.contains(&name.as_str()) => return Err(OptionsError::NoValue(name)),
            None => None,
            Some(_) if !VALUED.contains(&name.as_str()) => return Err(OptionsError::Value(name)),
            Some(after) => {
                let quoted = after.strip_prefix('"').ok_or_else(|| OptionsError::NoValue(name.clone()))?;
                let (value, after) = unquote(quoted).ok_or(OptionsError::Quote)?;
                rest = after;
                Some(value)
            }
        };
        options.push((name, value));
        rest = match rest.strip_prefix(',') {
            Some("") => return Err(OptionsError::Separator),
            Some(after) => after,
            None if rest.is_empty() => rest,
            None => return Err(OptionsError::Separator),
        };
    }
    Ok(options)
}

/// The value up to the closing quote, and what follows that. Only quotes can be escaped.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if letters.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            '"' => return Some((value, &text[at + 1..])),
            letter => value.push(letter),
        }
    }
    None
}

/// Whether two texts mean the same options, in whatever order. Options that sshd would not take are only like themselves.
pub fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Ok(mut one), Ok(mut other)) = (parse(one), parse(other)) else { return false };
    one.sort();
    other.sort();
    one == other
}

/// The length of the options that a line begins with: up to the first blank outside of quotes.
pub fn length(line: &str) -> usize {
    let mut quoted = false;
    let mut bytes = line.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                // A quote behind it neither opens nor closes anything.
                let _ = bytes.next_if(|(_, next)| *next == b'"');
            }
            b'"' => quoted = !quoted,
            b' ' | b'\t' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_sshd_does() {
        let option = |name: &str, value: Option<&str>| (name.to_owned(), value.map(ToOwned::to_owned));
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(
            parse(r#"no-pty,Command="echo \"a, b\" \n",from="10.0.0.0/8,!10.1.0.0/16""#),
            Ok(vec![
                option("no-pty", None),
                option("command", Some(r#"echo "a, b" \n"#)),
                option("from", Some("10.0.0.0/8,!10.1.0.0/16")),
            ])
        );
    }

    #[test]
    fn what_sshd_would_not_take_is_refused() {
        let cases = [
            ("no-ptty", OptionsError::Unknown("no-ptty".into()), Some("did you mean `no-pty`?")),
            (
                "from=10.0.0.0/8",
                OptionsError::NoValue("from".into()),
                Some("write `from=\"…\"`; in a script, between backticks"),
            ),
            ("command", OptionsError::NoValue("command".into()), None),
            ("restrict=\"x\"", OptionsError::Value("restrict".into()), None),
            ("restrict, pty", OptionsError::Separator, None),
            ("restrict,", OptionsError::Separator, None),
            ("restrict pty", OptionsError::Separator, None),
            ("from=\"a", OptionsError::Quote, None),
            ("from=\"a\nb\"", OptionsError::Quote, None),
        ];
        for (text, error, hint) in cases {
            let found = parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            if hint.is_some() {
                assert_eq!(found.hint().as_deref(), hint);
            }
        }
    }

    #[test]
    fn the_order_of_options_does_not_count() {
        assert!(same("no-pty,from=\"a\"", "from=\"a\",No-PTY"));
        assert!(!same("no-pty,from=\"a\"", "from=\"b\",no-pty"));
        assert!(same("future-option", "future-option") && !same("future-option", "no-pty"));
    }

    #[test]
    fn options_end_at_a_blank_outside_of_quotes() {
        for (line, options) in [
            ("no-pty ssh-rsa", "no-pty"),
            (r#"command="a b",no-pty ssh-rsa"#, r#"command="a b",no-pty"#),
            (r#"command="a \" b" ssh-rsa"#, r#"command="a \" b""#),
            (r#"command="a \\" ssh-rsa"#, r#"command="a \\" ssh-rsa"#),
            ("no-pty", "no-pty"),
        ] {
            assert_eq!(&line[..length(line)], options);
        }
    }
}
