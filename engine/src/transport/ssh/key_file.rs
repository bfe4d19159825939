//! Files with private keys: what can be said of one without its passphrase.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::known_hosts::key_type;
use crate::base64;
use crate::failure;

/// A file that holds a private key.
pub(super) struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text. Never shown.
    pub text: String,
    /// Whether a passphrase is needed to read the key.
    pub encrypted: bool,
    /// The public key in SSH's binary format, when it can be told without a passphrase. With a certificate, that.
    pub public: Option<Vec<u8>>,
    /// Where the certificate is, for a key with one.
    pub certificate: Option<PathBuf>,
}

/// No key is that large; something else may have no end.
const LARGEST: u64 = 1024 * 1024;

/// What OpenSSH's own format begins with, once decoded.
const MAGIC: &[u8] = b"openssh-key-v1\0";

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// It is not there, can't be read, others may read it, or it is no private key: in words that follow its name.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = read(path)?;
        let kind = text.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----"));
        let Some((kind, body)) = kind.filter(|(kind, _)| kind.ends_with("PRIVATE KEY")) else {
            return Err(no_key(&text).to_owned());
        };
        let own = match kind {
            "OPENSSH PRIVATE KEY" => openssh_header(body.split("-----").next().unwrap_or_default()),
            _ => None,
        };
        let (encrypted, public) = match own {
            Some((encrypted, public)) => (encrypted, Some(public)),
            None => (kind.contains("ENCRYPTED") || body.contains("Proc-Type: 4,ENCRYPTED"), None),
        };
        let public = public.or_else(|| beside(path));
        Ok(Self { path: path.to_owned(), text, encrypted, public, certificate: None })
    }

    /// The same key with each certificate of it: the one beside it, and those of `files` that are its own.
    pub(super) fn certified(&self, files: &[PathBuf]) -> Vec<Self> {
        let mut beside = self.path.as_os_str().to_owned();
        beside.push("-cert.pub");
        let beside = PathBuf::from(beside);
        let places = files.iter().chain(Some(&beside).filter(|beside| !files.contains(beside)));
        let certified = |place: &PathBuf| {
            let certificate = public(&fs::read_to_string(place).ok()?)?;
            is_for(&certificate, self.public.as_deref()?).then(|| Self {
                path: self.path.clone(),
                text: self.text.clone(),
                encrypted: self.encrypted,
                public: Some(certificate),
                certificate: Some(place.clone()),
            })
        };
        places.filter_map(certified).collect()
    }

    /// The public key as a line of text, when it can be told without a passphrase.
    pub(super) fn public_line(&self) -> Option<String> {
        let public = self.public.as_ref()?;
        Some(format!("{} {}", key_type(public), base64::encode(public)))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let reason = |error: std::io::Error| failure::reason(&error);
    let file = File::open(path).map_err(reason)?;
    let metadata = file.metadata().map_err(reason)?;
    let own = metadata.uid() == rustix::process::getuid().as_raw();
    if own && metadata.mode() & 0o077 != 0 {
        // ssh does not use such a key either.
        return Err(format!("others may read it (mode {:04o})", metadata.mode() & 0o7777));
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).map_err(reason)?;
    String::from_utf8(text).map_err(|_| "not a private key".to_owned())
}

/// What a file is that is no private key in a format that is understood.
fn no_key(text: &str) -> &'static str {
    if text.starts_with("PuTTY-User-Key-File") {
        "a key in PuTTY's format; PuTTYgen exports it for OpenSSH"
    } else if public(text).is_some() {
        "a public key; the private one is needed"
    } else {
        "not a private key"
    }
}

/// Whether a certificate is one of a public key: both in SSH's binary format. What the certificate has of the key follows its
/// type and a random number, as it follows the type in the key itself.
fn is_for(certificate: &[u8], key: &[u8]) -> bool {
    fn after_field(bytes: &[u8]) -> Option<&[u8]> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        rest.get(u32::from_be_bytes(*length) as usize..)
    }
    let is_certificate = key_type(certificate).strip_suffix("-cert-v01@openssh.com") == Some(key_type(key));
    let own = after_field(certificate).and_then(after_field);
    is_certificate && own.zip(after_field(key)).is_some_and(|(own, key)| own.starts_with(key))
}

