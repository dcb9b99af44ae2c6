//! The REST API: what is asked of it, how often, and what an answer means.

use std::future::Future;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method};
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use tokio::time::sleep;
use url::Url;

use super::settings::{API_VERSION, Settings};
use super::transport::brief;

/// How long one request may take, with time and in a hurry.
const REQUESTS: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(4)];
/// How long all attempts at something may take, with time and in a hurry.
const BUDGETS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(3)];
/// The wait before a second attempt where the server says nothing, and the shortest where it does.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 << 20;

/// Why the REST API did not do something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// It answered that it did not.
    #[error("{method} {path} was answered with {status}: {message}{}", asked_again(*wait))]
    Answered {
        /// What was asked.
        method: String,
        /// Where.
        path: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// It cannot be known whether it did.
    #[error("{method} {path} brought no answer: {reason}")]
    Lost {
        /// What was asked.
        method: String,
        /// Where.
        path: String,
        /// What happened instead.
        reason: String,
    },
    /// What it answered is not what it documents.
    #[error("{path} answered what cannot be understood: {reason}")]
    Strange {
        /// Where.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl ApiError {
    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether it may have been done all the same.
    pub(super) fn is_uncertain(&self) -> bool {
        match self {
            Self::Answered { status, .. } => *status >= 500,
            Self::Lost { .. } => true,
            Self::Strange { .. } => false,
        }
    }

    /// Whether it was answered, so that the same may be sent again where it was not done.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Answered { .. })
    }

    /// How long the server wants to be left alone.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Answered { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Answered { status, .. } => matches!(status, 409 | 429 | 500..),
            Self::Lost { .. } => true,
            Self::Strange { .. } => false,
        }
    }
}

/// The API, for one environment of one project.
#[derive(Clone, Debug)]
pub(super) struct Api {
    http: Client,
    handle: Handle,
    base: String,
    token: String,
    project: String,
    environment: String,
    request: Duration,
    budget: Duration,
}

/// What is left of the time for something.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    /// The next wait where the server says nothing.
    own_wait: Duration,
}

struct Answer {
    body: Json,
}

impl Api {
    pub(super) fn new(
        settings: &Settings,
        token: &str,
        http: Client,
        handle: Handle,
        hurry: bool,
    ) -> Self {
        let index = usize::from(hurry);
        Self {
            http,
            handle,
            base: settings.api(),
            token: token.to_owned(),
            project: settings.project.clone(),
            environment: settings.environment.clone(),
            request: REQUESTS[index],
            budget: BUDGETS[index],
        }
    }

    pub(super) fn environment(&self) -> &str {
        &self.environment
    }

    /// A flag, in the REST form.
    pub(super) fn flag(&self, flag: &str) -> Result<Json, ApiError> {
        let (path, query) = (self.flag_path(flag), [("env", self.environment.as_str())]);
        self.patiently(Method::GET, &path, &query, None)
    }

    /// Changes a flag, or only tries to. A real change is sent once, unless it was surely not done.
    pub(super) fn patch_flag(
        &self,
        flag: &str,
        instructions: &[Json],
        comment: &str,
        is_dry_run: bool,
    ) -> Result<Json, ApiError> {
        let path = self.flag_path(flag);
        let body = json!({"comment": comment, "environmentKey": self.environment, "instructions": instructions});
        if is_dry_run {
            return self.patiently(Method::PATCH, &path, &[("dryRun", "true")], Some(&body));
        }
        self.once(Method::PATCH, &path, &[], &body)
    }

