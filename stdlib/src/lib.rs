//! The modules of refrain.
/// temp
pub fn registry() -> refrain_engine::module::Registry {
    refrain_engine::module::Registry::default()
}
