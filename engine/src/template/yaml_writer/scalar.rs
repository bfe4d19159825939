//! Texts as libyaml writes them: plain where they are read as what they are, else in quotes.

use super::{Context, Writer};

/// What a text allows.
struct Allowed {
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
}

/// Looks at what stands in a text.
fn analyze(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { flow_plain: false, block_plain: true, single_quoted: true };
    }
    let chars: Vec<char> = text.chars().collect();
    let last = chars.len() - 1;
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut block, mut flow) = (marker, marker);
    let (mut special, mut break_space, mut space_break) = (false, false, false);
    let blank = |at: usize| chars.get(at).is_none_or(|c| matches!(c, ' ' | '\t') || is_break(*c));
    for (at, c) in chars.iter().enumerate() {
        let followed = blank(at + 1);
        let preceded = at == 0 || blank(at - 1);
        match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if at == 0 =>
            {
                (block, flow) = (true, true);
            }
            '?' | ':' if at == 0 => (block, flow) = (block || followed, true),
            '-' if at == 0 && followed => (block, flow) = (true, true),
            ',' | '?' | '[' | ']' | '{' | '}' => flow = true,
            ':' => (block, flow) = (block || followed, true),
            '#' if preceded => (block, flow) = (true, true),
            _ => {}
        }
        special |= !is_printable(*c);
        let before = at.checked_sub(1).map(|at| chars[at]);
        break_space |= *c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(*c) && before == Some(' ');
    }
    let outside = |c: char| c == ' ' || is_break(c);
    let edges = outside(chars[0]) || outside(chars[last]);
    let lines = text.contains(is_break);
    let quoted_only = edges || break_space || space_break || special || lines;
    Allowed {
        flow_plain: !quoted_only && !flow,
        block_plain: !quoted_only && !block,
        single_quoted: !break_space && !space_break && !special,
    }
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml writes as it is.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

impl Writer<'_> {
    pub(super) fn scalar(&mut self, text: &str, plain: bool, context: Context) {
        let allowed = analyze(text);
        let before = self.deeper(true, false);
        let multiline = text.contains(is_break);
        let in_flow = self.flow_level > 0;
        let plain = plain
            && (if in_flow { allowed.flow_plain } else { allowed.block_plain })
            && !(text.is_empty() && (in_flow || context.simple_key));
        let breaks = !context.simple_key;
        if context.simple_key && multiline {
            self.double_quoted(text, breaks);
        } else if plain {
            self.plain(text, breaks);
        } else if allowed.single_quoted {
            self.single_quoted(text, breaks);
        } else {
            self.double_quoted(text, breaks);
        }
        self.indent = before;
    }

    fn plain(&mut self, text: &str, breaks: bool) {
        if !self.blank && (!text.is_empty() || self.flow_level > 0) {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next_is_space = chars.peek() == Some(&' ');
            if c == ' ' && breaks && !spaces && self.column > self.style.width && !next_is_space {
                self.new_line();
            } else {
                self.put(c);
                self.indenting = false;
            }
            spaces = c == ' ';
        }
        self.blank = false;
        self.indenting = false;
    }

    fn single_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("'", true, false, false);
        let (mut spaces, mut in_breaks) = (false, false);
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let inner = at > 0 && at + 1 < chars.len();
            match c {
                ' ' => {
                    let fold = breaks && !spaces && self.column > self.style.width && inner;
                    if fold && chars[at + 1] != ' ' {
                        self.new_line();
                    } else {
                        self.put(' ');
                    }
                    spaces = true;
                }
                c if is_break(*c) => {
                    if !in_breaks && *c == '\n' {
                        self.put('\n');
                    }
                    self.put(*c);
                    self.indenting = true;
                    in_breaks = true;
                }
                c => {
                    if in_breaks {
                        self.new_line();
                    }
                    if *c == '\'' {
                        self.put('\'');
                    }
                    self.put(*c);
                    self.indenting = false;
                    (spaces, in_breaks) = (false, false);
                }
            }
        }
        if in_breaks {
            self.new_line();
        }
        self.indicator("'", false, false, false);
        self.blank = false;
        self.indenting = false;
    }

    fn double_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("\"", true, false, false);
        let mut spaces = false;
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let inner = at > 0 && at + 1 < chars.len();
            match c {
                ' ' if breaks && !spaces && self.column > self.style.width && inner => {
                    self.new_line();
                    if chars[at + 1] == ' ' {
                        self.put('\\');
                    }
                    spaces = true;
                }
                c if !is_printable(*c) || is_break(*c) || matches!(c, '"' | '\\') => {
                    escaped(*c).chars().for_each(|c| self.put(c));
                    spaces = false;
                }
                c => {
                    self.put(*c);
                    spaces = *c == ' ';
                }
            }
        }
        self.indicator("\"", false, false, false);
        self.blank = false;
        self.indenting = false;
    }
}

/// A character as it stands between double quotes.
fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match u32::from(c) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
