//! The line of a template in a variable, as it may travel: other variables can stand beside it, and they don't all do.

use crate::diagnostic::Location;

/// The place of the template `text`, the value of `key`, with blanks for what else is in its line.
pub(super) fn only(mut place: Location, key: &str, text: &str) -> Location {
    if !belongs_to(&place.text, key, text) {
        place.text = blanked(&place.text, place.column, key, text);
    }
    place
}

/// Whether a line of YAML has nothing but this key, or this item of a list.
fn belongs_to(line: &str, key: &str, text: &str) -> bool {
    let mut rest = line.trim_start();
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    let quoted = rest.trim_start_matches(['"', '\'']);
    let is_key = |rest: &str| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':');
    (!key.is_empty() && quoted.strip_prefix(key).is_some_and(is_key))
        || quoted.trim_end_matches(['"', '\'']) == text
}

/// The line with the name and the text alone; nothing where the text is written otherwise.
fn blanked(line: &str, column: usize, key: &str, text: &str) -> String {
    let from = line.char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
    let Some(start) = line[from..].find(text).map(|at| from + at).or_else(|| line.find(text)) else {
        return String::new();
    };
    let end = start + text.len();
    let end = end + line[end..].chars().next().filter(|c| matches!(c, '"' | '\'')).map_or(0, char::len_utf8);
    let before = line[..start].trim_end_matches(['"', '\'', '=', ':', ' ']);
    let start = if before.ends_with(key) { before.len() - key.len() } else { start };
    let blank = |text: &str| " ".repeat(text.chars().count());
    format!("{}{}", blank(&line[..start]), &line[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_travels_is_quoted() {
        let cases = [
            ("web1 url=\"{{ x }}\" password=p", "url", "{{ x }}", "     url=\"{{ x }}\""),
            ("web1 password=p url={{x}}", "url", "{{x}}", "                url={{x}}"),
            ("url = {{ x }}", "url", "{{ x }}", "url = {{ x }}"),
            ("a={{x}} password=p", "a", "{{x}}", "a={{x}}"),
            ("  url: \"{{ x }}\"  # why", "url", "{{ x }}", "  url: \"{{ x }}\"  # why"),
            ("\"url\": '{{ x }}'", "url", "{{ x }}", "\"url\": '{{ x }}'"),
            ("  - - \"{{ x }}\"", "", "{{ x }}", "  - - \"{{ x }}\""),
            ("text: |", "text", "{{ x }}\n", "text: |"),
            ("web1: {url: \"{{ x }}\", password: p}", "url", "{{ x }}", "       url: \"{{ x }}\""),
            (
                "{\"password\": \"p\", \"url\": \"{{ x }}\"}",
                "url",
                "{{ x }}",
                "                   url\": \"{{ x }}\"",
            ),
            ("web1 url=\"{{ \\\"x\\\" }}\" password=p", "url", "{{ \"x\" }}", ""),
        ];
        for (line, key, text, expected) in cases {
            let place = only(Location::in_line("hosts", line, 1, 1), key, text);
            assert_eq!(place.text, expected, "{line}");
        }
    }
}
