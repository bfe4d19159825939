//! The functions and closures of a script, and which of them a place is in.

use rhai::{AST, Expr, Position};

/// A function or closure and the part of the source that is its body.
pub(super) struct Function {
    /// Its name; that of a closure begins with `anon$`.
    pub name: String,
    /// The names of its parameters. What a closure captures comes first.
    pub parameters: Vec<String>,
    start: Position,
    end: Position,
    /// The function around it, by its place in the list.
    around: Option<usize>,
}

/// The functions of a script in the order of their bodies.
pub(super) struct Functions(Vec<Function>);

impl Functions {
    /// The functions and closures of a script.
    pub fn of(ast: &AST) -> Self {
        let mut all: Vec<Function> = ast
            .iter_fn_def()
            .map(|function| Function {
                name: function.name.to_string(),
                parameters: function.params.iter().map(ToString::to_string).collect(),
                start: function.body.start_position(),
                // A closure that is one expression has a start only.
                end: function.body.end_position().max(function.body.start_position()),
                around: None,
            })
            .collect();
        all.sort_by_key(|function| function.start);
        let mut open: Vec<usize> = Vec::new();
        for index in 0..all.len() {
            while open.last().is_some_and(|last| all[*last].end < all[index].start) {
                open.pop();
            }
            all[index].around = open.last().copied();
            open.push(index);
        }
        Self(all)
    }

    /// The innermost function whose body holds the statement at `position`.
    pub fn holding(&self, position: Position) -> Option<&Function> {
        let mut index = self.0.partition_point(|function| function.start <= position).checked_sub(1);
        while let Some(at) = index {
            let function = &self.0[at];
            if position <= function.end {
                return Some(function);
            }
            index = function.around;
        }
        None
    }

    /// Whether a function of the script has this name.
    pub fn is_function(&self, name: &str) -> bool {
        self.0.iter().any(|function| function.name == name)
    }
}

/// The function that an expression points to, if it is written out.
pub(super) fn pointer(expression: &Expr) -> Option<String> {
    match expression {
        Expr::DynamicConstant(value, _) => {
            value.clone().try_cast::<rhai::FnPtr>().map(|pointer| pointer.fn_name().to_owned())
        }
        _ => None,
    }
}
