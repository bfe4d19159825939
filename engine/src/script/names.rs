//! Names in a script: those that nothing defines, and variables of the controller that a play's body assigns to.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::functions::{Function, Functions, pointer};
use super::vocabulary;

/// A name at a place.
pub type Name = (String, Position);

/// What [`check`] finds, each in the order of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Variables that are read although nothing defines them.
    pub undefined: Vec<Name>,
    /// Variables of the top level that the body of a play assigns to: it has a copy, so the assignment would be lost.
    pub assigned_captures: Vec<Name>,
    /// Closures that the body of a play uses, although only data travels to a host.
    pub captured_closures: Vec<Name>,
    /// The names that the script defines anywhere, for near matches.
    pub defined: BTreeSet<String>,
}

/// Looks at every name of a script.
pub fn check(ast: &AST) -> Names {
    let functions = Functions::of(ast);
    let mut walk = Walk::new(&functions);
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        walk.node(path);
        true
    });
    let captured = walk.captured();
    let captured_in = |function: &Option<String>, name: &str| {
        function
            .as_ref()
            .and_then(|function| captured.get(function))
            .is_some_and(|names| names.contains(name))
    };
    let mut found = Names {
        assigned_captures: walk
            .assignments
            .iter()
            .filter(|(function, (name, _))| captured_in(function, name))
            .map(|(_, name)| name.clone())
            .collect(),
        undefined: walk.undefined,
        captured_closures: walk.captured_closures,
        defined: walk.defined,
    };
    found.undefined.sort_by_key(|(_, position)| *position);
    found.assigned_captures.sort_by_key(|(_, position)| *position);
    found.captured_closures.sort_by_key(|(_, position)| *position);
    found
}

/// A closure that is made: in which function, its own name, what it captures.
struct Closure {
    made_in: Option<String>,
    name: String,
    captures: Vec<String>,
}

struct Walk<'a> {
    functions: &'a Functions,
    /// The function whose body is being walked.
    inside: Option<&'a Function>,
    undefined: Vec<Name>,
    defined: BTreeSet<String>,
    /// The variables of the top level that are closures.
    closure_variables: BTreeSet<String>,
    captured_closures: Vec<Name>,
    closures: Vec<Closure>,
    /// The closures that are bodies of plays.
    bodies: Vec<String>,
    /// Assignments to variables that the function itself does not define.
    assignments: Vec<(Option<String>, Name)>,
}

impl<'a> Walk<'a> {
    fn new(functions: &'a Functions) -> Self {
        Self {
            functions,
            inside: None,
            undefined: Vec::new(),
            defined: BTreeSet::new(),
            closure_variables: BTreeSet::new(),
            captured_closures: Vec::new(),
            closures: Vec::new(),
            bodies: Vec::new(),
            assignments: Vec::new(),
        }
    }

    fn node(&mut self, path: &[ASTNode<'_>]) {
        if let [root] = path {
            self.inside = self.functions.holding(root.position());
        }
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, _, position)))
                if variable.2.is_empty() && variable.0.is_none() =>
            {
                self.outside(&variable.1, *position);
            }
            Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => {
                self.defined.insert(variable.0.name.to_string());
                if self.inside.is_none() && body(&variable.1).is_some() {
                    self.closure_variables.insert(variable.0.name.to_string());
                }
            }
            Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                self.defined.insert(parts.0.name.to_string());
                self.defined.extend(parts.1.as_ref().map(|counter| counter.name.to_string()));
            }
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => self.assignment(&assignment.1.lhs),
            Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))) => {
                self.call(call);
            }
            _ => {}
        }
    }

    /// A variable that no statement before it in the same function defines.
    fn outside(&mut self, name: &str, position: Position) {
        let parameter = |function: &Function| function.parameters.iter().any(|parameter| parameter == name);
        if vocabulary::value(name).is_none()
            && !self.inside.is_some_and(parameter)
            && !self.functions.is_function(name)
        {
            self.undefined.push((name.to_owned(), position));
        }
    }

    fn assignment(&mut self, target: &Expr) {
        let mut target = target;
        while let Expr::Dot(chain, ..) | Expr::Index(chain, ..) = target {
            target = &chain.lhs;
        }
        if let Expr::Variable(variable, _, position) = target
            && variable.0.is_none()
        {
            let function = self.inside.map(|function| function.name.clone());
            self.assignments.push((function, (variable.1.to_string(), *position)));
        }
    }

    fn call(&mut self, call: &FnCallExpr) {
        if call.name == "curry" && !call.args.is_empty() {
            let captures = variables(&call.args[1..]).into_iter().map(|(name, _)| name).collect();
            if let Some(name) = pointer(&call.args[0]) {
                let made_in = self.inside.map(|function| function.name.clone());
                self.closures.push(Closure { made_in, name, captures });
            }
        }
        if call.name == "play" && call.namespace.is_empty() {
            self.bodies.extend(call.args.last().and_then(body));
            let captured = call.args.last().into_iter().flat_map(captures);
            let closures = captured.filter(|(name, _)| self.closure_variables.contains(name));
            self.captured_closures.extend(closures);
        }
    }

    /// For every closure that belongs to a play: the variables of the top level that it has copies of.
    fn captured(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut captured: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut todo: Vec<(&Closure, BTreeSet<String>)> = self
            .closures
            .iter()
            .filter(|closure| self.bodies.contains(&closure.name))
            .map(|closure| (closure, closure.captures.iter().cloned().collect()))
            .collect();
        let mut within: BTreeMap<&str, Vec<&Closure>> = BTreeMap::new();
        for closure in &self.closures {
            within.entry(closure.made_in.as_deref().unwrap_or_default()).or_default().push(closure);
        }
        while let Some((closure, names)) = todo.pop() {
            for inner in within.get(closure.name.as_str()).into_iter().flatten() {
                let passed = inner.captures.iter().filter(|name| names.contains(*name)).cloned().collect();
                todo.push((inner, passed));
            }
            captured.entry(closure.name.clone()).or_default().extend(names);
        }
        captured
    }
}

