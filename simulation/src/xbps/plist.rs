//! XML property lists, as xbps keeps everything in them. They are written byte for byte as by its library, proplib.

use std::collections::BTreeMap;
use std::fmt::Write;

use refrain_engine::base64;

/// Keys are sorted by their bytes.
pub type Dictionary = BTreeMap<String, Value>;

/// A value in a property list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `<string>`
    Text(String),
    /// `<integer>`
    Number(u64),
    /// `<true/>` or `<false/>`
    Flag(bool),
    /// `<data>`
    Data(Vec<u8>),
    /// `<array>`
    List(Vec<Value>),
    /// `<dict>`
    Dictionary(Dictionary),
}

impl Value {
    /// A list of texts.
    pub fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Text(text.into())).collect())
    }

    /// The text, of a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values, of a list.
    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The keys and values, of a dictionary.
    pub fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Self::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" \
    \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n";

/// A property list as text.
pub fn write(dictionary: &Dictionary) -> String {
    let mut text = HEAD.to_owned();
    write_dictionary(&mut text, 0, dictionary);
    text.push_str("</plist>\n");
    text
}

fn write_line(text: &mut String, depth: usize, line: &str) {
    text.extend(std::iter::repeat_n('\t', depth));
    text.push_str(line);
    text.push('\n');
}

fn write_dictionary(text: &mut String, depth: usize, dictionary: &Dictionary) {
    if dictionary.is_empty() {
        return write_line(text, depth, "<dict/>");
    }
    write_line(text, depth, "<dict>");
    for (key, value) in dictionary {
        write_line(text, depth + 1, &format!("<key>{}</key>", escaped(key)));
        write_value(text, depth + 1, value);
    }
    write_line(text, depth, "</dict>");
}

fn write_value(text: &mut String, depth: usize, value: &Value) {
    match value {
        Value::Text(value) => write_line(text, depth, &format!("<string>{}</string>", escaped(value))),
        Value::Number(value) => write_line(text, depth, &format!("<integer>{value}</integer>")),
        Value::Flag(value) => write_line(text, depth, if *value { "<true/>" } else { "<false/>" }),
        Value::Data(value) => write_line(text, depth, &format!("<data>{}</data>", base64::encode(value))),
        Value::List(values) if values.is_empty() => write_line(text, depth, "<array/>"),
        Value::List(values) => {
            write_line(text, depth, "<array>");
            values.iter().for_each(|value| write_value(text, depth + 1, value));
            write_line(text, depth, "</array>");
        }
        Value::Dictionary(dictionary) => write_dictionary(text, depth, dictionary),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Writing to a text can't fail.
        let _ = match character {
            '<' => write!(out, "&lt;"),
            '>' => write!(out, "&gt;"),
            '&' => write!(out, "&amp;"),
            other => write!(out, "{other}"),
        };
    }
    out
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// Reads a property list whose outermost value is a dictionary. `None` when it is anything else or broken.
pub fn parse(text: &str) -> Option<Dictionary> {
    let start = text.find("<plist")?;
    let mut reader = Reader { rest: &text[start..] };
    reader.tag()?;
    let tag = reader.tag()?;
    let Value::Dictionary(dictionary) = reader.value(tag)? else { return None };
    (reader.tag()? == "/plist").then_some(dictionary)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// What is between the next pair of angle brackets, comments left out.
    fn tag(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest.trim_start().strip_prefix('<')?;
            if let Some(comment) = rest.strip_prefix("!--") {
                self.rest = &comment[comment.find("-->")? + 3..];
                continue;
            }
            let (tag, rest) = rest.split_once('>')?;
            self.rest = rest;
            return Some(tag);
        }
    }

    /// The text up to the end of the element `name`.
    fn text(&mut self, name: &str) -> Option<&'a str> {
        let (text, rest) = self.rest.split_once('<')?;
        self.rest = rest.strip_prefix('/')?.strip_prefix(name)?.strip_prefix('>')?;
        Some(text)
    }

    fn value(&mut self, tag: &'a str) -> Option<Value> {
        Some(match tag {
            "true/" => Value::Flag(true),
            "false/" => Value::Flag(false),
            "string/" => Value::Text(String::new()),
            "array/" => Value::List(Vec::new()),
            "dict/" => Value::Dictionary(Dictionary::new()),
            "string" => Value::Text(unescaped(self.text("string")?)),
            "integer" => Value::Number(number(self.text("integer")?.trim())?),
            "data" => Value::Data(base64::decode(self.text("data")?)?),
            "array" => self.list()?,
            "dict" => self.dictionary()?,
            _ => return None,
        })
    }

    fn list(&mut self) -> Option<Value> {
        let mut values = Vec::new();
        loop {
            match self.tag()? {
                "/array" => return Some(Value::List(values)),
                tag => values.push(self.value(tag)?),
            }
        }
    }

    fn dictionary(&mut self) -> Option<Value> {
        let mut dictionary = Dictionary::new();
        loop {
            match self.tag()? {
                "/dict" => return Some(Value::Dictionary(dictionary)),
                "key" => {
                    let key = unescaped(self.text("key")?);
                    let tag = self.tag()?;
                    dictionary.insert(key, self.value(tag)?);
                }
                _ => return None,
            }
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_proplib_writes() {
        let package = Dictionary::from([
            ("automatic-install".to_owned(), Value::Flag(true)),
            ("install-script".to_owned(), Value::Data(b"#!/bin/sh\n".to_vec())),
            ("installed_size".to_owned(), Value::Number(15)),
            ("run_depends".to_owned(), Value::texts(["glibc>=2"])),
            ("short_desc".to_owned(), Value::from("NTP & co")),
        ]);
        let database = Dictionary::from([("chrony".to_owned(), Value::Dictionary(package))]);
        let expected = "<dict>\n\t<key>chrony</key>\n\t<dict>\n\t\t<key>automatic-install</key>\n\t\t<true/>\n\t\t\
            <key>install-script</key>\n\t\t<data>IyEvYmluL3NoCg==</data>\n\t\t<key>installed_size</key>\n\t\t\
            <integer>15</integer>\n\t\t<key>run_depends</key>\n\t\t<array>\n\t\t\t<string>glibc&gt;=2</string>\n\t\t\
            </array>\n\t\t<key>short_desc</key>\n\t\t<string>NTP &amp; co</string>\n\t</dict>\n</dict>\n</plist>\n";
        assert_eq!(write(&database), format!("{HEAD}{expected}"));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let inner = Dictionary::from([
            ("empty".to_owned(), Value::List(Vec::new())),
            ("none".to_owned(), Value::Dictionary(Dictionary::new())),
            ("text".to_owned(), Value::from("&lt; <b> & \"c\"")),
            ("no".to_owned(), Value::Flag(false)),
            ("list".to_owned(), Value::List(vec![Value::Number(7), Value::texts(["", "a b"])])),
        ]);
        let outer = Dictionary::from([("a<b".to_owned(), Value::Dictionary(inner))]);
        assert_eq!(parse(&write(&outer)), Some(outer));
    }

    #[test]
    fn a_broken_list_is_none() {
        let whole = write(&Dictionary::from([("key".to_owned(), Value::texts(["text"]))]));
        for cut in (0..whole.len() - 1).filter(|cut| whole.is_char_boundary(*cut)) {
            let read = parse(&whole[..cut]);
            assert!(read.is_none(), "{cut}: {read:?}");
        }
    }
}
