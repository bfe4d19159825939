//! How hosts are reached, as far as the command line says so.

use std::path::PathBuf;

use crate::escalation::EscalationOptions;
use crate::secrets::SecretText;
use crate::system::RootKind;
use crate::system::sandbox::Programs;
use crate::transport::ssh;

/// How hosts are reached, as far as the command line says so.
#[derive(Clone, Default)]
pub struct ConnectionOptions {
    /// The kind, over what plays and inventory say: `ssh`, `openssh`, `command`, `local`, `chroot`, `sandbox`.
    pub connection: Option<String>,
    /// The root of a chroot, or the directory of sandboxes.
    pub root: Option<PathBuf>,
    /// What kind of root that is. Found out when absent.
    pub root_kind: Option<RootKind>,
    /// The user to log in as.
    pub user: Option<String>,
    /// As whom plays are run, over what plays and inventory say.
    pub escalation: EscalationOptions,
    /// What to answer when becoming another user needs a password.
    pub become_password: Option<SecretText>,
    /// Key files to log in with.
    pub keys: Vec<PathBuf>,
    /// The password to log in with.
    pub password: Option<String>,
    /// Arguments of the program ssh that are honoured, each as on its command line; what comes first counts.
    pub ssh_arguments: Vec<String>,
    /// Who connects: whose keys and known hosts are used.
    pub local_user: ssh::LocalUser,
    /// Asks for the passphrases of keys. Without it, encrypted keys are of no use.
    pub ask: Option<ssh::AskSecret>,
    /// The programs of sandbox hosts.
    pub sandbox_programs: Option<fn() -> Box<dyn Programs>>,
}
