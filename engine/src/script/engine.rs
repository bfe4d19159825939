//! The Rhai engine as playbooks know it: limits, printing, imports, words and modules.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Once};

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Engine, EvalAltResult, ModuleResolver, OptimizationLevel, Position, Scope};

use super::catch::Insertion;
use super::current::{self, Current};
use super::fault::{Ending, Fault, of_parsing};
use super::{catch, secret, unknown, words};
use crate::diagnostic::Diagnostic;
use crate::event::EventKind;
use crate::module::Registry;

/// The names of closures are hashes; this makes them the same in every process, so that a play can name its body.
const HASHING_SEED: [u64; 4] = [0x7265_6672, 0x6169_6e21, 0x0070_6c61, 0x7973_0a0a];

/// A module as scripts share it. Rhai's own name for this is private.
type SharedModule = rhai::Shared<rhai::Module>;

/// Compiled scripts by their paths, with the text that each was compiled from.
type Compiled = HashMap<String, (Arc<str>, Rc<AST>)>;

/// How deep calls may nest. Set, because Rhai's own limits differ between debug and release builds.
const CALL_LEVELS: usize = 64;

/// How deep expressions may nest, at the top level and in functions.
const EXPRESSION_DEPTH: usize = 128;

/// How many operations pass between two looks at whether the run was interrupted.
const OPERATIONS_BETWEEN_LOOKS: u64 = 1024;

thread_local! {
    static STANDARD: OnceCell<SharedModule> = const { OnceCell::new() };
    static ENGINE: RefCell<Option<Rc<Engine>>> = const { RefCell::new(None) };
    static COMPILED: RefCell<Compiled> = RefCell::default();
    /// What was put into the scripts before they were compiled.
    static INSERTIONS: RefCell<HashMap<String, Vec<Insertion>>> = RefCell::default();
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// The engine of this thread, with the functions of `registry`.
///
/// A thread works with one registry: that of the process.
pub fn engine(registry: &Registry) -> Rc<Engine> {
    ENGINE.with_borrow_mut(|engine| Rc::clone(engine.get_or_insert_with(|| Rc::new(build(registry)))))
}

fn build(registry: &Registry) -> Engine {
    static SEED: Once = Once::new();
    // Fails only if it was set before, and only this line sets it.
    SEED.call_once(|| {
        let _ = rhai::config::hashing::set_hashing_seed(Some(HASHING_SEED));
    });

    let mut engine = Engine::new_raw();
    let standard =
        STANDARD.with(|standard| standard.get_or_init(|| StandardPackage::new().as_shared_module()).clone());
    engine.register_global_module(standard);
    engine
        // Folding constants would lose the places of the arguments that errors point at.
        .set_optimization_level(OptimizationLevel::None)
        .set_max_call_levels(CALL_LEVELS)
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH)
        .set_max_string_size(64 * 1024 * 1024)
        .set_max_array_size(10_000_000)
        .set_max_map_size(1_000_000)
        .set_fail_on_invalid_map_property(true)
        .set_module_resolver(Imports)
        // What a playbook reaches is found by reading it; text that becomes a script would be hidden from that.
        .disable_symbol("eval")
        .on_print(message)
        .on_debug(|text, _, _| message(text))
        .on_progress(progress);
    catch::register(&mut engine);
    words::register(&mut engine);
    unknown::register(&mut engine);
    secret::register(&mut engine);
    super::call::register(&mut engine, registry);
    engine
}

/// What Rhai itself has, as its definition files say it, by a name for each file: what is called like a function and is none,
/// operators, the standard library.
pub fn rhai_definitions() -> [(&'static str, String); 3] {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    let definitions = engine.definitions();
    [
        ("rhai", definitions.builtin_functions()),
        ("rhai-operators", definitions.builtin_functions_operators()),
        ("rhai-standard", definitions.static_module()),
    ]
    // Some of these texts end their lines as Windows does, and have names for an inclusive range and for any type that are none.
    .map(|(name, text)| {
        (name, text.replace('\r', "").replace(": range=", ": range").replace(" -> ;", " -> ?;"))
    })
}

/// What a script prints is an event: standard output may be the stream to the controller.
fn message(text: &str) {
    let text = super::marks::readable(text);
    match current::current() {
        Some(Current::Host(host)) => host.emit(EventKind::Message { text }),
        Some(Current::TopLevel(top)) => top.print(text),
        None => {}
    }
}

/// Ends a script whose run was interrupted, or whose task has no time left.
fn progress(_operations: u64) -> Option<rhai::Dynamic> {
    let look = LOOKS.with(|looks| {
        looks.set(looks.get() + 1);
        looks.get() % OPERATIONS_BETWEEN_LOOKS == 0
    });
    let Some(Current::Host(host)) = current::current().filter(|_| look) else { return None };
    let ending = match (host.interrupted(), host.overdue()) {
        (true, _) => Ending::Interrupted,
        (_, true) => Ending::Overdue,
        _ => return None,
    };
    Some(rhai::Dynamic::from(ending))
}

/// The line and column (from 1) of a position in a script, in the text as the person wrote it. Absent for no position.
pub fn original(path: &str, position: Position) -> Option<(usize, usize)> {
    let (line, column) = (position.line()?, position.position().unwrap_or(1));
    let column = INSERTIONS.with_borrow(|all| match all.get(path) {
        Some(insertions) => catch::original_column(insertions, line, column),
        None => column,
    });
    Some((line, column))
}

/// The script `text`, compiled. A thread compiles a text once, however many hosts it serves.
///
/// # Errors
/// A syntax error at its place.
pub fn compile(engine: &Engine, path: &str, text: &Arc<str>) -> Result<Rc<AST>, Diagnostic> {
    let known = COMPILED.with_borrow(|compiled| {
        compiled
            .get(path)
            .filter(|(known, _)| Arc::ptr_eq(known, text) || known == text)
            .map(|(_, ast)| Rc::clone(ast))
    });
    if let Some(ast) = known {
        return Ok(ast);
    }
    let (instrumented, insertions) = catch::instrument(text);
    INSERTIONS.with_borrow_mut(|all| all.insert(path.to_owned(), insertions));
    let mut ast = engine.compile(&*instrumented).map_err(|error| of_parsing(path, text, &error))?;
    ast.set_source(path);
    let ast = Rc::new(ast);
    COMPILED
        .with_borrow_mut(|compiled| compiled.insert(path.to_owned(), (Arc::clone(text), Rc::clone(&ast))));
    Ok(ast)
}

/// Resolves `import "lib/x"`: beside the importing script, then from the top of the project.
struct Imports;

impl ModuleResolver for Imports {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<SharedModule, Box<EvalAltResult>> {
        let found = import_candidates(source.unwrap_or_default(), path)
            .into_iter()
            .find_map(|path| current::script_text(&path).map(|text| (path, text)));
        let Some((path, text)) = found else {
            return DummyModuleResolver::new().resolve(engine, source, path, position);
        };
        let ast = compile(engine, &path, &text).map_err(|error| Fault::new(error).throw(position))?;
        rhai::Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Into::into)
    }
}

/// Where the script may be that `import "path"` in the script `source` means.
pub fn import_candidates(source: &str, path: &str) -> Vec<String> {
    let file = if path.ends_with(".rhai") { path.to_owned() } else { format!("{path}.rhai") };
    let beside = crate::bundle::join(crate::bundle::parent(source), &file);
    let top = crate::bundle::join("", &file);
    if beside == top { vec![top] } else { vec![beside, top] }
}
