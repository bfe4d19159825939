//! What one function, closure or top level of a script uses, read from its syntax tree without running it.

use std::collections::BTreeSet;

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::functions::pointer;
use crate::reads::{HostName, Names, Reads};
use crate::template;

/// A part of a script that is there or not there as a whole: a function, a closure, or the top level.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// What it reads of the inventory, also in the templates that it has as texts.
    pub reads: Reads,
    /// The closures that it makes, the functions that it points to, and the names that may be those of functions.
    pub functions: BTreeSet<String>,
    /// Whether it makes a pointer to a function whose name is computed.
    pub computed_function: bool,
    /// The constants of its script's top level that it reads, as `global::NAME`.
    pub constants: BTreeSet<String>,
    /// The namespaces of imported scripts whose constants it reads, as `x::NAME`.
    pub namespaces: BTreeSet<String>,
    /// Where it reads a variable whose name is computed.
    pub computed_variables: Vec<Position>,
}

/// How a name is come by in `vars.name`, `vars["name"]` or `vars.get("name")`.
enum Access {
    Named(String),
    Computed,
    Whole,
    /// It is not looked into here: a closure captures it.
    Not,
}

impl Unit {
    /// Notes a node of the syntax tree; the last of `path` is the node, the others are around it.
    pub(super) fn note(&mut self, path: &[ASTNode<'_>]) {
        let around = path.len().checked_sub(2).map(|at| &path[at]);
        match path.last() {
            Some(ASTNode::Expr(expression)) => self.expression(expression, around),
            // It may be the value of its block.
            Some(ASTNode::Stmt(Stmt::FnCall(call, position))) => self.call(call, *position, Access::Whole),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr, around: Option<&ASTNode<'_>>) {
        match expression {
            Expr::Variable(variable, _, position) => {
                let (name, namespace) = (variable.1.as_str(), &variable.2);
                match (name, namespace.is_empty()) {
                    ("vars", true) => {
                        let access = access(expression, around);
                        add(&mut self.reads.variables, access, *position, &mut self.computed_variables);
                    }
                    // Where a group's name is computed, all groups have to be there: it declares nothing.
                    ("groups", true) => {
                        let access = access(expression, around);
                        add(&mut self.reads.groups, access, *position, &mut Vec::new());
                    }
                    (_, true) => _ = self.functions.insert(name.to_owned()),
                    (_, false) => {
                        let parts: Vec<&str> = namespace.path.iter().map(|part| part.name.as_str()).collect();
                        if parts == ["global"] {
                            self.constants.insert(name.to_owned());
                        } else {
                            self.namespaces.insert(parts.join("::"));
                        }
                    }
                }
            }
            Expr::FnCall(call, position) => self.call(call, *position, access(expression, around)),
            Expr::DynamicConstant(..) => self.functions.extend(pointer(expression)),
            Expr::StringConstant(text, _) if template::is_template(text) => {
                // What is no template is a text for somebody else, such as the format of another program.
                if let Ok(uses) = template::check("", text) {
                    self.reads.add(&uses.reads);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, access: Access) {
        let first = call.args.first();
        match call.name.as_str() {
            "hostvars" if call.namespace.is_empty() => {
                let host = first.and_then(text).map_or(HostName::Any, HostName::Named);
                let names = self.reads.others.entry(host).or_default();
                add(names, access, position, &mut self.computed_variables);
            }
            "Fn" => match first.and_then(text) {
                Some(name) => _ = self.functions.insert(name),
                None => self.computed_function = true,
            },
            _ => {}
        }
    }
}

fn add(names: &mut Names, access: Access, position: Position, computed: &mut Vec<Position>) {
    match access {
        Access::Named(name) => _ = names.named.insert(name),
        Access::Computed => {
            names.computed = true;
            computed.push(position);
        }
        Access::Whole => names.whole = true,
        Access::Not => {}
    }
}

/// What is read of `expression`, told by what is `around` it.
fn access(expression: &Expr, around: Option<&ASTNode<'_>>) -> Access {
    let is_this = |other: &Expr| std::ptr::eq(other, expression);
    match around {
        Some(ASTNode::Expr(Expr::Dot(chain, ..))) if is_this(&chain.lhs) => of_member(&chain.rhs),
        Some(ASTNode::Expr(Expr::Index(chain, flags, _))) if is_this(&chain.lhs) => {
            of_index(&chain.rhs, flags.contains(ASTFlags::BREAK))
        }
        Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
            let is_first = call.args.first().is_some_and(is_this);
            match call.name.as_str() {
                "curry" => Access::Not,
                // `"name" in vars` is a call, too.
                "get" | "contains" if is_first => of_argument(call.args.get(1)),
                _ => Access::Whole,
            }
        }
        _ => Access::Whole,
    }
}

/// What `.member` reads.
fn of_member(member: &Expr) -> Access {
    match member {
        Expr::Property(property, _) => Access::Named(property.2.to_string()),
        Expr::MethodCall(call, _) if matches!(call.name.as_str(), "get" | "contains") => {
            of_argument(call.args.first())
        }
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => of_member(&chain.lhs),
        _ => Access::Whole,
    }
}

/// What `[index]` reads. Unless the chain ends here, what follows the index is around it.
fn of_index(index: &Expr, ends: bool) -> Access {
    match index {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) if !ends => of_argument(Some(&chain.lhs)),
        index => of_argument(Some(index)),
    }
}

fn of_argument(name: Option<&Expr>) -> Access {
    name.and_then(text).map_or(Access::Computed, Access::Named)
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::StringConstant(text, _) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::module::Registry;
    use crate::script::{calls, engine};

    /// What all parts of a script read.
    fn reads(script: &str) -> Reads {
        let engine = engine::engine(&Registry::default());
        let ast = engine::compile(&engine, script, &Arc::from(script)).expect("a script");
        let mut all = Reads::default();
        calls::read(&ast).units.values().for_each(|unit| all.add(&unit.reads));
        all
    }

    fn shown(names: &Names) -> String {
        let marks = [(names.computed, "?"), (names.whole, "*")];
        let marks = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| (*mark).to_owned());
        names.named.iter().cloned().chain(marks).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_are_found_by_their_names() {
        let cases = [
            ("vars.a; vars.b.c; vars[\"d\"]; vars[\"e\"].f; vars[\"g\"][0][\"h\"]; vars?.i;", "a b d e g i"),
            ("vars.get(\"a\"); vars.get(\"b\", 1).c; get(vars, \"d\"); vars.contains(\"e\");", "a b d e"),
            ("\"a\" in vars; \"b\" !in vars;", "a b"),
            ("for x in vars.a.b { print(x) } switch vars.c { _ => vars.d[vars.e] }", "a c d e"),
            ("`${vars.a} {{ b }} ${\"{{ c }}\"}`; print(\"{{ d | default(e) }}\")", "a b c d e"),
            ("command(\"docker ps --format {{.Names}}\"); fn command(x) { x }", ""),
            ("let f = |x| x + vars.a; let g = || task(\"t\", || vars.get(\"b\", || vars.c));", "a b c"),
            ("vars[x]; let x = \"a\"; vars[\"db_\" + x].y; vars.get(x, 1); vars.get(`a${x}`);", "?"),
            ("vars[\"a\".to_upper()];", "?"),
            ("x in vars;", "?"),
            ("f(vars);", "*"),
            ("let v = vars; v.a;", "*"),
            ("vars.names();", "*"),
            ("#{ v: vars }", "*"),
            ("hostvars(\"core\").ip; groups[\"web\"];", ""),
        ];
        for (script, expected) in cases {
            assert_eq!(shown(&reads(script).variables), expected, "{script}");
        }
    }

    #[test]
    fn other_hosts_are_found_with_what_is_read_of_them() {
        let core = HostName::Named("core".to_owned());
        let cases = [
            ("hostvars(\"core\").ip;", &core, "ip"),
            ("hostvars(\"core\").net.ip; print(hostvars(\"core\")[\"port\"]);", &core, "net port"),
            ("hostvars(\"core\").get(\"ip\", ());", &core, "ip"),
            ("hostvars(\"core\")[x];", &core, "?"),
            ("let c = hostvars(\"core\"); c.ip", &core, "*"),
            ("for h in groups[\"web\"] { print(hostvars(h).ip) }", &HostName::Any, "ip"),
            ("let f = |h| hostvars(h).ip;", &HostName::Any, "ip"),
        ];
        for (script, host, expected) in cases {
            let others = reads(script).others;
            assert_eq!(others.len(), 1, "{script}: {others:?}");
            assert_eq!(others.get(host).map(shown).as_deref(), Some(expected), "{script}");
        }
    }

    #[test]
    fn groups_are_found_by_their_names() {
        let cases = [
            ("groups[\"web\"][0]; groups.db; groups.get(\"x\", []); groups.contains(\"y\")", "db web x y"),
            ("groups[host.name]", "?"),
            ("groups.names()", "*"),
            ("host.groups", ""),
        ];
        for (script, expected) in cases {
            assert_eq!(shown(&reads(script).groups), expected, "{script}");
        }
    }
}