/// What a closure captures, with the places where its body first uses it.
fn captures(closure: &Expr) -> Vec<Name> {
    match closure {
        Expr::Stmt(block) => block.statements().iter().flat_map(captures_of_statement).collect(),
        Expr::FnCall(call, _) if call.name == "curry" => variables(&call.args[1..]),
        _ => Vec::new(),
    }
}

fn captures_of_statement(statement: &Stmt) -> Vec<Name> {
    match statement {
        Stmt::Expr(expression) => captures(expression),
        Stmt::FnCall(call, _) if call.name == "curry" => variables(&call.args[1..]),
        _ => Vec::new(),
    }
}

fn variables(expressions: &[Expr]) -> Vec<Name> {
    let variable = |expression: &Expr| match expression {
        Expr::Variable(variable, _, position) => Some((variable.1.to_string(), *position)),
        _ => None,
    };
    expressions.iter().filter_map(variable).collect()
}

/// The closure that is the last argument of `play`.
fn body(argument: &Expr) -> Option<String> {
    match argument {
        Expr::Stmt(block) => block.statements().iter().find_map(|statement| match statement {
            Stmt::Expr(expression) => body(expression),
            Stmt::FnCall(call, _) => call.args.first().and_then(pointer),
            _ => None,
        }),
        Expr::FnCall(call, _) => call.args.first().and_then(pointer),
        other => pointer(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::module::Registry;
    use crate::script::engine;

    fn names(script: &str) -> Names {
        let engine = engine::engine(&Registry::default());
        let ast =
            engine::compile(&engine, script, &Arc::from(script)).expect("a script without syntax errors");
        check(&ast)
    }

    fn undefined(script: &str) -> Vec<String> {
        names(script).undefined.into_iter().map(|(name, _)| name).collect()
    }

    fn assigned(script: &str) -> Vec<String> {
        names(script).assigned_captures.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_name_is_defined_by_what_stands_before_it() {
        assert_eq!(undefined("let a = 1; let b = a; print(b + c);"), ["c"]);
        assert_eq!(undefined("print(a); let a = 1;"), ["a"]);
        assert_eq!(undefined("let a = vars.x + host.name + facts.os.id; groups[a];"), [""; 0]);
        assert_eq!(undefined("for (x, i) in [1] { print(x + i); } x"), ["x"]);
        assert_eq!(undefined("try { fail(\"\") } catch (e) { print(e.message); }"), [""; 0]);
        assert_eq!(undefined("let a = #{ b: 1 }; a.b = 2; a[\"b\"] = a?.b ?? 3;"), [""; 0]);
    }

    #[test]
    fn functions_and_closures_have_names_of_their_own() {
        assert_eq!(undefined("fn f(a) { a + vars.b + c } let c = 1; f(c);"), ["c"]);
        assert_eq!(undefined("let a = 1; let f = |x| x + a + b; f.call(1);"), ["b"]);
        assert_eq!(undefined("let f = |x| |y| x + y + vars.z; f"), [""; 0]);
        assert_eq!(
            undefined("let a = 1; task(\"t\", || { let b = a; task(\"u\", || { b + a + d }) });"),
            ["d"]
        );
        assert_eq!(undefined("fn f() { 1 } let g = f; g.call();"), [""; 0]);
        assert_eq!(undefined("[1].map(|x| x * y);"), ["y"]);
        assert_eq!(undefined("`a ${b} ${1 + c}`"), ["b", "c"]);
    }

    #[test]
    fn a_play_can_not_take_a_closure_along() {
        let captured = |script: &str| {
            names(script).captured_closures.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let script = "let n = 1; let f = |x| x + n; let g = 2; play(\"p\", #{}, || { print(f.call(g)); });";
        assert_eq!(captured(script), ["f"]);
        assert_eq!(
            captured("let f = || 1; f.call(); play(\"p\", #{}, || { let f = || 2; f.call() });"),
            [""; 0]
        );
    }

    #[test]
    fn a_play_may_not_assign_to_what_it_captured() {
        assert_eq!(assigned("let a = 1; play(\"p\", #{ hosts: \"all\" }, || { a = 2; });"), ["a"]);
        assert_eq!(assigned("let a = #{}; play(\"p\", #{}, || { a.b.c = 2; a[\"x\"] += 1; });"), ["a", "a"]);
        assert_eq!(assigned("let a = 1; play(\"p\", #{}, || { let a = 2; a = 3; print(a); });"), [""; 0]);
        assert_eq!(assigned("let a = 1; play(\"p\", #{}, || { task(\"t\", || { a = 3; }); });"), ["a"]);
        assert_eq!(assigned("let a = 1; let f = || { a = 2; }; f.call();"), [""; 0]);
        assert_eq!(
            assigned("let a = 1; play(\"p\", #{}, || { let n = a; task(\"t\", || { n += 1; }); });"),
            [""; 0]
        );
    }
}
