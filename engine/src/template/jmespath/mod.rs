//! JMESPath, the language of `json_query`, as the Python library jmespath has it.

mod evaluate;
mod functions;
mod lexer;
mod parser;

use serde_json::Value;

/// What an expression finds in a value.
///
/// # Errors
/// It is not an expression, or a function is given what it doesn't take: what is wrong, and at which character.
pub(super) fn search(expression: &str, value: &Value) -> Result<Value, String> {
    let parsed = parser::parse(expression)?;
    evaluate::evaluate(&parsed, value)
}

/// An expression.
#[derive(Clone, Debug)]
enum Expression {
    /// `@`, and what stands where nothing is written.
    Current,
    Field(String),
    Index(i64),
    Slice([Option<i64>; 3]),
    Literal(Value),
    /// The right one of what the left one finds: `a.b`, `a[0]`, `a | b`.
    Then(Box<Self>, Box<Self>),
    /// The right one of each item that the left one finds.
    Each(Box<Self>, Box<Self>),
    /// The same of each value of a map.
    EachValue(Box<Self>, Box<Self>),
    /// The same of each item for which the last one holds.
    EachWhere(Box<Self>, Box<Self>, Box<Self>),
    /// The items of lists in a list.
    Flatten(Box<Self>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(&'static str, Box<Self>, Box<Self>),
    Call(String, Vec<Self>),
    /// `&a`, for functions.
    Reference(Box<Self>),
}
