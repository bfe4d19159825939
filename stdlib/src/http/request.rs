//! `http::request`.

use std::collections::BTreeMap;
use std::time::Duration;

use refrain_engine::base64;
use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done, Text};
use refrain_engine::system::System;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::seconds::Seconds;
use crate::web::{Address, Answer, Request, Statuses, arguments};

/// How long a request may take when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// As much of an answer is shown with an error.
const SHOWN: usize = 1000;

/// Asks a web server for something, or has it do something.
///
/// ```rhai,no_run
/// let health = http::request("http://localhost:4646/v1/agent/health").json;
/// http::request("https://api.example.org/hosts", #{
///     method: "POST",
///     headers: #{ "X-Token": vars.api_token },
///     json: #{ name: host.name, address: facts.network.default_ipv4.address },
///     status: [200, 201, 409],
/// });
/// ```
///
/// The outcome has `status`, `body` (the answer as text), `json` (what it is in JSON, else `()`), `headers` (names in small letters) and
/// `url` (where the answer came from in the end). A status that is not expected is a failure that shows the beginning of the answer.
///
/// In a sandbox nobody is asked, and the fields are `()`.
///
/// `GET` and `HEAD` change nothing: they are also done in check mode, and follow up to 10 redirects, though not from `https` to `http`.
/// Other methods count as a change; check mode does not do them, and nothing is known of their answers. Who evaluates the play asks: the
/// host, or the controller where the play is evaluated there. Proxies are those of the environment (`https_proxy`, `no_proxy`).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// What is asked: a URL that begins with `https://` or `http://`. A name and a password in it and all behind a `?` are not shown; a URL
    /// that is a secret is not shown at all.
    #[schemars(schema_with = "arguments::secret_string")]
    url: Text,
    /// `"GET"`, the default, `"POST"`, `"PUT"`, `"DELETE"` or another word that the server knows.
    #[serde(default)]
    method: Option<String>,
    /// What the server is told beside the usual: names and values, which can be secrets. A server that it redirects to is not told.
    #[serde(default)]
    headers: BTreeMap<String, Text>,
    /// The user to be, with `password`.
    #[serde(default)]
    user: Option<String>,
    /// The password of `user`, which can be a secret.
    #[serde(default)]
    password: Option<Text>,
    /// What is sent: a text, which can be a secret.
    #[serde(default)]
    body: Option<Text>,
    /// What is sent: a value, as JSON.
    #[serde(default)]
    json: Option<Value>,
    /// What is sent: the fields of a form. Values can be secrets.
    #[serde(default)]
    form: Option<BTreeMap<String, Text>>,
    /// The statuses that are expected. 200 to 299 when absent.
    #[serde(default)]
    status: Statuses,
    /// How long all of it may take, in seconds. Default 30.
    #[serde(default)]
    timeout: Option<Seconds>,
    /// How large the answer may be, in bytes. Default 16 MiB.
    #[serde(default = "max_size")]
    max_size: u64,
    /// Whether the server has to show a certificate that is signed by one of the CAs of who asks. Default true.
    #[serde(default = "yes")]
    check_certificate: bool,
}

/// 16 MiB.
fn max_size() -> u64 {
    16 * 1024 * 1024
}

fn yes() -> bool {
    true
}

impl Action for HttpRequest {
    const NAME: &'static str = "http::request";
    const POSITIONAL: &'static [&'static str] = &["url"];
    const FIELDS: &'static [&'static str] = &["status", "body", "json", "headers", "url"];

    fn subject(&self) -> String {
        let method = self.method.as_deref().unwrap_or("GET");
        match arguments::address(&self.url) {
            Ok(address) => format!("{method} {address}"),
            Err(_) => method.to_owned(),
        }
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        // Check mode complains about what makes no sense, too.
        self.request(context)?;
        // What is only played must not change anything in the real world, and has nobody to ask.
        Ok(context.host.is_sandbox().then(|| "a sandbox has no network".to_owned()))
    }

    fn only_reads(&self) -> bool {
        let known = |text: &Text| text.content.known().is_some();
        let texts = self.headers.values().chain(&self.password).chain(&self.body);
        self.asks() && texts.chain(self.form.iter().flat_map(BTreeMap::values)).all(known)
    }

    fn probe(&self, context: &Context<'_>) -> Result<Done, Failure> {
        let request = self.request(context)?;
        let answer = request.send().map_err(|error| {
            let what = format!("the answer of `{}`", request.address);
            error.failure_of("ask", &what, &request.address, request.timeout)
        })?;
        let failure = (!self.status.has(answer.status)).then(|| unexpected(&answer));
        Ok(Done { changed: !self.asks(), fields: fields(&answer), failure })
    }

    fn run(&self, _: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        self.probe(context)
    }
}