    /// A segment, in the REST form, if there is one.
    pub(super) fn segment(&self, key: &str) -> Result<Option<Json>, ApiError> {
        match self.patiently(Method::GET, &self.segment_path(Some(key)), &[], None) {
            Ok(segment) => Ok(Some(segment)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a segment without members; one that is there already stays as it is.
    pub(super) fn create_segment(&self, key: &str, about: &str) -> Result<(), ApiError> {
        let body = json!({"key": key, "name": key, "description": about, "tags": ["understudy"]});
        match self.once(Method::POST, &self.segment_path(None), &[], &body) {
            Err(error) if error.status() != Some(409) && !error.is_uncertain() => Err(error),
            // Whether it is there shows when it is changed.
            _ => Ok(()),
        }
    }

    /// Changes who is in a segment. To do it twice is to do it once.
    pub(super) fn patch_segment(
        &self,
        key: &str,
        instructions: &[Json],
        comment: &str,
    ) -> Result<(), ApiError> {
        let body = json!({"comment": comment, "environmentKey": self.environment, "instructions": instructions});
        self.patiently(
            Method::PATCH,
            &self.segment_path(Some(key)),
            &[],
            Some(&body),
        )?;
        Ok(())
    }

    /// Whether one of the newest entries of a flag's audit log has this in its comment. The API searches names only, so
    /// that comments are looked through here.
    pub(super) fn was_commented(&self, flag: &str, marker: &str) -> Result<bool, ApiError> {
        let of_flag = format!("proj/{}:env/{}:flag/{flag}", self.project, self.environment);
        let newest = self.patiently(
            Method::GET,
            "/auditlog",
            &[("spec", &of_flag), ("limit", "20")],
            None,
        )?;
        let items = newest["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Ok(items.iter().any(|item| {
            item["comment"]
                .as_str()
                .is_some_and(|comment| comment.contains(marker))
        }))
    }

    /// Asks people to approve of a change, unless they were asked and have not answered. Gives the request's id.
    pub(super) fn request_approval(
        &self,
        flag: &str,
        instructions: &[Json],
        about: &str,
    ) -> Result<String, ApiError> {
        let id = |request: &Json| {
            request["_id"]
                .as_str()
                .unwrap_or("(without an id)")
                .to_owned()
        };
        let waiting = self.pending(flag, "approval-requests").unwrap_or_default();
        let asked = json!(instructions);
        let same = |request: &&Json| is_open(request) && request["instructions"] == asked;
        if let Some(request) = waiting.iter().find(same) {
            return Ok(id(request));
        }
        let body = json!({"description": about, "instructions": instructions});
        let asked = self.once(
            Method::POST,
            &self.of_flag(flag, "approval-requests"),
            &[],
            &body,
        )?;
        Ok(id(&asked))
    }

    /// The changes of a flag that wait for their time, or for people.
    pub(super) fn pending(&self, flag: &str, what: &str) -> Result<Vec<Json>, ApiError> {
        let found = self.patiently(Method::GET, &self.of_flag(flag, what), &[], None)?;
        Ok(found["items"].as_array().cloned().unwrap_or_default())
    }

    fn flag_path(&self, flag: &str) -> String {
        path_of(&["flags", &self.project, flag])
    }

    fn of_flag(&self, flag: &str, what: &str) -> String {
        path_of(&[
            "projects",
            &self.project,
            "flags",
            flag,
            "environments",
            &self.environment,
            what,
        ])
    }

    fn segment_path(&self, key: Option<&str>) -> String {
        let mut parts = vec!["segments", &self.project, &self.environment];
        parts.extend(key);
        path_of(&parts)
    }

    /// Asks until there is an answer that stays the same, within the budget. For what may be done twice.
    fn patiently(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Json, ApiError> {
        self.attempts(method, path, query, body, ApiError::may_pass)
    }

    /// Asks until it is done, surely refused, or unknown. For what must not be done twice.
    fn once(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &Json,
    ) -> Result<Json, ApiError> {
        let may_pass = |error: &ApiError| error.may_pass() && !error.is_uncertain();
        self.attempts(method, path, query, Some(body), may_pass)
    }

    fn attempts(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
        may_pass: impl Fn(&ApiError) -> bool,
    ) -> Result<Json, ApiError> {
        let mut patience = self.patience();
        loop {
            let asking = ask(
                self.clone(),
                method.clone(),
                path.to_owned(),
                owned(query),
                body.cloned(),
            );
            let error = match self.wait_for(asking) {
                Ok(answer) => return Ok(answer.body),
                Err(error) => error,
            };
            if !may_pass(&error) || !self.waits(&mut patience, &error) {
                return Err(error);
            }
        }
    }

    /// How long whatever is asked for now may be asked for again.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            until: Instant::now() + self.budget,
            own_wait: FIRST_WAIT,
        }
    }

