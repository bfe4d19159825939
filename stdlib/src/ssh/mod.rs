//! The namespace `ssh`: keys and configuration of OpenSSH.

mod authorized_key;
mod authorized_line;
mod client;
mod generate;
mod host_key;
mod key_list;
mod key_options;
mod key_pair;
mod known_host;
mod known_host_line;
mod public_key;
mod server;
mod server_edit;
mod server_judge;
mod settings;
mod user_file;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<authorized_key::AuthorizedKey>(),
    Entry::state::<known_host::KnownHost>(),
    Entry::state::<server::Server>(),
    Entry::state::<client::Client>(),
    Entry::state::<host_key::HostKey>(),
    Entry::state::<generate::GenerateKey>(),
];
