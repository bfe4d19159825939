//! What stands for something else in the names of units.

use refrain_engine::failure::Failure;

/// A unit's name, taken apart: `getty@tty1.service`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// `getty`; without an instance all but the suffix.
    pub prefix: &'a str,
    /// `tty1`. Absent for what is no instance, empty for a template.
    pub instance: Option<&'a str>,
    /// `service`.
    pub suffix: &'a str,
}

impl<'a> Parts<'a> {
    /// Those of a name, which has a suffix.
    pub fn of(name: &'a str) -> Self {
        let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, "service"));
        match stem.split_once('@') {
            Some((prefix, instance)) => Self { prefix, instance: Some(instance), suffix },
            None => Self { prefix: stem, instance: None, suffix },
        }
    }

    /// The name of the template that this is an instance of.
    pub fn template(self) -> Option<String> {
        let instance = self.instance.filter(|instance| !instance.is_empty());
        instance.map(|_| format!("{}@.{}", self.prefix, self.suffix))
    }
}

/// The text with what stands for parts of the unit's name replaced by them.
///
/// # Errors
/// Something stands for what is not known here.
pub fn expand(text: &str, unit: &str) -> Result<String, Failure> {
    let parts = Parts::of(unit);
    let stem = unit.strip_suffix(&format!(".{}", parts.suffix)).unwrap_or(unit);
    let mut expanded = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            expanded.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') => expanded.push('%'),
            Some('n') => expanded.push_str(unit),
            Some('N') => expanded.push_str(stem),
            Some('p') => expanded.push_str(parts.prefix),
            Some('i') => expanded.push_str(parts.instance.unwrap_or_default()),
            Some('j') => expanded.push_str(parts.prefix.rsplit('-').next().unwrap_or(parts.prefix)),
            other => {
                let specifier: String = std::iter::once('%').chain(other).collect();
                let message = format!(
                    "`{specifier}` in the [Install] section of `{unit}` (`{text}`) is not known here"
                );
                return Err(
                    Failure::state(message).advise("enable it by `systemctl enable` with command::run")
                );
            }
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let parts = Parts::of("getty@tty1.service");
        assert_eq!((parts.prefix, parts.instance, parts.suffix), ("getty", Some("tty1"), "service"));
        assert_eq!(parts.template().as_deref(), Some("getty@.service"));
        assert_eq!(Parts::of("getty@.service").template(), None);
        assert_eq!(Parts::of("a.b.socket"), Parts { prefix: "a.b", instance: None, suffix: "socket" });
    }

    #[test]
    fn specifiers_are_replaced() {
        let expand = |text: &str| expand(text, "my-app@x.service").map_err(|failure| failure.to_string());
        assert_eq!(expand("%n %N %p %i %j %%"), Ok("my-app@x.service my-app@x my-app x app %".to_owned()));
        assert!(expand("dev-%m.device").unwrap_err().contains("`%m`"));
        assert!(expand("%").is_err());
    }
}
