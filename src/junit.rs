//! Reports in the format of JUnit, which build servers read.
//!
//! There is no standard of it; what stands here is what Jenkins, GitLab and GitHub's actions have in common.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::printable;
use tempfile::NamedTempFile;

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Passed,
    /// It was not tried, for this reason.
    Skipped(String),
    /// It was tried, and is not as it should be.
    Failed(Trouble),
    /// It could not be tried.
    Error(Trouble),
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind of trouble, in one word: `failed`, `unreachable`.
    pub kind: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// All that there is to say.
    pub text: String,
}

impl Trouble {
    /// What a diagnostic says.
    pub fn of(kind: &'static str, error: &Diagnostic) -> Self {
        Self { kind, message: error.message.clone(), text: error.to_string() }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it belongs to.
    pub class: String,
    /// What it is called.
    pub name: String,
    /// The file and the line that it stands in.
    pub place: Option<(String, usize)>,
    /// How long it took, in microseconds.
    pub duration: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// What else there is to know, in lines.
    pub output: String,
}

/// Cases that belong together.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// What it is called.
    pub name: String,
    /// The host that it is about, if it is about one.
    pub host: Option<String>,
    /// What was looked at, in order.
    pub cases: Vec<Case>,
    /// What else was said, in lines.
    pub output: String,
    /// Warnings, in lines.
    pub warnings: String,
}

/// The numbers that stand over cases.
#[derive(Clone, Copy, Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    duration: u64,
}

impl Totals {
    fn add(&mut self, case: &Case) {
        self.tests += 1;
        self.duration = self.duration.saturating_add(case.duration);
        match case.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(_) => self.skipped += 1,
            Verdict::Failed(_) => self.failures += 1,
            Verdict::Error(_) => self.errors += 1,
        }
    }

    fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut totals = Self::default();
        cases.into_iter().for_each(|case| totals.add(case));
        totals
    }

    fn attributes(self) -> [(&'static str, String); 5] {
        [
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
            ("skipped", self.skipped.to_string()),
            ("time", seconds(self.duration)),
        ]
    }
}

/// The file of a report: what stood there before is replaced when the report is whole, and stays if it never is.
pub struct File {
    /// As it was named.
    path: PathBuf,
    /// Where it really is: what leads there may be a link, which stays.
    place: PathBuf,
    temporary: NamedTempFile,
}

impl File {
    /// Makes room for a report. Nobody but the user can read it, then and later.
    ///
    /// # Errors
    /// The file can't be made there.
    pub fn create(path: &Path) -> Result<Self, Diagnostic> {
        let refused = |why: String| {
            Diagnostic::new(format!("no report can be written to `{}`", path.display())).because(why)
        };
        let place = match std::fs::metadata(path) {
            // A device must not be replaced by a file.
            Ok(found) if !found.is_file() => return Err(refused("that is not a regular file".to_owned())),
            Ok(_) => path.canonicalize().map_err(|error| refused(error.to_string()))?,
            Err(_) => path.to_owned(),
        };
        let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut temporary = tempfile::Builder::new();
        temporary.prefix(".refrain-").suffix(".xml");
        let temporary = temporary.tempfile_in(parent.unwrap_or(Path::new(".")));
        let temporary = temporary.map_err(|error| refused(error.to_string()))?;
        Ok(Self { path: path.to_owned(), place, temporary })
    }

    /// As it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report and puts it in place.
    ///
    /// # Errors
    /// The file can't be written, for example since the disk is full.
    pub fn write(mut self, name: &str, suites: &[Suite]) -> io::Result<()> {
        let mut buffer = io::BufWriter::new(self.temporary.as_file_mut());
        document(&mut buffer, name, suites)?;
        buffer.flush()?;
        drop(buffer);
        self.temporary.persist(&self.place)?;
        Ok(())
    }
}

fn document(out: &mut impl Write, name: &str, suites: &[Suite]) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let totals = Totals::of(suites.iter().flat_map(|suite| &suite.cases));
    element(&mut writer, "testsuites", &named(name, totals), |writer| {
        suites.iter().try_for_each(|each| suite(writer, each))
    })?;
    writer.get_mut().write_all(b"\n")
}

fn suite<W: Write>(writer: &mut Writer<W>, suite: &Suite) -> io::Result<()> {
    let mut attributes = named(&suite.name, Totals::of(&suite.cases));
    attributes.extend(suite.host.iter().map(|host| ("hostname", host.clone())));
    element(writer, "testsuite", &attributes, |writer| {
        suite.cases.iter().try_for_each(|each| case(writer, each))?;
        text(writer, "system-out", &[], &suite.output)?;
        text(writer, "system-err", &[], &suite.warnings)
    })
}

fn case<W: Write>(writer: &mut Writer<W>, case: &Case) -> io::Result<()> {
    let mut attributes = vec![("classname", case.class.clone()), ("name", case.name.clone())];
    if let Some((file, line)) = &case.place {
        attributes.extend([("file", file.clone()), ("line", line.to_string())]);
    }
    attributes.push(("time", seconds(case.duration)));
    if case.verdict == Verdict::Passed && case.output.is_empty() {
        return empty(writer, "testcase", &attributes);
    }
    element(writer, "testcase", &attributes, |writer| {
        match &case.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(why) => empty(writer, "skipped", &[("message", why.clone())])?,
            Verdict::Failed(trouble) => self::trouble(writer, "failure", trouble)?,
            Verdict::Error(trouble) => self::trouble(writer, "error", trouble)?,
        }
        text(writer, "system-out", &[], &case.output)
    })
}

fn trouble<W: Write>(writer: &mut Writer<W>, element: &str, trouble: &Trouble) -> io::Result<()> {
    let attributes = [("message", trouble.message.clone()), ("type", trouble.kind.to_owned())];
    text(writer, element, &attributes, &trouble.text)
}

type Attributes = [(&'static str, String)];

fn named(name: &str, totals: Totals) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("name", name.to_owned())];
    attributes.extend(totals.attributes());
    attributes
}

fn element<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: &Attributes,
    content: impl FnOnce(&mut Writer<W>) -> io::Result<()>,
) -> io::Result<()> {
    start(writer, name, attributes, |element| element.write_inner_content(content))
}

fn empty<W: Write>(writer: &mut Writer<W>, name: &str, attributes: &Attributes) -> io::Result<()> {
    start(writer, name, attributes, |element| element.write_empty())
}

/// An element with a text in it, unless there is nothing to say.
fn text<W: Write>(writer: &mut Writer<W>, name: &str, attributes: &Attributes, text: &str) -> io::Result<()> {
    if attributes.is_empty() && text.is_empty() {
        return Ok(());
    }
    let text = printable::lines(text);
    start(writer, name, attributes, |element| element.write_text_content(BytesText::new(&text)))
}

fn start<'a, W: Write>(
    writer: &'a mut Writer<W>,
    name: &'a str,
    attributes: &Attributes,
    finish: impl FnOnce(quick_xml::writer::ElementWriter<'a, W>) -> io::Result<&'a mut Writer<W>>,
) -> io::Result<()> {
    let mut element = writer.create_element(name);
    for (name, value) in attributes {
        element = element.with_attribute((*name, &*printable::line(value)));
    }
    finish(element).map(drop)
}

/// Microseconds, as seconds.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
