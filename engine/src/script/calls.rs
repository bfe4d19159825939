//! What a script says, read from its syntax tree without running it: calls with their literal arguments, imports, names.
//!
//! Lint checks these, and a bundle is put together from them.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

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
    /// A closure.
    Closure,
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
    /// Whether it stands in no function and no closure.
    pub top_level: bool,
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
}

/// All that a script says.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The calls, in the order of the source.
    pub calls: Vec<Call>,
    /// The imports.
    pub imports: Vec<Import>,
    /// The variables that are read or written, with their places.
    pub names: Vec<(String, Position)>,
    /// The functions that the script defines: name and number of parameters.
    pub functions: Vec<(String, usize)>,
}

impl Script {
    /// Whether a name is read anywhere.
    pub fn reads(&self, name: &str) -> bool {
        self.names.iter().any(|(known, _)| known == name)
    }
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
    // The walk goes through the statements of the top level first, then through the functions and closures.
    let top_level = ast.statements().len();
    let mut roots = 0;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        roots += usize::from(path.len() == 1);
        let top_level = roots <= top_level;
        match path.last() {
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, position)) | ASTNode::Expr(Expr::FnCall(call, position)),
            ) => {
                script.calls.extend(call_of(call, *position, false, top_level));
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => {
                script.calls.extend(call_of(call, *position, true, top_level));
            }
            Some(ASTNode::Stmt(Stmt::Import(import, position))) => script.imports.push(Import {
                path: literal(&import.0).text().map(ToOwned::to_owned),
                alias: import.1.name.to_string(),
                position: *position,
            }),
            Some(ASTNode::Expr(Expr::Variable(variable, _, position))) if variable.2.is_empty() => {
                script.names.push((variable.1.to_string(), *position));
            }
            _ => {}
        }
        true
    });
    script
}

fn call_of(call: &FnCallExpr, position: Position, method: bool, top_level: bool) -> Option<Call> {
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
        top_level,
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
        Expr::FnCall(call, _) if call.name == "curry" || call.name == "Fn" => Literal::Closure,
        Expr::Stmt(block) => match block.statements().last() {
            Some(Stmt::Expr(last)) => literal(last),
            Some(Stmt::FnCall(call, _)) if call.name == "curry" => Literal::Closure,
            _ => Literal::Computed,
        },
        Expr::DynamicConstant(value, _) if value.is_fnptr() => Literal::Closure,
        _ => Literal::Computed,
    }
}
