//! The user of a name, where it is a user's things that are changed and not the account.

use refrain_engine::accounts::{User, users};
use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::system::View;

/// The user of this name, in check mode also one that was predicted.
///
/// # Errors
/// There is none; `argument` is what named it.
pub fn account(host: &dyn View, argument: &str, name: &str) -> Result<User, Failure> {
    let mut users = users(host)?;
    if let Some(index) = users.iter().position(|user| user.name == name) {
        return Ok(users.swap_remove(index));
    }
    let hint = match near_match(name, users.iter().map(|user| user.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("make the user first: user::present({name:?})"),
    };
    Err(Failure::argument(argument, format!("the host has no user `{name}`")).advise(hint))
}
