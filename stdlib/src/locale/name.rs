//! Names of locales: `de_DE.UTF-8@euro`.

use refrain_engine::failure::Failure;

/// Refuses what is no name of a locale.
///
/// # Errors
/// [`Failure::Argument`] for the argument `argument`.
pub fn check(argument: &str, name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    if !name.is_empty() && name.chars().all(fits) && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(());
    }
    Err(Failure::argument(argument, format!("`{name}` is no name of a locale"))
        .advise("they are like `C.UTF-8` or `de_DE.UTF-8`"))
}

/// The name as the C library compares it: the character set in small letters and digits only.
pub fn normal(name: &str) -> String {
    let (name, modifier) =
        name.split_once('@').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
    let (language, set) = name.split_once('.').map_or((name, None), |(language, set)| (language, Some(set)));
    let mut normal = language.to_owned();
    if let Some(set) = set {
        normal.push('.');
        normal.extend(set.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()));
    }
    if let Some(modifier) = modifier {
        normal.push('@');
        normal.push_str(modifier);
    }
    normal
}

/// The character set of a locale: what is behind its dot, else that of old locales.
pub fn character_set(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    name.split_once('.').map_or("ISO-8859-1", |(_, set)| set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_the_character_set_does_not_count() {
        assert_eq!(normal("en_US.UTF-8"), normal("en_US.utf8"));
        assert_eq!(normal("de_DE.ISO-8859-15@euro"), "de_DE.iso885915@euro");
        assert_eq!(normal("de_DE@euro"), "de_DE@euro");
        assert_eq!((character_set("en_US.UTF-8"), character_set("de_DE@euro")), ("UTF-8", "ISO-8859-1"));
        assert!(check("name", "en_US.UTF-8").is_ok() && check("name", "../x").is_err());
    }
}
