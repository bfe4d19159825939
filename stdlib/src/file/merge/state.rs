//! What the functions that merge values into a file have in common as modules.

/// Implements [`State`](refrain_engine::module::State) for a type with the fields `path`, `options` and `attributes`:
/// `merging_state!(FileJson, "file::json", Json)`, where the last one is the [`Syntax`](super::Syntax) of the file.
macro_rules! merging_state {
    ($type:ident, $name:literal, $syntax:ty) => {
        impl $crate::file::edited_file::Edit for $type {
            fn edit(&self, text: &str) -> Result<String, refrain_engine::failure::Failure> {
                self.options.apply::<$syntax>(&self.path, text)
            }
        }

        impl refrain_engine::module::State for $type {
            const NAME: &'static str = $name;
            const POSITIONAL: &'static [&'static str] = &["path"];
            type Found = $crate::file::edited_file::EditedFile;

            fn subject(&self) -> String {
                self.path.to_string()
            }

            fn look(
                &self,
                context: &refrain_engine::module::Context<'_>,
            ) -> Result<Self::Found, refrain_engine::failure::Failure> {
                self.options.check::<$syntax>()?;
                let missing = $crate::file::edited_file::Missing::of(false, self.options.create);
                Self::Found::look(context.host, &self.path, &self.attributes, missing)
            }

            fn plan(
                &self,
                found: &Self::Found,
            ) -> Result<refrain_engine::module::Plan, refrain_engine::failure::Failure> {
                found.plan(self.options.inputs(), self)
            }
        }
    };
}

pub(in crate::file) use merging_state;