/// The public key in the file beside a private one.
fn beside(path: &Path) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    public(&fs::read_to_string(name).ok()?)
}

/// The public key in a line `TYPE BASE64 COMMENT`.
fn public(line: &str) -> Option<Vec<u8>> {
    let mut fields = line.split_ascii_whitespace();
    let kind = fields.next()?;
    let key = base64::decode(fields.next()?)?;
    (key_type(&key) == kind).then_some(key)
}

/// Whether a key in OpenSSH's own format is encrypted, and its public half, which never is.
fn openssh_header(body: &str) -> Option<(bool, Vec<u8>)> {
    let bytes = base64::decode(body)?;
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(value)
    };
    let cipher = field()?;
    let (_derivation, _options) = (field()?, field()?);
    let (_count, mut rest) = rest.split_first_chunk::<4>()?;
    let length;
    (length, rest) = rest.split_first_chunk::<4>()?;
    let public = rest.get(..u32::from_be_bytes(*length) as usize)?;
    Some((cipher != b"none", public.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn field(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    fn public_key() -> Vec<u8> {
        [field(b"ssh-ed25519"), field(&[7; 32])].concat()
    }

    fn public_file() -> String {
        format!("ssh-ed25519 {} someone@desk\n", base64::encode(&public_key()))
    }

    /// A file as `ssh-keygen` writes it, as far as it is read here.
    fn private_file(cipher: &str) -> String {
        let header = [MAGIC.to_vec(), field(cipher.as_bytes()), field(b"bcrypt"), field(b"salt")].concat();
        let body = [header, 1_u32.to_be_bytes().to_vec(), field(&public_key()), field(&[0; 100])].concat();
        let body = base64::encode(&body);
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    #[test]
    fn the_public_half_is_known_without_the_passphrase() {
        for (cipher, encrypted) in [("none", false), ("aes256-ctr", true)] {
            let (_directory, path) = file(&private_file(cipher), 0o600);
            let key = KeyFile::read(&path).unwrap();
            assert_eq!(key.encrypted, encrypted);
            assert_eq!(key.public, Some(public_key()));
            assert!(public_file().starts_with(&key.public_line().unwrap()));
        }
    }

    #[test]
    fn older_formats_are_recognised() {
        let body = "\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        for (text, encrypted) in [
            (format!("-----BEGIN RSA PRIVATE KEY-----{body}"), false),
            (
                format!(
                    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n{body}"
                ),
                true,
            ),
            (format!("-----BEGIN ENCRYPTED PRIVATE KEY-----{body}"), true),
            (format!("-----BEGIN PRIVATE KEY-----{body}"), false),
        ] {
            let (directory, path) = file(&text, 0o600);
            assert_eq!(KeyFile::read(&path).unwrap().encrypted, encrypted, "{text}");
            assert_eq!(KeyFile::read(&path).unwrap().public, None);
            fs::write(directory.path().join("key.pub"), public_file()).unwrap();
            assert_eq!(KeyFile::read(&path).unwrap().public, Some(public_key()));
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused() {
        let refusal = |text: &str, mode| KeyFile::read(&file(text, mode).1).err().unwrap();
        assert_eq!(refusal(&private_file("none"), 0o644), "others may read it (mode 0644)");
        assert_eq!(refusal(&public_file(), 0o600), "a public key; the private one is needed");
        assert_eq!(refusal("", 0o600), "not a private key");
        assert!(refusal("PuTTY-User-Key-File-3: ssh-ed25519\n", 0o600).contains("PuTTY"));
        assert_eq!(KeyFile::read(Path::new("/nowhere")).err().unwrap(), "no such file or directory");
        // A header that breaks off is left to whoever reads the key itself.
        let whole = private_file("none");
        let broken = &whole[..whole.len() / 3];
        assert_eq!(KeyFile::read(&file(broken, 0o600).1).unwrap().public, None);
    }
}
