//! Questions to the person at the terminal.

use console::Term;

/// Asks a question; a private answer is not shown.
///
/// # Errors
/// There is no terminal.
pub fn ask(question: &str, private: bool) -> Result<String, String> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err("there is no terminal to ask at".to_owned());
    }
    let asked = terminal
        .write_str(&format!("{question}: "))
        .and_then(|()| if private { terminal.read_secure_line() } else { terminal.read_line() });
    asked.map_err(|error| error.to_string())
}
