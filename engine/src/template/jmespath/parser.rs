//! Reads expressions, by how strongly each sign binds.

use super::Expression;
use super::lexer::{Token, tokens};

type Parsed = Result<Expression, String>;

/// What binds less than this ends a projection.
const PROJECTION_STOP: u8 = 10;
/// Deeper expressions are an error instead of an exhausted stack.
const DEPTH: usize = 100;

pub(super) fn parse(text: &str) -> Parsed {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.expression(0)?;
    match parser.next() {
        Token::End => Ok(expression),
        _ => Err(parser.wrong()),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

fn boxed(left: Expression, right: Expression) -> (Box<Expression>, Box<Expression>) {
    (Box::new(left), Box::new(right))
}

fn then(left: Expression, right: Expression) -> Expression {
    let (left, right) = boxed(left, right);
    Expression::Then(left, right)
}

fn each(left: Expression, right: Expression) -> Expression {
    let (left, right) = boxed(left, right);
    Expression::Each(left, right)
}

fn binding(token: &Token) -> u8 {
    let Token::Sign(sign) = token else { return 0 };
    match *sign {
        "|" => 1,
        "||" => 2,
        "&&" => 3,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 5,
        "[]" => 9,
        "*" => 20,
        "[?" => 21,
        "." => 40,
        "!" => 45,
        "{" => 50,
        "[" => 55,
        "(" => 60,
        _ => 0,
    }
}

impl Parser {
    fn peek(&self, ahead: usize) -> &Token {
        self.tokens.get(self.at + ahead).map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek(0).clone();
        self.at += 1;
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(0), Token::Sign(found) if *found == sign)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        self.at += 1;
        Err(self.wrong())
    }

    /// An error about the word that was taken last.
    fn wrong(&self) -> String {
        match self.tokens.get(self.at.saturating_sub(1)) {
            Some((Token::End, _)) | None => "it ends too early".to_owned(),
            Some((_, at)) => format!("it makes no sense from character {at} on"),
        }
    }

    fn expression(&mut self, strength: u8) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let mut left = self.first()?;
        while strength < binding(self.peek(0)) {
            left = self.further(left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// What begins an expression.
    fn first(&mut self) -> Parsed {
        let sign = match self.next() {
            Token::Literal(value) => return Ok(Expression::Literal(value)),
            Token::Name(name) => return Ok(Expression::Field(name)),
            Token::Quoted(name) if !self.is("(") => return Ok(Expression::Field(name)),
            Token::Sign(sign) => sign,
            _ => return Err(self.wrong()),
        };
        match sign {
            "@" => Ok(Expression::Current),
            "&" => Ok(Expression::Reference(Box::new(self.expression(0)?))),
            "!" => Ok(Expression::Not(Box::new(self.expression(45)?))),
            "*" => {
                let right = if self.is("]") { Expression::Current } else { self.projected(20)? };
                Ok(Expression::EachValue(Box::new(Expression::Current), Box::new(right)))
            }
            "[?" => self.filter(Expression::Current),
            "[]" => self.flatten(Expression::Current),
            "{" => self.map(),
            "(" => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            "[" if matches!(self.peek(0), Token::Number(_) | Token::Sign(":")) => {
                self.index(Expression::Current)
            }
            "[" if self.is("*") && matches!(self.peek(1), Token::Sign("]")) => {
                self.at += 2;
                Ok(each(Expression::Current, self.projected(20)?))
            }
            "[" => self.list(),
            _ => Err(self.wrong()),
        }
    }

    /// What continues an expression.
    fn further(&mut self, left: Expression) -> Parsed {
        let Token::Sign(sign) = self.next() else { return Err(self.wrong()) };
        match sign {
            "." if self.takes("*") => {
                let (left, right) = boxed(left, self.projected(40)?);
                Ok(Expression::EachValue(left, right))
            }
            "." => Ok(then(left, self.behind_point(40)?)),
            "|" => Ok(then(left, self.expression(1)?)),
            "||" => {
                let (left, right) = boxed(left, self.expression(2)?);
                Ok(Expression::Or(left, right))
            }
            "&&" => {
                let (left, right) = boxed(left, self.expression(3)?);
                Ok(Expression::And(left, right))
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                let (left, right) = boxed(left, self.expression(5)?);
                Ok(Expression::Compare(sign, left, right))
            }
            "(" => match left {
                Expression::Field(name) => self.arguments(name),
                _ => Err(self.wrong()),
            },
            "[?" => self.filter(left),
            "[]" => self.flatten(left),
            "[" if matches!(self.peek(0), Token::Number(_) | Token::Sign(":")) => self.index(left),
            "[" => {
                self.expect("*")?;
                self.expect("]")?;
                Ok(each(left, self.projected(20)?))
            }
            _ => Err(self.wrong()),
        }
    }

    /// What is done to each item of a projection.
    fn projected(&mut self, strength: u8) -> Parsed {
        if binding(self.peek(0)) < PROJECTION_STOP {
            return Ok(Expression::Current);
        }
        if self.is("[") || self.is("[?") {
            return self.expression(strength);
        }
        if self.takes(".") {
            return self.behind_point(strength);
        }
        self.at += 1;
        Err(self.wrong())
    }

    fn behind_point(&mut self, strength: u8) -> Parsed {
        match self.peek(0) {
            Token::Name(_) | Token::Quoted(_) | Token::Sign("*") => self.expression(strength),
            Token::Sign("[") => {
                self.at += 1;
                self.list()
            }
            Token::Sign("{") => {
                self.at += 1;
                self.map()
            }
            _ => {
                self.at += 1;
                Err(self.wrong())
            }
        }
    }

    fn filter(&mut self, left: Expression) -> Parsed {
        let condition = self.expression(0)?;
        self.expect("]")?;
        let right = if self.is("[]") { Expression::Current } else { self.projected(21)? };
        let (left, right) = boxed(left, right);
        Ok(Expression::EachWhere(left, right, Box::new(condition)))
    }

    fn flatten(&mut self, left: Expression) -> Parsed {
        Ok(each(Expression::Flatten(Box::new(left)), self.projected(9)?))
    }

    /// `[1]` or `[1:2:3]`, of which the bracket is taken.
    fn index(&mut self, left: Expression) -> Parsed {
        let mut parts = [None; 3];
        let mut part = 0;
        loop {
            match self.next() {
                Token::Number(number) if parts[part].is_none() => parts[part] = Some(number),
                Token::Sign(":") if part < 2 => part += 1,
                Token::Sign("]") => break,
                _ => return Err(self.wrong()),
            }
        }
        match parts {
            [Some(index), ..] if part == 0 => Ok(then(left, Expression::Index(index))),
            _ if parts[2] == Some(0) => Err("the step of a slice can't be 0".to_owned()),
            parts => Ok(each(then(left, Expression::Slice(parts)), self.projected(20)?)),
        }
    }

    fn list(&mut self) -> Parsed {
        let mut items = vec![self.expression(0)?];
        while self.takes(",") {
            items.push(self.expression(0)?);
        }
        self.expect("]")?;
        Ok(Expression::List(items))
    }

    fn map(&mut self) -> Parsed {
        let mut entries = Vec::new();
        loop {
            let (Token::Name(name) | Token::Quoted(name)) = self.next() else { return Err(self.wrong()) };
            self.expect(":")?;
            entries.push((name, self.expression(0)?));
            if !self.takes(",") {
                self.expect("}")?;
                return Ok(Expression::Map(entries));
            }
        }
    }

    fn arguments(&mut self, name: String) -> Parsed {
        let mut arguments = Vec::new();
        while !self.takes(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.expression(0)?);
        }
        Ok(Expression::Call(name, arguments))
    }
}
