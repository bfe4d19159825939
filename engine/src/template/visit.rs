//! A walk over every expression of a parsed template.

use minijinja::machinery::ast::{CallArg, Expr, Stmt};

/// Sees each statement and each expression, parents before children.
pub(super) trait Visitor<'a> {
    fn statement(&mut self, _statement: &Stmt<'a>) {}
    fn expression(&mut self, _expression: &Expr<'a>) {}
}

pub(super) fn statements<'a>(body: &[Stmt<'a>], visitor: &mut impl Visitor<'a>) {
    for inner in body {
        statement(inner, visitor);
    }
}

pub(super) fn statement<'a>(stmt: &Stmt<'a>, visitor: &mut impl Visitor<'a>) {
    visitor.statement(stmt);
    match stmt {
        Stmt::Template(template) => statements(&template.children, visitor),
        Stmt::EmitExpr(emit) => expression(&emit.expr, visitor),
        Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
        Stmt::ForLoop(each) => {
            expression(&each.iter, visitor);
            optional(each.filter_expr.as_ref(), visitor);
            statements(&each.body, visitor);
            statements(&each.else_body, visitor);
        }
        Stmt::IfCond(cond) => {
            expression(&cond.expr, visitor);
            statements(&cond.true_body, visitor);
            statements(&cond.false_body, visitor);
        }
        Stmt::WithBlock(with) => {
            for (_, value) in &with.assignments {
                expression(value, visitor);
            }
            statements(&with.body, visitor);
        }
        Stmt::Set(set) => expression(&set.expr, visitor),
        Stmt::SetBlock(set) => {
            optional(set.filter.as_ref(), visitor);
            statements(&set.body, visitor);
        }
        Stmt::AutoEscape(escape) => {
            expression(&escape.enabled, visitor);
            statements(&escape.body, visitor);
        }
        Stmt::FilterBlock(filter) => {
            expression(&filter.filter, visitor);
            statements(&filter.body, visitor);
        }
        Stmt::Block(block) => statements(&block.body, visitor),
        Stmt::Import(import) => expression(&import.expr, visitor),
        Stmt::FromImport(import) => expression(&import.expr, visitor),
        Stmt::Extends(extends) => expression(&extends.name, visitor),
        Stmt::Include(include) => expression(&include.name, visitor),
        Stmt::Macro(declared) => {
            declared.defaults.iter().for_each(|value| expression(value, visitor));
            statements(&declared.body, visitor);
        }
        Stmt::CallBlock(block) => {
            expression(&block.call.expr, visitor);
            arguments(&block.call.args, visitor);
            block.macro_decl.defaults.iter().for_each(|value| expression(value, visitor));
            statements(&block.macro_decl.body, visitor);
        }
        Stmt::Do(action) => {
            expression(&action.call.expr, visitor);
            arguments(&action.call.args, visitor);
        }
    }
}

fn optional<'a>(expr: Option<&Expr<'a>>, visitor: &mut impl Visitor<'a>) {
    if let Some(expr) = expr {
        expression(expr, visitor);
    }
}

fn arguments<'a>(args: &[CallArg<'a>], visitor: &mut impl Visitor<'a>) {
    for arg in args {
        match arg {
            CallArg::Pos(expr)
            | CallArg::Kwarg(_, expr)
            | CallArg::PosSplat(expr)
            | CallArg::KwargSplat(expr) => expression(expr, visitor),
        }
    }
}

pub(super) fn expression<'a>(expr: &Expr<'a>, visitor: &mut impl Visitor<'a>) {
    visitor.expression(expr);
    match expr {
        Expr::Var(_) | Expr::Const(_) => {}
        Expr::Slice(slice) => {
            expression(&slice.expr, visitor);
            optional(slice.start.as_ref(), visitor);
            optional(slice.stop.as_ref(), visitor);
            optional(slice.step.as_ref(), visitor);
        }
        Expr::UnaryOp(op) => expression(&op.expr, visitor),
        Expr::BinOp(op) => {
            expression(&op.left, visitor);
            expression(&op.right, visitor);
        }
        Expr::Compare(compare) => {
            expression(&compare.expr, visitor);
            compare.ops.iter().for_each(|op| expression(&op.expr, visitor));
        }
        Expr::IfExpr(cond) => {
            expression(&cond.test_expr, visitor);
            expression(&cond.true_expr, visitor);
            optional(cond.false_expr.as_ref(), visitor);
        }
        Expr::Filter(filter) => {
            optional(filter.expr.as_ref(), visitor);
            arguments(&filter.args, visitor);
        }
        Expr::Test(test) => {
            expression(&test.expr, visitor);
            arguments(&test.args, visitor);
        }
        Expr::GetAttr(attr) => expression(&attr.expr, visitor),
        Expr::GetItem(item) => {
            expression(&item.expr, visitor);
            expression(&item.subscript_expr, visitor);
        }
        Expr::Call(call) => {
            expression(&call.expr, visitor);
            arguments(&call.args, visitor);
        }
        Expr::List(list) => list.items.iter().for_each(|item| expression(item, visitor)),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| expression(item, visitor)),
        Expr::Map(map) => {
            map.keys.iter().for_each(|key| expression(key, visitor));
            map.values.iter().for_each(|value| expression(value, visitor));
        }
    }
}