    /// Waits before the next attempt, as long as the server says if it says so. Gives whether there is time for one.
    pub(super) fn waits(&self, patience: &mut Patience, error: &ApiError) -> bool {
        let wait = error
            .wait()
            .map_or(patience.own_wait, |wait| wait.max(FIRST_WAIT));
        if Instant::now() + wait > patience.until {
            return false;
        }
        self.wait_for(async move { sleep(wait).await });
        patience.own_wait *= 2;
        true
    }

    /// Waits here for what runs there: this may be called where nothing may be awaited.
    fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = mpsc::channel();
        self.handle.spawn(async move { sender.send(future.await) });
        receiver
            .recv()
            .expect("the connection's threads outlive the requests in them")
    }
}

/// Whether people have still to answer a request, or to apply it.
pub(super) fn is_open(request: &Json) -> bool {
    let status = request["status"].as_str().unwrap_or("pending");
    matches!(status, "pending" | "scheduled")
}

fn asked_again(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!(" (it may be asked again in {} s)", wait.as_secs())
    })
}

fn owned(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn ask(
    api: Api,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Json>,
) -> Result<Answer, ApiError> {
    let lost = |reason: String| ApiError::Lost {
        method: method.to_string(),
        path: path.clone(),
        reason,
    };
    let mut request = api
        .http
        .request(method.clone(), format!("{}{path}", api.base))
        .query(&query)
        .timeout(api.request)
        .header(AUTHORIZATION, &api.token)
        .header("LD-API-Version", API_VERSION);
    if let Some(body) = body {
        let kind = if method == Method::PATCH {
            "application/json; domain-model=launchdarkly.semanticpatch"
        } else {
            "application/json"
        };
        request = request.header(CONTENT_TYPE, kind).body(body.to_string());
    }
    let mut answer = request.send().await.map_err(|error| lost(brief(&error)))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| lost(brief(&error)))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_ANSWER {
            return Err(lost(format!("the answer has more than {MAX_ANSWER} bytes")));
        }
    }
    let body = serde_json::from_slice::<Json>(&bytes);
    if status.is_success() {
        return match body {
            Ok(body) => Ok(Answer { body }),
            Err(_) if bytes.is_empty() => Ok(Answer { body: Json::Null }),
            Err(error) => Err(ApiError::Strange {
                path,
                reason: error.to_string(),
            }),
        };
    }
    let said = body
        .ok()
        .and_then(|body| body["message"].as_str().map(str::to_owned));
    Err(ApiError::Answered {
        method: method.to_string(),
        path,
        status: status.as_u16(),
        message: said
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason").to_owned()),
        wait: wait_of(status.as_u16(), &headers),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server says until when by the wall clock; nothing is decided by it but a wait, which is bounded"
)]
/// How long the server wants us to wait. What is left of a rate limit stands in every answer.
fn wait_of(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if !matches!(status, 429 | 503) {
        return None;
    }
    if let Some(seconds) = text(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    let reset = text("x-ratelimit-reset").filter(|_| status == 429)?;
    let reset: u64 = reset.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Duration::from_millis(reset).saturating_sub(now) + Duration::from_millis(50))
}

/// A path of these parts, whatever is in their names.
fn path_of(parts: &[&str]) -> String {
    let mut url = Url::parse("http://path.invalid").expect("it is a URL");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(parts);
    }
    url.path().to_owned()
}
