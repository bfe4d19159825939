//! What a template reads of the inventory.

use std::collections::{BTreeMap, HashSet};

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};

use super::lookup;
use super::visit::Visitor;
use crate::reads::{HostName, Reads};

/// The names under which a template sees everything of a kind.
pub(super) const ROOTS: [&str; 3] = ["vars", "hostvars", "groups"];

/// Looks at every lookup that begins at one of the [`ROOTS`].
#[derive(Default)]
pub(super) struct Finder {
    pub reads: Reads,
    /// The lookups in which the name of a variable is computed.
    pub computed: Vec<Span>,
    /// The files that are looked up by names that are written out.
    pub files: BTreeMap<String, Span>,
    /// The templates that are looked up by names that are written out.
    pub templates: BTreeMap<String, Span>,
    /// The lookups in which the name of a template is computed.
    pub computed_templates: Vec<Span>,
    /// The lookups in which the name of a file is computed.
    pub computed_files: Vec<Span>,
    /// The expressions that are parts of a lookup that was seen already.
    seen: HashSet<usize>,
}

/// One step of a lookup: a name that is written out, or one that is computed.
type Step = Option<String>;

impl<'a> Visitor<'a> for Finder {
    fn expression(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::Call(call) => self.call(expression.span(), &call.expr, &call.args),
            Expr::Filter(filter) if matches!(filter.name, "map" | "extract") => {
                self.extract(expression.span(), filter.name, &filter.args);
            }
            _ => {}
        }
        if !self.seen.contains(&address(expression))
            && let Some((root, steps)) = self.lookup(expression)
        {
            self.note(expression.span(), root, &steps);
        }
    }
}

impl Finder {
    /// `vars.get('x')`, `hostvars[h].get('x')`, `groups.get('x')`: a method whose argument is the next step. `lookup('vars', 'x')`.
    fn call(&mut self, span: Span, called: &Expr<'_>, args: &[CallArg<'_>]) {
        let first = args.first().and_then(positional);
        match called {
            Expr::GetAttr(attr) if attr.name == "get" => {
                if let (Some((root, mut steps)), Some(name)) = (self.lookup(&attr.expr), first) {
                    self.seen.insert(address(called));
                    steps.push(text(name));
                    self.note(span, root, &steps);
                }
            }
            Expr::Var(var) if matches!(var.id, "lookup" | "query" | "q") => {
                if let Some(plugin) = first.and_then(text) {
                    self.looked_up(span, lookup::short_name(&plugin), &args[1..]);
                }
            }
            _ => {}
        }
    }

    fn looked_up(&mut self, span: Span, plugin: &str, terms: &[CallArg<'_>]) {
        let terms = terms.iter().filter_map(positional).flat_map(|name| match name {
            Expr::List(list) => list.items.iter().map(text).collect(),
            name => vec![text(name)],
        });
        match plugin {
            "vars" => terms.for_each(|name| self.note(span, "vars", &[name])),
            // Any of them may have a name that is asked for.
            "varnames" => self.note(span, "vars", &[]),
            "env" => self.reads.environment.extend(terms.flatten().map(|name| {
                // Ansible takes the first word.
                name.split_whitespace().next().unwrap_or_default().to_owned()
            })),
            "file" => terms.for_each(|name| match name {
                Some(name) => _ = self.files.insert(name, span),
                None => self.computed_files.push(span),
            }),
            "template" => terms.for_each(|name| match name {
                Some(name) => _ = self.templates.insert(name, span),
                None => self.computed_templates.push(span),
            }),
            _ => {}
        }
    }

    /// `h | extract(hostvars, 'x')` and `hosts | map('extract', hostvars, ['x', 'y'])`.
    fn extract(&mut self, span: Span, filter: &str, args: &[CallArg<'_>]) {
        let args: Vec<&Expr<'_>> = args.iter().filter_map(positional).collect();
        let args = match filter {
            "map" if args.first().and_then(|name| text(name)).as_deref() == Some("extract") => &args[1..],
            "map" => return,
            _ => &args[..],
        };
        let [Expr::Var(container), more @ ..] = args else { return };
        if !ROOTS.contains(&container.id) {
            return;
        }
        self.seen.insert(address(args[0]));
        let first = more.first().map(|more| match more {
            Expr::List(list) => list.items.first().and_then(text),
            more => text(more),
        });
        let steps: Vec<Step> = std::iter::once(None).chain(first).collect();
        self.note(span, container.id, &steps);
    }

    /// A chain of `.name` and `[index]` that begins at a root; its parts are not looked at again.
    fn lookup<'e>(&mut self, expression: &'e Expr<'_>) -> Option<(&'e str, Vec<Step>)> {
        let mut steps = Vec::new();
        let mut parts = Vec::new();
        let mut at = expression;
        let root = loop {
            parts.push(address(at));
            at = match at {
                Expr::GetAttr(attr) => {
                    steps.push(Some(attr.name.to_owned()));
                    &attr.expr
                }
                Expr::GetItem(item) => {
                    steps.push(text(&item.subscript_expr));
                    &item.expr
                }
                Expr::Var(var) if ROOTS.contains(&var.id) => break var.id,
                _ => return None,
            };
        };
        self.seen.extend(parts);
        steps.reverse();
        Some((root, steps))
    }

    fn note(&mut self, span: Span, root: &str, steps: &[Step]) {
        let (names, step) = match root {
            "vars" => (&mut self.reads.variables, steps.first()),
            "groups" => (&mut self.reads.groups, steps.first()),
            _ => {
                let host = match steps.first() {
                    Some(Some(name)) => HostName::Named(name.clone()),
                    _ => HostName::Any,
                };
                (self.reads.others.entry(host).or_default(), steps.get(1))
            }
        };
        match step {
            Some(Some(name)) => _ = names.named.insert(name.clone()),
            Some(None) => {
                names.computed = true;
                // Where the name of a group is computed, all groups are there.
                if root != "groups" {
                    self.computed.push(span);
                }
            }
            None => names.whole = true,
        }
    }
}

