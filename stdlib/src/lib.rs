//! The modules of refrain.
