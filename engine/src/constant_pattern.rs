//! Regular expressions that are part of the program.

use regex::Regex;

/// Compiles an expression that stands in the source.
///
/// # Panics
/// It is not valid. What stands in the source does not depend on any input: the first test that uses it shows that.
pub(crate) fn constant_pattern(expression: &str) -> Regex {
    Regex::new(expression).expect("an expression of the program is valid")
}
