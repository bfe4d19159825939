//! temp
use super::Facts;
use serde_json::Value;
pub(super) fn get(_f: &Facts, _n: &str) -> Option<Value> {
    None
}
pub(super) fn names(_f: &Facts) -> Vec<String> {
    vec![]
}
