//! A service for each test, and answers in a form that can be compared.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use api::{Application, ApplicationError, Config, Plugins};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running service, stopped when the value is dropped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<Result<(), ApplicationError>>>,
    pub(crate) folder: TempDir,
}

/// An answer with its body read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Service {
    /// Everything embedded, in a folder of the test's own.
    pub(crate) async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    /// As [`Service::start`], with changes to the configuration.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_plugins(&Plugins::compiled(), change).await
    }

    /// As [`Service::configured`], with what somebody has brought along.
    pub(crate) async fn with_plugins(plugins: &Plugins, change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::with_prefix("bindery-api-").expect("the folder for temporary files is writable");
        let mut config = Config::embedded(folder.path().join("data"));
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.workers = 1;
        change(&mut config);
        let application = Application::build_with(config, plugins).await.expect("the service starts");
        let address = application.address();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(application.run_until(async {
            let _stopped_or_dropped = stopped.await;
        }));
        Self { address, client: Client::new(), stop: Some(stop), ended: Some(ended), folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says that the service shall stop, and leaves it at that.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the end of a service that was stopped.
    pub(crate) async fn ended(&mut self) -> Result<(), ApplicationError> {
        let ended = self.ended.take().expect("waited for once");
        ended.await.expect("the service does not panic")
    }

    /// Sends a request with any headers and, perhaps, a body.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path)).headers(header_map(headers));
        if let Some(body) = body {
            request = request.body(body);
        }
        Answer::of(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Sends JSON.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &Value,
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        self.send(method, path, &headers, Some(body.to_string().into_bytes())).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, &[], body).await
    }

    /// Creates something and gives its path and its tag.
    pub(crate) async fn created(&self, path: &str, body: &Value) -> (String, String) {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        (answer.header("location").to_owned(), answer.header("etag").to_owned())
    }
}

impl Answer {
    async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("a body") }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The header's value; empty when it is missing.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible"))
    }

    /// Checks that this is a problem of the kind, complete as the standard asks.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["type"], format!("/problems/{kind}"), "{}", self.text);
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        assert!(body["instance"].as_str().is_some_and(|path| path.starts_with('/')), "{body}");
        let trace = body["trace_id"].as_str().unwrap_or_default();
        assert!(self.header("traceparent").contains(trace) && trace.len() == 32, "{body}");
        self
    }

    /// The faults as `pointer code`, or `parameter code`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let body = self.json();
        let faults = body["errors"].as_array().cloned().unwrap_or_default();
        let word = |fault: &Value, key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        faults
            .iter()
            .map(|fault| format!("{}{} {}", word(fault, "pointer"), word(fault, "parameter"), word(fault, "code")))
            .collect()
    }
}

pub(crate) fn header_map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).expect("a header"))
    };
    let mut map = HeaderMap::new();
    headers.iter().map(pair).for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

/// Puts stable words in the place of what differs from run to run: ids (numbered as they first occur), instants, traces
/// and cursors.
#[derive(Debug, Default)]
pub(crate) struct Steady {
    ids: HashMap<String, usize>,
}

impl Steady {
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut steady = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(id) = prefix(rest, 36, is_uuid) {
                let next = self.ids.len() + 1;
                let number = *self.ids.entry(id.to_owned()).or_insert(next);
                let _ = write!(steady, "[id {number}]");
                rest = &rest[36..];
            } else if prefix(rest, 27, is_instant).is_some() {
                steady.push_str("[instant]");
                rest = &rest[27..];
            } else if prefix(rest, 32, |text| text.bytes().all(|byte| byte.is_ascii_hexdigit())).is_some() {
                steady.push_str("[trace]");
                rest = &rest[32..];
            } else {
                steady.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        without_cursor(&steady)
    }
}

fn prefix(text: &str, length: usize, check: impl Fn(&str) -> bool) -> Option<&str> {
    text.get(..length).filter(|text| check(text))
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

fn is_instant(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'.',
        26 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    })
}

fn without_cursor(text: &str) -> String {
    const KEY: &str = "\"next_cursor\":\"";
    match text.split_once(KEY) {
        Some((before, after)) => {
            let rest = after.split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}{KEY}[cursor]\"{rest}")
        }
        None => text.to_owned(),
    }
}

#[test]
fn what_differs_from_run_to_run_is_replaced_and_nothing_else() {
    let mut steady = Steady::default();
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    let text =
        format!(r#"{{"id":"{id}","at":"2026-01-31T12:00:00.000001Z","same":"{id}","next_cursor":"AbC-","é":1}}"#);
    let expected = r#"{"id":"[id 1]","at":"[instant]","same":"[id 1]","next_cursor":"[cursor]","é":1}"#;
    assert_eq!(steady.text(&text), expected);
}
