//! Expressions that nobody has thought of.

use std::fmt::Write as _;

use crate::rendered::{Outcome, ours, theirs};

/// How many; they are the same in every run.
const COUNT: usize = 600;

/// What expressions begin with.
const VALUES: [&str; 34] = [
    "n",
    "f",
    "negative",
    "yes",
    "nothing",
    "word",
    "text",
    "lines",
    "path",
    "list",
    "numbers",
    "mixed",
    "nested",
    "map",
    "users",
    "tags",
    "result",
    "templated",
    "templated_list",
    "chain",
    "unicode",
    "quoted",
    "empty",
    "empty_list",
    "empty_map",
    "version",
    "port",
    "nosuch",
    "map.c",
    "users[0].groups",
    "[1, 'b', 2.5]",
    "{'k': [1, {'x': none}], 'b': 'v'}",
    "'a,b;c'",
    "users | map(attribute='name')",
];

/// Filters with their arguments.
const FILTERS: [&str; 74] = [
    "abs",
    "b64encode",
    "basename",
    "bool",
    "capitalize",
    "center(12)",
    "combine({'z': 1})",
    "comment",
    "count",
    "d('none')",
    "default('x', true)",
    "dict2items",
    "dictsort",
    "dirname",
    "first",
    "flatten",
    "flatten(levels=1)",
    "float",
    "groupby('name')",
    "hash('md5')",
    "human_readable",
    "indent(2)",
    "int",
    "int(7)",
    "items",
    "items2dict",
    "join('-')",
    "last",
    "length",
    "list",
    "lower",
    "map('string')",
    "map(attribute='name')",
    "max",
    "min",
    "path_join",
    "quote",
    "regex_findall('[a-o]+')",
    "regex_replace('[aeiou]', '_')",
    "regex_search('o.')",
    "reject('none')",
    "replace('o', '0')",
    "reverse",
    "round(1)",
    "select('string')",
    "selectattr('uid', 'gt', 1001)",
    "sort",
    "sort(reverse=true)",
    "split('o')",
    "split",
    "splitext",
    "string",
    "subelements('groups')",
    "sum",
    "ternary('t', 'f')",
    "title",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_yaml",
    "tojson",
    "trim",
    "truncate(8)",
    "type_debug",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "wordwrap(10)",
    "zip([1, 2, 3])",
    "zip_longest([1], fillvalue=0)",
    "product([1, 2])",
    "batch(2)",
    "slice(2)",
];

const TESTS: [&str; 22] = [
    "defined",
    "undefined",
    "none",
    "string",
    "number",
    "mapping",
    "sequence",
    "iterable",
    "boolean",
    "integer",
    "float",
    "truthy",
    "falsy",
    "sameas none",
    "in [1, 'hello', none]",
    "contains('a')",
    "match('h')",
    "search('o')",
    "eq 3",
    "ne 'x'",
    "divisibleby 3",
    "subset(['a', 'b', 'c', 1, 2, 3])",
];

/// Numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }

    fn expression(&mut self) -> String {
        let mut text = self.of(&VALUES).to_owned();
        for _ in 0..1 + self.below(3) {
            let filter = self.of(&FILTERS);
            _ = write!(text, " | {filter}");
        }
        text
    }

    fn template(&mut self) -> String {
        let expression = self.expression();
        match self.below(8) {
            0 => {
                let test = self.of(&TESTS);
                format!("{{{{ ({expression}) is {test} }}}}")
            }
            1 => format!("{{{{ ({expression}) ~ '/' ~ ({}) }}}}", self.expression()),
            2 => format!(
                "{{% for x in {expression} %}}{{{{ loop.index }}}}:{{{{ x }}}};{{% else %}}none{{% endfor %}}"
            ),
            3 => format!("{{% set x = {expression} %}}{{{{ x }}}}|{{{{ [x, x] }}}}"),
            4 => format!("{{{{ {} if ({expression}) else {} }}}}", self.of(&VALUES), self.of(&VALUES)),
            _ => format!("{{{{ {expression} }}}}"),
        }
    }
}

#[test]
fn generated_expressions_give_what_ansible_gives() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let templates: Vec<String> = (0..COUNT).map(|_| dice.template()).collect();
    let Some(theirs) = theirs(templates.iter().map(String::as_str)) else { return };
    let mut wrong = String::new();
    let mut good = 0;
    for (template, theirs) in templates.iter().zip(&theirs) {
        let ours = ours(template);
        good += usize::from(matches!(theirs.file, Outcome::Ok(_)));
        for (how, ours, theirs) in [("file", &ours.file, &theirs.file), ("value", &ours.value, &theirs.value)]
        {
            if !ours.is_like(theirs) {
                _ = writeln!(wrong, "x:1 as a {how}: {template}\n  ours:   {ours:?}\n  theirs: {theirs:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "of {COUNT} templates:\n{wrong}");
    assert!(good > COUNT / 4, "only {good} of them are templates that can be rendered");
}
