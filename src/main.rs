//! refrain
fn main() {}
