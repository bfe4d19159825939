//! What check mode foretells beside files, as a value that calls add to.

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use refrain_engine::system::preview::Overlay;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the calls of a kind would have made so far.
pub trait PredictionState: Default + Serialize + DeserializeOwned {
    /// What it is known by to the overlay: the kind of thing, and its name among those.
    const KEY: (&'static str, &'static str);

    /// What is predicted so far; nothing outside of check mode.
    fn look(host: &dyn View) -> Self {
        let state = host.predicted(Self::KEY.0, Self::KEY.1);
        state.and_then(|state| serde_json::from_value(state).ok()).unwrap_or_default()
    }

    /// Adds to what is predicted.
    ///
    /// # Errors
    /// What is predicted can't be written down.
    fn change(overlay: &Overlay, change: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        let mut prediction = Self::look(overlay);
        change(&mut prediction);
        let state = serde_json::to_value(prediction).map_err(|error| Failure::state(error.to_string()))?;
        overlay.set_state(Self::KEY.0, Self::KEY.1, state);
        Ok(())
    }
}
