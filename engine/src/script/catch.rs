//! What `catch` must not catch.
//!
//! To Rhai, branching on a value that check mode does not know is a type error like any other, and `try` would catch it. There is
//! no way to tell it otherwise, and no syntax of our own can take the place of `try` (its `catch` names a variable). So the
//! script is given a word to say first: every `catch (e) {` is compiled as `catch (e) {e=caught(e);`. The function ends the
//! prediction if that is what the error means; else it gives the error the same fields, whoever raised it. Places are taken back to
//! the text as the person wrote it.

use std::borrow::Cow;

use rhai::{Dynamic, Engine, EvalAltResult, Map, NativeCallContext};

use super::fault::{Ending, Fault, is_unknown, locate, place};
use crate::diagnostic::Diagnostic;

/// The function that a `catch` calls first.
const FUNCTION: &str = "caught";

/// The variable of a `catch` that names none.
const UNNAMED: &str = "caught_error";

/// Something that was put into a line of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insertion {
    /// The line, from 1.
    line: usize,
    /// The column of the text as it was written, from 1, that it stands before.
    column: usize,
    /// How many characters it has.
    width: usize,
}

/// The script as it is compiled, and what was put into it, in order.
pub fn instrument(text: &str) -> (Cow<'_, str>, Vec<Insertion>) {
    // Most scripts catch nothing.
    if !text.contains("catch") {
        return (text.into(), Vec::new());
    }
    let words = words(text);
    let mut edited = String::with_capacity(text.len() + 64);
    let mut insertions = Vec::new();
    let mut done = 0;
    let mut insert = |edited: &mut String, at: usize, what: &str| {
        edited.push_str(&text[done..at]);
        edited.push_str(what);
        done = at;
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        insertions.push(Insertion {
            line: text[..at].matches('\n').count() + 1,
            column: text[start..at].chars().count() + 1,
            width: what.chars().count(),
        });
    };
    for (index, (start, word)) in words.iter().enumerate().filter(|(_, (_, word))| *word == "catch") {
        let next = |ahead: usize| words.get(index + ahead).copied().unwrap_or((text.len(), ""));
        match (next(1), next(2), next(3), next(4)) {
            ((_, "("), (_, name), (_, ")"), (brace, "{")) => {
                insert(&mut edited, brace + 1, &format!("{name}={FUNCTION}({name});"));
            }
            ((brace, "{"), ..) => {
                insert(&mut edited, start + word.len(), &format!("({UNNAMED})"));
                insert(&mut edited, brace + 1, &format!("{UNNAMED}={FUNCTION}({UNNAMED});"));
            }
            // A syntax error; Rhai will say so.
            _ => {}
        }
    }
    edited.push_str(&text[done..]);
    (edited.into(), insertions)
}

/// The column in the text as it was written.
pub fn original_column(insertions: &[Insertion], line: usize, column: usize) -> usize {
    let mut shift = 0;
    let first = insertions.partition_point(|insertion| insertion.line < line);
    for insertion in insertions[first..].iter().take_while(|insertion| insertion.line == line) {
        let start = insertion.column + shift;
        if column < start {
            break;
        }
        if column < start + insertion.width {
            return insertion.column.saturating_sub(1).max(1);
        }
        shift += insertion.width;
    }
    column - shift
}

/// The identifiers and the single other characters of a script, without blanks, comments and texts. What stands in
/// `${…}` inside of a text is code.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    // For each text that is open, how many braces are open inside of its `${`.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match letter {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => quoted(rest, '"'),
            // A character, or the mark of nothing.
            '\'' => quoted(rest, '\''),
            '#' if rest.trim_start_matches('#').starts_with('"') => raw(rest),
            '`' => interpolated(rest, 1, &mut open),
            '}' if open.last() == Some(&0) => {
                open.pop();
                interpolated(rest, 1, &mut open)
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                words.push((at, &rest[..length]));
                length
            }
            letter => {
                match (letter, open.last_mut()) {
                    ('{', Some(depth)) => *depth += 1,
                    ('}', Some(depth)) => *depth -= 1,
                    _ => {}
                }
                if !letter.is_whitespace() {
                    words.push((at, &rest[..letter.len_utf8()]));
                }
                letter.len_utf8()
            }
        };
        at += length;
    }
    words
}

/// The length of a comment that may hold others.
fn comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a text that begins and ends with a quote, which `\` protects.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of `#"…"#`, with as many `#` in front as behind.
fn raw(text: &str) -> usize {
    let marks = text.len() - text.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(marks));
    text[marks + 1..].find(&end).map_or(text.len(), |found| marks + 1 + found + end.len())
}

