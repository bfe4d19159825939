//! `wait::http`.

use std::collections::BTreeMap;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use ureq::http::Method;

use super::condition::{Condition, Patience, Seen};
use crate::web::{Request, Statuses, arguments};

/// How long one answer may take: a server that hangs is asked again.
const ANSWER: Duration = Duration::from_secs(10);

/// As much of an answer is read.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// Waits until a web server answers as it shall.
///
/// ```rhai,no_run
/// wait::http("http://localhost:4646/v1/status/leader", #{ contains: ":4647" });
/// wait::http("https://example.org/maintenance", #{ status: 404, timeout: 900, interval: 10 });
/// ```
///
/// The outcome has `status` and `body` of the last answer. Who evaluates the play asks: the host, or the controller where the play is
/// evaluated there.
#[derive(Deserialize, JsonSchema)]
pub struct WaitHttp {
    /// What is asked: a URL that begins with `https://` or `http://`. As in `http::request`.
    #[schemars(schema_with = "arguments::secret_string")]
    url: Text,
    /// The statuses that are waited for. 200 to 299 when absent.
    #[serde(default)]
    status: Statuses,
    /// A text that has to be in the answer.
    #[serde(default)]
    contains: Option<String>,
    /// What the server is told beside the usual: names and values, which can be secrets.
    #[serde(default)]
    headers: BTreeMap<String, Text>,
    /// Whether the server has to show a certificate that is signed by one of the CAs of who asks. Default true.
    #[serde(default = "yes")]
    check_certificate: bool,
    #[serde(flatten)]
    patience: Patience,
}

fn yes() -> bool {
    true
}

impl Condition for WaitHttp {
    const NAME: &'static str = "wait::http";
    const POSITIONAL: &'static [&'static str] = &["url"];
    const FIELDS: &'static [&'static str] = &["status", "body"];

    fn subject(&self) -> String {
        arguments::address(&self.url).map_or_else(|_| "an answer".to_owned(), |address| address.to_string())
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn is_beyond(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(context.host.is_sandbox().then(|| "a sandbox has no network".to_owned()))
    }

    fn look(&self, context: &Context<'_>, left: Duration) -> Result<Seen, Failure> {
        let request = Request {
            address: arguments::address(&self.url)?,
            method: Method::GET,
            headers: arguments::headers(&self.headers)?,
            body: None,
            proxies: arguments::proxies(context),
            check_certificate: self.check_certificate,
            follow: true,
            timeout: left.clamp(Duration::from_millis(100), ANSWER),
            max_size: MAX_SIZE,
        };
        let answer = match request.send() {
            Ok(answer) => answer,
            Err(error) => return Ok(Seen::new(false, error.to_string())),
        };
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let is_expected = self.status.has(answer.status);
        let is_there = self.contains.as_ref().is_none_or(|text| body.contains(text));
        let words = match is_expected {
            false => format!("it answered {}", answer.status),
            true => "what it shall contain is not in its answer".to_owned(),
        };
        let fields =
            Map::from_iter([("status".to_owned(), json!(answer.status)), ("body".to_owned(), json!(body))]);
        Ok(Seen { is_met: is_expected && is_there, words, fields })
    }
}