impl HttpRequest {
    /// Whether it asks only.
    fn asks(&self) -> bool {
        matches!(self.method.as_deref(), None | Some("GET" | "HEAD"))
    }

    fn request(&self, context: &Context<'_>) -> Result<Request, Failure> {
        let method = self.method.as_deref().unwrap_or("GET");
        let wrong = || Failure::argument("method", format!("`{method}` is no method of HTTP"));
        let is_word =
            !method.is_empty() && method.bytes().all(|letter| letter.is_ascii_uppercase() || letter == b'-');
        let hint = || wrong().advise("methods are words in capitals, such as `\"POST\"`");
        let parsed = Method::from_bytes(method.as_bytes()).ok().filter(|_| is_word).ok_or_else(hint)?;
        let (body, kind) = self.content()?;
        let timeout = self.timeout.map_or(TIMEOUT, |timeout| timeout.0);
        let mut headers = arguments::headers(&self.headers)?;
        let mut unless_given = |name: HeaderName, value: HeaderValue| {
            if headers.iter().all(|(given, _)| *given != name) {
                headers.push((name, value));
            }
        };
        if let Some(kind) = kind {
            unless_given(CONTENT_TYPE, HeaderValue::from_static(kind));
            unless_given(ACCEPT, HeaderValue::from_static("*/*"));
        }
        if let Some(authorization) = self.authorization()? {
            unless_given(AUTHORIZATION, authorization);
        }
        Ok(Request {
            address: arguments::address(&self.url)?,
            method: parsed,
            headers,
            body,
            proxies: arguments::proxies(context),
            check_certificate: self.check_certificate,
            follow: self.asks(),
            timeout: context.materials.time_left().map_or(timeout, |left| timeout.min(left)),
            max_size: self.max_size,
        })
    }

    /// What is sent, and what kind of content that is.
    fn content(&self) -> Result<(Option<Vec<u8>>, Option<&'static str>), Failure> {
        let known = |text: &Text| text.content.known().unwrap_or_default().to_vec();
        match (&self.body, &self.json, &self.form) {
            (None, None, None) => Ok((None, None)),
            (Some(body), None, None) => Ok((Some(known(body)), Some("text/plain; charset=utf-8"))),
            (None, Some(value), None) => Ok((Some(value.to_string().into_bytes()), Some("application/json"))),
            (None, None, Some(fields)) => {
                let pair = |(name, value): (&String, &Text)| {
                    format!("{}={}", form_encoded(name.as_bytes()), form_encoded(&known(value)))
                };
                let pairs: Vec<String> = fields.iter().map(pair).collect();
                Ok((Some(pairs.join("&").into_bytes()), Some("application/x-www-form-urlencoded")))
            }
            _ => Err(Failure::argument("body", "only one of `body`, `json` and `form` can be sent")),
        }
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, Failure> {
        match (&self.user, &self.password) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Failure::argument("password", "a password needs a `user`")),
            (Some(user), password) => {
                let password =
                    password.as_ref().and_then(|password| password.content.known()).unwrap_or_default();
                let both = [user.as_bytes(), b":", password].concat();
                let value = HeaderValue::from_str(&format!("Basic {}", base64::encode(&both)));
                value.map(Some).map_err(|_| Failure::argument("user", "the user can't be sent"))
            }
        }
    }
}

/// A text as forms have it.
fn form_encoded(text: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b' ' => "+".to_owned(),
        b'*' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.iter().map(letter).collect()
}

fn fields(answer: &Answer) -> Map<String, Value> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    Map::from_iter([
        ("status".to_owned(), json!(answer.status)),
        ("json".to_owned(), json),
        ("body".to_owned(), body.into()),
        ("headers".to_owned(), Value::Object(headers(&answer.headers))),
        ("url".to_owned(), answer.address.to_string().into()),
    ])
}

/// Headers by their names; those that are there several times are joined as HTTP joins them.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(name.as_str().to_owned()).or_default().push(value);
    }
    all.into_iter().map(|(name, values)| (name, Value::String(values.join(", ")))).collect()
}

fn unexpected(answer: &Answer) -> Failure {
    let Answer { status, address, body, .. } = answer;
    let body: String = String::from_utf8_lossy(body).chars().take(SHOWN).collect();
    let said = if body.trim().is_empty() { String::new() } else { format!(": {}", body.trim()) };
    let hint = match (status, Address::is_confidential(address)) {
        (401 | 403, false) => "credentials go into `user` and `password`, `headers` or the URL, as secrets",
        _ => "`status` says which ones are expected",
    };
    Failure::state(format!("`{address}` answered {status}{said}")).advise(hint)
}