fn positional<'e, 'a>(arg: &'e CallArg<'a>) -> Option<&'e Expr<'a>> {
    match arg {
        CallArg::Pos(expression) => Some(expression),
        _ => None,
    }
}

fn text(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Tells the expressions of one template apart.
fn address(expression: &Expr<'_>) -> usize {
    std::ptr::from_ref(expression).addr()
}

#[cfg(test)]
mod tests {
    use crate::reads::{HostName, Names, Reads};
    use crate::template;

    fn reads(text: &str) -> Reads {
        template::check("t.j2", text).expect("a template").reads
    }

    /// Names as one text: what is written out, `?` for a computed one, `*` for all.
    fn shown(names: &Names) -> String {
        let marks = [(names.computed, "?"), (names.whole, "*")];
        let marks = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| (*mark).to_owned());
        names.named.iter().cloned().chain(marks).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_are_found_by_their_names() {
        let cases = [
            ("{{ a.b }} {{ c['d'] | default(e) }}", "a c e"),
            ("{% for x in xs if y %}{{ x }}{{ loop.index }}{% endfor %}", "xs y"),
            ("{% set a = b %}{{ a }}", "b"),
            ("{{ vars['a'] }} {{ vars.b }} {{ vars.get('c') }}", "a b c"),
            ("{{ vars[a] }} {{ vars['x' ~ b].c }}", "a b ?"),
            ("{{ vars | length }} {% for v in vars %}{% endfor %}", "*"),
            ("{{ lookup('vars', 'a', 'b') }} {{ query('vars', ['c', 'd']) }}", "a b c d"),
            ("{{ lookup('vars', x) }} {{ lookup('vars', 'a' ~ b) }}", "b x ?"),
            ("{{ groups['web'] }} {{ hostvars['core'].ip }}", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&reads(text).variables), expected, "{text}");
        }
    }

    #[test]
    fn other_hosts_are_found_with_what_is_read_of_them() {
        let any = HostName::Any;
        let core = HostName::Named("core".to_owned());
        let cases = [
            ("{{ hostvars['core'].ip }}", &core, "ip"),
            ("{{ hostvars.core['net']['ip'] }}", &core, "net"),
            ("{{ hostvars['core'][x] }}", &core, "?"),
            ("{% set c = hostvars.core %}", &core, "*"),
            ("{{ hostvars[h].ip }} {{ hostvars[h].get('port', 1) }}", &any, "ip port"),
            ("{{ hosts | map('extract', hostvars, 'ip') | list }}", &any, "ip"),
            ("{{ hosts | map('extract', hostvars, ['net', 'ip']) }}", &any, "net"),
            ("{{ h | extract(hostvars, name) }}", &any, "?"),
            ("{{ h | extract(hostvars) }}", &any, "*"),
            ("{{ hostvars | dict2items }}", &any, "*"),
        ];
        for (text, host, expected) in cases {
            let others = reads(text).others;
            assert_eq!(others.len(), 1, "{text}: {others:?}");
            assert_eq!(others.get(host).map(shown).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn groups_are_found_by_their_names() {
        let cases = [
            ("{{ groups['web'] }} {{ groups.db | length }} {{ groups.get('x', []) }}", "db web x"),
            ("{{ groups[g] }}", "?"),
            ("{% for g in groups %}{% endfor %}", "*"),
            ("{{ 'web' in groups }}", "*"),
            ("{{ group_names }}", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&reads(text).groups), expected, "{text}");
        }
    }
}
