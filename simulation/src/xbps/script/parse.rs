//! The grammar of scripts.

/// A command of a script. Words are as written, with quotes and variables.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A command with its arguments.
    Simple(Vec<String>),
    /// `{ … }`
    Group(Vec<Node>),
    /// `first && second`, or `first || second`.
    Both {
        /// What runs always.
        first: Box<Node>,
        /// What depends on it.
        second: Box<Node>,
        /// Whether the second one runs after success of the first one, or after failure.
        on_success: bool,
    },
    /// `case word in … esac`
    Case {
        /// What is compared.
        word: String,
        /// Patterns, and what runs when one of them fits.
        branches: Vec<(Vec<String>, Vec<Node>)>,
    },
    /// `if … then … else … fi`
    If {
        /// Whether it is so.
        condition: Vec<Node>,
        /// What runs then.
        then: Vec<Node>,
        /// What runs otherwise.
        otherwise: Vec<Node>,
    },
}

/// The commands of a script. `None` where it can't be understood.
pub fn script(text: &str) -> Option<Vec<Node>> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let nodes = parser.list(&[])?;
    (parser.at == parser.tokens.len()).then_some(nodes)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Operator(&'static str),
}

/// Longer ones first.
const OPERATORS: [&str; 7] = [";;", "&&", "||", ";", "|", ")", "\n"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.starts_with('#') {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        }
        if rest.is_empty() {
            return Some(tokens);
        }
        if let Some(operator) = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)) {
            tokens.push(Token::Operator(operator));
            rest = &rest[operator.len()..];
            continue;
        }
        let end = word_end(rest)?;
        tokens.push(Token::Word(rest[..end].to_owned()));
        rest = &rest[end..];
    }
}

/// Where a word ends. `None` if a quote is not closed.
fn word_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                characters.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            // A redirection is a word of its own.
            (None, '&') if text[..at].ends_with('>') => {}
            (None, ' ' | '\t' | '\n' | ';' | '|' | ')' | '&') => return Some(at),
            _ => {}
        }
    }
    quote.is_none().then_some(text.len())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take_word(&mut self) -> Option<String> {
        let word = self.word()?.to_owned();
        self.at += 1;
        Some(word)
    }

    fn operator(&mut self, operator: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Operator(next)) if *next == operator);
        self.at += usize::from(is_next);
        is_next
    }

    fn keyword(&mut self, keyword: &str) -> Option<()> {
        (self.take_word()? == keyword).then_some(())
    }

    fn skip_separators(&mut self) {
        while self.operator(";") || self.operator("\n") {}
    }

    /// Commands up to one of these words, which is not taken, or up to `;;`.
    fn list(&mut self, ends: &[&str]) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            self.skip_separators();
            let is_end = match self.tokens.get(self.at) {
                None | Some(Token::Operator(_)) => true,
                Some(Token::Word(word)) => ends.contains(&word.as_str()),
            };
            if is_end {
                return Some(nodes);
            }
            nodes.push(self.chain()?);
        }
    }

    fn chain(&mut self) -> Option<Node> {
        let mut node = self.command()?;
        loop {
            let on_success = self.operator("&&");
            if !on_success && !self.operator("||") {
                return Some(node);
            }
            while self.operator("\n") {}
            let second = Box::new(self.command()?);
            node = Node::Both { first: Box::new(node), second, on_success };
        }
    }

    fn command(&mut self) -> Option<Node> {
        match self.word()? {
            "{" => {
                self.at += 1;
                let nodes = self.list(&["}"])?;
                self.keyword("}")?;
                Some(Node::Group(nodes))
            }
            "case" => self.case(),
            "if" => {
                self.at += 1;
                self.condition()
            }
            _ => {
                let mut words = Vec::new();
                while let Some(word) = self.take_word() {
                    words.push(word);
                }
                Some(Node::Simple(words))
            }
        }
    }

    fn case(&mut self) -> Option<Node> {
        self.keyword("case")?;
        let word = self.take_word()?;
        self.keyword("in")?;
        let mut branches = Vec::new();
        loop {
            self.skip_separators();
            if self.word() == Some("esac") {
                self.at += 1;
                return Some(Node::Case { word, branches });
            }
            let mut patterns = vec![self.take_word()?.trim_start_matches('(').to_owned()];
            while self.operator("|") {
                patterns.push(self.take_word()?);
            }
            if !self.operator(")") {
                return None;
            }
            let nodes = self.list(&["esac"])?;
            self.operator(";;");
            branches.push((patterns, nodes));
        }
    }

    fn condition(&mut self) -> Option<Node> {
        let condition = self.list(&["then"])?;
        self.keyword("then")?;
        let then = self.list(&["elif", "else", "fi"])?;
        let otherwise = match self.take_word()?.as_str() {
            "elif" => return Some(Node::If { condition, then, otherwise: vec![self.condition()?] }),
            "else" => {
                let otherwise = self.list(&["fi"])?;
                self.keyword("fi")?;
                otherwise
            }
            _ => Vec::new(),
        };
        Some(Node::If { condition, then, otherwise })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(words: &[&str]) -> Node {
        Node::Simple(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn what_packages_write_is_understood() {
        let text = "#!/bin/sh\ncase \"$1\" in\npre|x) echo \"a ; b\" ;;\n# none\npost)\n\t[ a = b ] || { echo c >&2; exit 1; }\nesac\nexit 0\n";
        let failed = Node::Group(vec![simple(&["echo", "c", ">&2"]), simple(&["exit", "1"])]);
        let both = Node::Both {
            first: Box::new(simple(&["[", "a", "=", "b", "]"])),
            second: Box::new(failed),
            on_success: false,
        };
        let branches = vec![
            (vec!["pre".to_owned(), "x".to_owned()], vec![simple(&["echo", "\"a ; b\""])]),
            (vec!["post".to_owned()], vec![both]),
        ];
        let case = Node::Case { word: "\"$1\"".to_owned(), branches };
        assert_eq!(script(text), Some(vec![case, simple(&["exit", "0"])]));
    }

    #[test]
    fn conditions_may_be_chained() {
        let text = "if true; then a; elif false; then b; else c; fi";
        let inner = Node::If {
            condition: vec![simple(&["false"])],
            then: vec![simple(&["b"])],
            otherwise: vec![simple(&["c"])],
        };
        let outer = Node::If {
            condition: vec![simple(&["true"])],
            then: vec![simple(&["a"])],
            otherwise: vec![inner],
        };
        assert_eq!(script(text), Some(vec![outer]));
    }

    #[test]
    fn what_is_not_closed_is_not_understood() {
        for text in ["echo 'a", "case a in", "{ a; b", "if a; then b", "a )"] {
            assert_eq!(script(text), None, "{text}");
        }
    }
}
