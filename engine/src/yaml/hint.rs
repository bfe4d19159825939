//! What to do about a file that is not valid YAML, where the line shows one of the usual slips.

/// Advice about a line, by what the parser said of it.
pub(super) fn of(line: &str, said: &str) -> Option<String> {
    let indentation = &line[..line.len() - line.trim_start().len()];
    if indentation.contains('\t') || said.contains("tab") {
        return Some("YAML is indented with spaces: there is a tab".to_owned());
    }
    if let Some(hint) = of_template(line) {
        return Some(hint);
    }
    if said.contains("quoted scalar") && said.contains("indentation") {
        return Some("the lines that a quoted text goes on in have to be indented".to_owned());
    }
    let value = value(line);
    if said.contains("mapping values are not allowed") && value.is_some_and(|value| value.contains(": ")) {
        return Some("a value that contains `: ` has to be quoted".to_owned());
    }
    if let Some(first) = value.and_then(|value| value.chars().next()) {
        match first {
            '@' | '`' | '%' | '&' | '*' | '!' => {
                return Some(format!("a value that starts with `{first}` has to be quoted"));
            }
            '"' | '\'' if said.contains("end of stream") => {
                return Some(format!("the quote {first} opens a text and nothing closes it"));
            }
            '"' | '\'' => {
                return Some(
                    "a value that starts with a quote has to end with it: quote all of it".to_owned(),
                );
            }
            _ => {}
        }
    }
    let about_indentation =
        ["did not find expected key", "expected '-' indicator", "simple key", "indent", "not allowed"];
    about_indentation
        .iter()
        .any(|words| said.contains(words))
        .then(|| "is the line indented as those that it belongs to?".to_owned())
}

/// Advice about a line whose value begins with a template that is not quoted: YAML takes it for a map.
pub(super) fn of_template(line: &str) -> Option<String> {
    let value = value(line).unwrap_or(line.trim());
    (value.starts_with("{{") || value.starts_with("{%"))
        .then(|| format!("a value that starts with a template has to be quoted: `\"{value}\"`"))
}

/// What stands behind the key or the dash of a line.
fn value(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    match line.split_once(": ") {
        Some((key, value)) if !key.contains(['"', '\'', '{']) => Some(value.trim_start()),
        _ => (!line.ends_with(':')).then_some(line),
    }
}
