//! What a script says, read from its syntax tree without running it: calls with their literal arguments, imports, names.
//!
//! Lint checks these, and a bundle is put together from them.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::functions::{Functions, pointer};
use super::units::Unit;

/// An argument, as far as it can be read without running the script.
#[derive(Clone, Debug)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A number, flag or `()`.
    Plain(serde_json::Value),
    /// An array.
    Array(Vec<Literal>),
    /// A map: its keys with their places, in the order of the source.
    Map(Vec<(String, Position, Literal)>),
    /// A closure or a pointer to a function: its name, if that is written out.
    Closure(Option<String>),
    /// Something that is computed.
    Computed,
}

impl Literal {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What stands before the last `::`; empty for a plain function.
    pub namespace: String,
    /// The function's name.
    pub name: String,
    /// Its arguments, with their places.
    pub arguments: Vec<(Literal, Position)>,
    /// Where the function's name stands.
    pub position: Position,
    /// Whether it is called as a method, `x.name(…)`: then the first argument is not in the list.
    pub method: bool,
    /// The function or closure that it stands in; empty for the top level.
    pub within: String,
}

impl Call {
    /// Namespace and name.
    pub fn full_name(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}::{}", self.namespace, self.name)
        }
    }
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The path, if it is written out.
    pub path: Option<String>,
    /// The name that it gets.
    pub alias: String,
    /// Where it stands.
    pub position: Position,
    /// The function or closure that it stands in; empty for the top level.
    pub within: String,
}

/// All that a script says.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The calls, in the order of the source.
    pub calls: Vec<Call>,
    /// The imports.
    pub imports: Vec<Import>,
    /// The functions that the script defines: name and number of parameters.
    pub functions: Vec<(String, usize)>,
    /// The parts of the script: functions and closures by their names, and the top level, whose name is empty.
    pub units: BTreeMap<String, Unit>,
}

/// Reads a script's syntax tree.
pub fn read(ast: &AST) -> Script {
    let mut script = Script {
        functions: ast
            .iter_functions()
            .filter(|function| !function.name.starts_with("anon$"))
            .map(|function| (function.name.to_owned(), function.params.len()))
            .collect(),
        ..Script::default()
    };
    let functions = Functions::of(ast);
    // The walk goes through the statements of the top level first, then through the functions and closures.
    let top_level = ast.statements().len();
    let mut roots = 0;
    let mut within = String::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let [root] = path {
            roots += 1;
            let holding = functions.holding(root.position()).filter(|_| roots > top_level);
            within = holding.map(|function| function.name.clone()).unwrap_or_default();
            script.units.entry(within.clone()).or_default();
        }
        if let Some(unit) = script.units.get_mut(&within) {
            unit.note(path);
        }
        match path.last() {
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, position)) | ASTNode::Expr(Expr::FnCall(call, position)),
            ) => {
                script.calls.extend(call_of(call, *position, false, &within));
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => {
                script.calls.extend(call_of(call, *position, true, &within));
            }
            Some(ASTNode::Stmt(Stmt::Import(import, position))) => script.imports.push(Import {
                path: literal(&import.0).text().map(ToOwned::to_owned),
                alias: import.1.name.to_string(),
                position: *position,
                within: within.clone(),
            }),
            _ => {}
        }
        true
    });
    script
}

fn call_of(call: &FnCallExpr, position: Position, method: bool, within: &str) -> Option<Call> {
    if call.op_token.is_some() {
        return None;
    }
    let namespace = call.namespace.path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("::");
    Some(Call {
        namespace,
        name: call.name.to_string(),
        arguments: call.args.iter().map(|argument| (literal(argument), argument.position())).collect(),
        position,
        method,
        within: within.to_owned(),
    })
}

fn literal(expression: &Expr) -> Literal {
    match expression {
        Expr::StringConstant(text, _) => Literal::Text(text.to_string()),
        Expr::CharConstant(letter, _) => Literal::Text(letter.to_string()),
        Expr::BoolConstant(flag, _) => Literal::Plain((*flag).into()),
        Expr::IntegerConstant(number, _) => Literal::Plain((*number).into()),
        Expr::FloatConstant(number, _) => Literal::Plain((**number).into()),
        Expr::Unit(_) => Literal::Plain(serde_json::Value::Null),
        Expr::Array(items, _) => Literal::Array(items.iter().map(literal).collect()),
        Expr::Map(map, _) => Literal::Map(
            map.0.iter().map(|(key, value)| (key.name.to_string(), key.pos, literal(value))).collect(),
        ),
        Expr::FnCall(call, _) => closure(call).unwrap_or(Literal::Computed),
        Expr::Stmt(block) => match block.statements().last() {
            Some(Stmt::Expr(last)) => literal(last),
            Some(Stmt::FnCall(call, _)) => closure(call).unwrap_or(Literal::Computed),
            _ => Literal::Computed,
        },
        Expr::DynamicConstant(value, _) if value.is_fnptr() => Literal::Closure(pointer(expression)),
        _ => Literal::Computed,
    }
}

/// `Fn("name")`, or a closure with what it captures.
fn closure(call: &FnCallExpr) -> Option<Literal> {
    match call.name.as_str() {
        "curry" => Some(Literal::Closure(call.args.first().and_then(pointer))),
        "Fn" => {
            Some(Literal::Closure(call.args.first().and_then(|name| literal(name).text().map(str::to_owned))))
        }
        _ => None,
    }
}