/// The length of a text in backticks from `start` on, up to its end or the `${` in it, which is then open.
fn interpolated(text: &str, start: usize, open: &mut Vec<usize>) -> usize {
    let rest = &text[start..];
    match (rest.find('`'), rest.find("${")) {
        (end, Some(hole)) if end.is_none_or(|end| hole < end) => {
            open.push(0);
            start + hole + 2
        }
        (Some(end), _) => start + end + 1,
        (None, _) => text.len(),
    }
}

/// Registers the function that a `catch` calls first.
pub(super) fn register(engine: &mut Engine) {
    engine.register_fn(
        FUNCTION,
        |context: NativeCallContext<'_>, error: Dynamic| -> Result<Dynamic, Box<EvalAltResult>> {
            // What a module, a word or the script itself threw is handed over as it is.
            let Some(fields) = error.as_map_ref().ok().filter(|fields| fields.contains_key("error")) else {
                return Ok(error);
            };
            let (diagnostic, unknown) = describe(&context, &fields);
            if unknown {
                return Err(Ending::Unknown.throw(diagnostic.at.or_else(|| place(&context))));
            }
            Ok(Dynamic::from(Fault::new(diagnostic)))
        },
    );
}

/// An error of Rhai's own, which it hands to a `catch` as a map, and whether it is about an unknown value.
fn describe(context: &NativeCallContext<'_>, fields: &Map) -> (Diagnostic, bool) {
    let text = |name: &str| fields.get(name).map(ToString::to_string).unwrap_or_default();
    let number = |name: &str| fields.get(name).and_then(|value| usize::try_from(value.as_int().ok()?).ok());
    let unknown = match text("error").as_str() {
        "ErrorFor" => super::current::check(),
        "ErrorMismatchDataType" | "ErrorMismatchOutputType" | "ErrorFunctionNotFound" => {
            fields.values().any(|value| is_unknown(&value.to_string()))
        }
        _ => false,
    };
    let mut diagnostic = Diagnostic::new(super::fault::lower(&text("message")));
    if let (Some(line), Some(column)) = (number("line"), number("position")) {
        let position = rhai::Position::new(
            u16::try_from(line).unwrap_or(u16::MAX),
            u16::try_from(column).unwrap_or(u16::MAX),
        );
        let source = Some(text("source")).filter(|source| !source.is_empty());
        let source = source.or_else(|| context.call_source().map(ToOwned::to_owned)).unwrap_or_default();
        diagnostic.at = Some(locate(&source, position));
    }
    (diagnostic, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str) -> String {
        instrument(text).0.into_owned()
    }

    #[test]
    fn every_catch_says_its_word_first() {
        assert_eq!(edited("try { a } catch (e) { b }"), "try { a } catch (e) {e=caught(e); b }");
        assert_eq!(
            edited("try { a } catch { b }"),
            "try { a } catch(caught_error) {caught_error=caught(caught_error); b }"
        );
        assert_eq!(edited("x catch\n(e)\n{ y }"), "x catch\n(e)\n{e=caught(e); y }");
    }

    #[test]
    fn what_is_not_code_stays() {
        for text in [
            "// catch (e) { }\n",
            "/* catch (e) { /* catch (e) { */ } */",
            "\"catch (e) { \\\" catch (e) {\"",
            "#\"catch (e) { \" catch (e) {\"#",
            "`catch (e) { ${ a } catch (e) {`",
            "let catcher = 1; catch_all(e)",
            "'\"' + 'catch'",
        ] {
            assert_eq!(edited(text), text);
        }
        assert_eq!(
            edited("`a ${ try { `${b}` } catch (e) { #{ c: 1 } } } catch (e) {`"),
            "`a ${ try { `${b}` } catch (e) {e=caught(e); #{ c: 1 } } } catch (e) {`"
        );
    }

    #[test]
    fn places_are_those_of_the_text_as_it_was_written() {
        let text = "let ä = 1; try { a } catch (e) { b } catch { c }\nd";
        let (edited, insertions) = instrument(text);
        for needle in ["a }", "(e)", "b }", "c }", "d"] {
            let place = |text: &str| {
                let at = text.find(needle).unwrap();
                let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                (text[..at].matches('\n').count() + 1, text[start..at].chars().count() + 1)
            };
            let (line, column) = place(&edited);
            assert_eq!((line, original_column(&insertions, line, column)), place(text), "{needle}");
        }
    }
}
