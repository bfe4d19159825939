//! Property lists in XML, as xbps writes them: its database, its lists of files, its keys.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

/// Why a text is no property list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlistError {
    /// Where in the text, in bytes.
    at: usize,
    /// What is wrong there.
    what: &'static str,
}

impl fmt::Display for PlistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.what, self.at)
    }
}

/// A part of a property list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A dictionary or an array begins.
    Begin {
        /// Whether it is a dictionary.
        dictionary: bool,
    },
    /// It ends.
    End,
    /// The name of the value that follows in a dictionary.
    Key(Cow<'a, str>),
    /// A text, a number or data in base64.
    Text(Cow<'a, str>),
    /// Yes or no.
    Flag(bool),
}

/// Reads a property list part by part. What is not asked for costs little.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The end of an empty dictionary or array, `<dict/>`, is still to come.
    ends: bool,
}

impl<'a> Reader<'a> {
    /// At the beginning.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, ends: false }
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// What comes next is none.
    pub fn part(&mut self) -> Result<Option<Part<'a>>, PlistError> {
        if std::mem::take(&mut self.ends) {
            return Ok(Some(Part::End));
        }
        while let Some(tag) = self.tag()? {
            let part = match tag {
                "dict" | "array" => Part::Begin { dictionary: tag == "dict" },
                "dict/" | "array/" => {
                    self.ends = true;
                    Part::Begin { dictionary: tag == "dict/" }
                }
                "/dict" | "/array" => Part::End,
                "true/" | "false/" => Part::Flag(tag == "true/"),
                "key" => Part::Key(self.content("</key>")?),
                "string" => Part::Text(self.content("</string>")?),
                "integer" => Part::Text(self.content("</integer>")?),
                "data" => Part::Text(self.content("</data>")?),
                "date" => Part::Text(self.content("</date>")?),
                "string/" | "data/" => Part::Text(Cow::Borrowed("")),
                _ if tag.starts_with(['?', '!']) || tag.starts_with("plist") || tag == "/plist" => continue,
                _ => return Err(self.error("a tag that belongs to no property list")),
            };
            return Ok(Some(part));
        }
        Ok(None)
    }

    /// Passes over what belongs to the value that begins with `part`.
    ///
    /// # Errors
    /// It breaks off.
    pub fn skip(&mut self, part: &Part<'a>) -> Result<(), PlistError> {
        let mut depth = usize::from(matches!(part, Part::Begin { .. }));
        while depth > 0 {
            match self.part()? {
                Some(Part::Begin { .. }) => depth += 1,
                Some(Part::End) => depth -= 1,
                Some(_) => {}
                None => return Err(self.error("it breaks off")),
            }
        }
        Ok(())
    }

    /// The value that begins with `part`.
    ///
    /// # Errors
    /// It is broken.
    pub fn value(&mut self, part: Part<'a>) -> Result<Value, PlistError> {
        match part {
            Part::Text(text) => Ok(Value::String(text.into_owned())),
            Part::Flag(flag) => Ok(Value::Bool(flag)),
            Part::Key(_) | Part::End => Err(self.error("a value is missing")),
            Part::Begin { dictionary: true } => {
                let mut entries = Map::new();
                while let Some((key, part)) = self.entry()? {
                    let value = self.value(part)?;
                    entries.insert(key.into_owned(), value);
                }
                Ok(Value::Object(entries))
            }
            Part::Begin { dictionary: false } => {
                let mut items = Vec::new();
                loop {
                    match self.part()? {
                        Some(Part::End) => return Ok(Value::Array(items)),
                        Some(part) => items.push(self.value(part)?),
                        None => return Err(self.error("it breaks off")),
                    }
                }
            }
        }
    }

    /// The next name in a dictionary, and the beginning of its value; `None` at the end of the dictionary.
    ///
    /// # Errors
    /// It is broken.
    pub fn entry(&mut self) -> Result<Option<(Cow<'a, str>, Part<'a>)>, PlistError> {
        match self.part()? {
            Some(Part::End) => Ok(None),
            Some(Part::Key(key)) => match self.part()? {
                Some(part) => Ok(Some((key, part))),
                None => Err(self.error("it breaks off")),
            },
            Some(_) => Err(self.error("a value without a name")),
            None => Err(self.error("it breaks off")),
        }
    }

    fn tag(&mut self) -> Result<Option<&'a str>, PlistError> {
        let rest = &self.text[self.at..];
        let Some(begin) = rest.find('<') else { return Ok(None) };
        let Some(length) = rest[begin..].find('>') else { return Err(self.error("a tag without an end")) };
        self.at += begin + length + 1;
        Ok(Some(&rest[begin + 1..begin + length]))
    }

    fn content(&mut self, end: &str) -> Result<Cow<'a, str>, PlistError> {
        let rest = &self.text[self.at..];
        let length = rest.find('<').filter(|length| rest[*length..].starts_with(end));
        let Some(length) = length else { return Err(self.error("a value without an end")) };
        self.at += length + end.len();
        Ok(unescape(&rest[..length]))
    }

    fn error(&self, what: &'static str) -> PlistError {
        PlistError { at: self.at, what }
    }
}

/// A whole property list.
///
/// # Errors
/// It is none.
pub fn parse(text: &str) -> Result<Value, PlistError> {
    let mut reader = Reader::new(text);
    match reader.part()? {
        Some(part) => reader.value(part),
        None => Err(reader.error("there is nothing in it")),
    }
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    // The ampersand last: what it stood before may look like another name.
    let names = [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")];
    Cow::Owned(names.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_xbps_writes_is_read() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//A\" \"http://a\">\n\
                    <plist version=\"1.0\">\n<dict>\n\t<key>a&amp;lt;b</key>\n\t<dict/>\n\t<key>list</key>\n\
                    \t<array>\n\t\t<string>x&gt;=1</string>\n\t\t<string></string>\n\t</array>\n\t<key>size</key>\n\
                    \t<integer>7</integer>\n\t<key>yes</key>\n\t<true/>\n</dict>\n</plist>\n";
        let expected = json!({ "a&lt;b": {}, "list": ["x>=1", ""], "size": "7", "yes": true });
        assert_eq!(parse(text), Ok(expected));
        // Wherever it breaks off, that is noticed; what follows on the value itself does not matter.
        let end = text.find("\n</plist>").unwrap();
        for length in 0..end {
            assert!(parse(&text[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in
            ["", "plain", "<dict><string>x</string></dict>", "<html>", "<dict><key>a</key></dict>", "</dict>"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("<dict><key>a</key><string>b</dict>").unwrap_err();
        assert_eq!(error.to_string(), "a value without an end (at byte 26)");
    }
}
