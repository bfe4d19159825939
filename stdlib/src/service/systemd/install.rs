//! The `[Install]` sections of units.

/// What a unit says about how it is enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install {
    /// Units that start it when they are started.
    pub wanted_by: Vec<String>,
    /// Units that need it.
    pub required_by: Vec<String>,
    /// Units that keep it running.
    pub upheld_by: Vec<String>,
    /// Its other names.
    pub alias: Vec<String>,
    /// Units that are enabled along.
    pub also: Vec<String>,
    /// Which instance of a template is meant where none is named.
    pub default_instance: Option<String>,
}

impl Install {
    /// Adds what the text of a unit or of a drop-in says.
    pub fn add(&mut self, text: &str) {
        let mut is_inside = false;
        for line in logical_lines(text) {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                is_inside = section == "Install";
            } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside) {
                self.set(key.trim(), value.trim());
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let list = match key {
            "WantedBy" => &mut self.wanted_by,
            "RequiredBy" => &mut self.required_by,
            "UpheldBy" => &mut self.upheld_by,
            "Alias" => &mut self.alias,
            "Also" => &mut self.also,
            "DefaultInstance" => {
                self.default_instance = (!value.is_empty()).then(|| value.to_owned());
                return;
            }
            _ => return,
        };
        // An empty value takes back what was said before.
        if value.is_empty() {
            list.clear();
        }
        list.extend(value.split_whitespace().map(str::to_owned));
    }
}

/// The lines with those joined that end in a backslash. Comments are no lines, wherever they stand.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        let mut whole = open.take().unwrap_or_default();
        whole.push_str(part);
        if goes_on {
            whole.push(' ');
            open = Some(whole);
        } else {
            lines.push(whole);
        }
    }
    lines.extend(open);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_systemd_reads_them() {
        let mut install = Install::default();
        install.add(
            "[Unit]\nWantedBy=no.target\n[Service]\nExecStart=/bin/a \\\n  [Install]\n[Install]\n# WantedBy=no.target\n; no\n\
             WantedBy = multi-user.target \\\n# in between\n  graphical.target\nAlias=b.service c.service\nUnknown=1\n\
             Also=a.socket\nDefaultInstance=tty1\n[Unit]\nAlias=no.service\n",
        );
        assert_eq!(
            install,
            Install {
                wanted_by: vec!["multi-user.target".to_owned(), "graphical.target".to_owned()],
                alias: vec!["b.service".to_owned(), "c.service".to_owned()],
                also: vec!["a.socket".to_owned()],
                default_instance: Some("tty1".to_owned()),
                ..Install::default()
            }
        );
        install
            .add("[Install]\nWantedBy=\nWantedBy=basic.target\nRequiredBy=x.service\nUpheldBy=y.service\n");
        assert_eq!(install.wanted_by, ["basic.target"]);
        assert_eq!(
            (install.required_by, install.upheld_by),
            (vec!["x.service".to_owned()], vec!["y.service".to_owned()])
        );
    }
}
