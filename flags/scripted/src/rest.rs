//! The REST API: who may ask, what is asked, and what becomes of it.

use std::sync::Arc;
use std::thread;

use serde_json::{Map, Value, json};

use crate::audit;
use crate::flag::items;
use crate::http::{Received, Response};
use crate::instructions;
use crate::script::{ApiScope, RestFault, Route};
use crate::segment;
use crate::server::Shared;
use crate::state::{Frame, State, new_id, now_ms};

/// The versions of the API that are spoken here.
const VERSIONS: [&str; 2] = ["20240415", "beta"];
/// What makes a patch a semantic one.
const SEMANTIC: &str = "domain-model=launchdarkly.semanticpatch";
/// A window of the rate limits, in milliseconds.
const WINDOW_MS: u64 = 10_000;

type Outcome = Result<Response, Response>;

/// What is asked for.
enum Call {
    Flag {
        project: String,
        key: String,
    },
    Segments {
        project: String,
        environment: String,
    },
    Segment {
        project: String,
        environment: String,
        key: String,
    },
    AuditLog,
    Approvals(Place, Option<String>),
    ScheduledChanges(Place),
}

struct Place {
    project: String,
    flag: String,
    environment: String,
}

impl Call {
    fn of(request: &Received) -> Option<Self> {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().skip(2).map(String::as_str).collect();
        let owned = |text: &str| text.to_owned();
        let place = |project: &str, flag: &str, environment: &str| Place {
            project: owned(project),
            flag: owned(flag),
            environment: owned(environment),
        };
        Some(match parts.as_slice() {
            ["flags", project, key] => Self::Flag {
                project: owned(project),
                key: owned(key),
            },
            ["segments", project, environment] => Self::Segments {
                project: owned(project),
                environment: owned(environment),
            },
            ["segments", project, environment, key] => Self::Segment {
                project: owned(project),
                environment: owned(environment),
                key: owned(key),
            },
            ["auditlog"] => Self::AuditLog,
            [
                "projects",
                p,
                "flags",
                f,
                "environments",
                e,
                "approval-requests",
            ] => Self::Approvals(place(p, f, e), None),
            [
                "projects",
                p,
                "flags",
                f,
                "environments",
                e,
                "approval-requests",
                id,
            ] => Self::Approvals(place(p, f, e), Some(owned(id))),
            [
                "projects",
                p,
                "flags",
                f,
                "environments",
                e,
                "scheduled-changes",
            ] => Self::ScheduledChanges(place(p, f, e)),
            _ => return None,
        })
    }

    fn route(&self, request: &Received) -> Option<Route> {
        Some(match (self, request.method.as_str()) {
            (Self::Flag { .. }, "GET") => Route::GetFlag,
            (Self::Flag { .. }, "PATCH") if request.flag("dryRun") => Route::DryRun,
            (Self::Flag { .. }, "PATCH") => Route::PatchFlag,
            (Self::Segments { .. }, "POST") => Route::CreateSegment,
            (Self::Segment { .. }, "GET") => Route::GetSegment,
            (Self::Segment { .. }, "PATCH") => Route::PatchSegment,
            (Self::AuditLog, "GET" | "POST") => Route::AuditLog,
            (Self::Approvals(_, None), "GET" | "POST") => Route::Approvals,
            (Self::Approvals(_, Some(_)), "GET") => Route::Approvals,
            (Self::ScheduledChanges(_), "GET") => Route::ScheduledChanges,
            _ => return None,
        })
    }
}

/// The answer to a request; none where the connection is closed without one.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Received) -> Option<Response> {
    let call = Call::of(request);
    let route = call.as_ref().and_then(|call| call.route(request));
    let fault = next_fault(&mut shared.state(), route);
    match &fault {
        Some(RestFault::LostBefore { .. }) => return None,
        Some(RestFault::Status {
            status,
            headers,
            body,
            ..
        }) => {
            let answer = with_limits(Response::json(*status, body));
            let headers = [answer.headers, headers.clone()].concat();
            return Some(Response { headers, ..answer });
        }
        Some(RestFault::Late { by, .. }) => thread::sleep(*by),
        _ => {}
    }
    let done = allowed(shared, request, route).and_then(|()| match call.zip(route) {
        Some((call, route)) => perform(shared, request, &call, route),
        None => Err(Response::error(404, "not_found", "unknown resource")),
    });
    match &fault {
        Some(RestFault::AnswerLost { .. }) => return None,
        Some(RestFault::Slow { by, .. }) => thread::sleep(*by),
        _ => {}
    }
    Some(with_limits(done.unwrap_or_else(|refusal| refusal)))
}

/// The first fault that is for this request, used up once more.
fn next_fault(state: &mut State, route: Option<Route>) -> Option<RestFault> {
    let faults = &mut state.rest_faults;
    let at = faults.iter().position(|(fault, _)| fault.meets(route))?;
    let (fault, left) = &mut faults[at];
    let fault = fault.clone();
    *left -= 1;
    if *left == 0 {
        faults.remove(at);
    }
    Some(fault)
}

fn with_limits(answer: Response) -> Response {
    let reset = (now_ms() / WINDOW_MS + 1) * WINDOW_MS;
    let mut answer = answer;
    for (name, value) in [
        ("X-Ratelimit-Global-Remaining", "100".to_owned()),
        ("X-Ratelimit-Route-Remaining", "10".to_owned()),
        ("X-Ratelimit-Reset", reset.to_string()),
    ] {
        answer = answer.with(name, &value);
    }
    answer
}

fn allowed(shared: &Shared, request: &Received, route: Option<Route>) -> Result<(), Response> {
    let scope = shared.state().api_scope;
    let with_token = request.header("authorization") == Some(&shared.account.api_token);
    if !with_token || scope == ApiScope::Revoked {
        return Err(Response::error(401, "unauthorized", "invalid access token"));
    }
    let version = request.header("ld-api-version");
    if !version.is_some_and(|version| VERSIONS.contains(&version)) {
        return Err(invalid("`LD-API-Version` is missing or not 20240415"));
    }
    // Searching the audit log with a policy is a POST that changes nothing.
    let reads = request.method == "GET" || route == Some(Route::AuditLog);
    if scope == ApiScope::Reader && !reads {
        return Err(Response::error(
            403,
            "forbidden",
            "the token may not do this",
        ));
    }
    Ok(())
}

fn invalid(message: &str) -> Response {
    Response::error(400, "invalid_request", message)
}

fn unknown(what: &str) -> Response {
    Response::error(404, "not_found", &format!("unknown {what}"))
}

fn perform(shared: &Arc<Shared>, request: &Received, call: &Call, route: Route) -> Outcome {
    match call {
        Call::Flag { project, key } => {
            known_place(shared, project, &shared.account.environment)?;
            match route {
                Route::GetFlag => get_flag(shared, request, key),
                _ => patch_flag(shared, request, key),
            }
        }
        Call::Segments {
            project,
            environment,
        } => {
            known_place(shared, project, environment)?;
            create_segment(shared, request)
        }
        Call::Segment {
            project,
            environment,
            key,
        } => {
            known_place(shared, project, environment)?;
            match route {
                Route::GetSegment => {
                    let state = shared.state();
                    let segment = state.segments.get(key).ok_or_else(|| unknown("segment"))?;
                    Ok(Response::json(200, segment))
                }
                _ => patch_segment(shared, request, key),
            }
        }
        Call::AuditLog => {
            audit::search(&shared.state().audit_log, request).map_err(|e| invalid(&e.0))
        }
        Call::Approvals(place, id) => {
            known_flag(shared, place)?;
            match (request.method.as_str(), id) {
                ("POST", _) => request_approval(shared, request, &place.flag),
                (_, Some(id)) => one_approval(shared, &place.flag, id),
                _ => Ok(listed(shared.state().approvals.get(&place.flag))),
            }
        }
        Call::ScheduledChanges(place) => {
            known_flag(shared, place)?;
            Ok(listed(shared.state().scheduled_changes.get(&place.flag)))
        }
    }
}

fn known_place(shared: &Shared, project: &str, environment: &str) -> Result<(), Response> {
    if project != shared.account.project {
        return Err(unknown("project"));
    }
    if environment != shared.account.environment {
        return Err(unknown("environment"));
    }
    Ok(())
}

fn known_flag(shared: &Shared, place: &Place) -> Result<(), Response> {
    known_place(shared, &place.project, &place.environment)?;
    match shared.state().flags.contains_key(&place.flag) {
        true => Ok(()),
        false => Err(unknown("flag")),
    }
}

fn listed(items: Option<&Vec<Value>>) -> Response {
    let items = items.cloned().unwrap_or_default();
    Response::json(200, &json!({ "_links": {}, "items": items }))
}

fn get_flag(shared: &Shared, request: &Received, key: &str) -> Outcome {
    let state = shared.state();
    let flag = state.flags.get(key).ok_or_else(|| unknown("flag"))?;
    Ok(Response::json(200, &shown(flag, request)))
}

/// A flag as one request asks for it: with what environments, and what besides.
fn shown(flag: &Value, request: &Received) -> Value {
    let mut flag = flag.clone();
    if let Some(wanted) = request.parameter("env") {
        let wanted: Vec<&str> = wanted.split(',').collect();
        if let Some(environments) = flag["environments"].as_object_mut() {
            environments.retain(|name, _| wanted.contains(&name.as_str()));
        }
    }
    let expanded = request.parameter("expand").unwrap_or_default();
    if !expanded.split(',').any(|name| name == "migrationSettings") {
        let of_environments = flag["environments"].as_object_mut().into_iter();
        of_environments
            .flat_map(Map::values_mut)
            .for_each(without_settings);
        without_settings(&mut flag);
    }
    flag
}

fn without_settings(of: &mut Value) {
    if let Some(fields) = of.as_object_mut() {
        fields.shift_remove("migrationSettings");
    }
}

/// The body of a semantic patch.
struct Patch {
    comment: Option<String>,
    environment: Option<String>,
    instructions: Vec<Value>,
}

impl Patch {
    fn of(request: &Received) -> Result<Self, Response> {
        let content = request.header("content-type").unwrap_or_default();
        if !content.replace(' ', "").contains(SEMANTIC) {
            return Err(invalid("the content type is not that of a semantic patch"));
        }
        let body = request
            .json()
            .ok_or_else(|| invalid("the body is no JSON"))?;
        let instructions = items(&body["instructions"]).to_vec();
        if instructions.is_empty() {
            return Err(invalid("`instructions` is missing or empty"));
        }
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Ok(Self {
            comment: text("comment"),
            environment: text("environmentKey"),
            instructions,
        })
    }

    fn in_environment_of(self, known: &str) -> Result<Self, Response> {
        match self.environment.as_deref() {
            None => Err(invalid("`environmentKey` is missing")),
            Some(environment) if environment != known => Err(unknown("environment")),
            Some(_) => Ok(self),
        }
    }
}

fn patch_flag(shared: &Arc<Shared>, request: &Received, key: &str) -> Outcome {
    let patch = Patch::of(request)?.in_environment_of(&shared.account.environment)?;
    let state = &mut *shared.state();
    if !state.flags.contains_key(key) {
        return Err(unknown("flag"));
    }
    if state.approvals_required {
        let message = "approval is required to change this flag in this environment";
        return Err(Response::error(405, "method_not_allowed", message));
    }
    if is_pending(state, key) && !request.flag("ignoreConflicts") {
        return Err(invalid(
            "the change would conflict with a pending scheduled change or approval request",
        ));
    }
    let persist = match request.flag("dryRun") {
        true => Persist::No,
        false => Persist::Yes,
    };
    let by = By::Token(patch.comment.as_deref());
    let changed = change_flag(shared, state, key, &patch.instructions, by, persist)
        .map_err(|refused| invalid(&refused.0))?;
    if let Some(frame) = changed.frame {
        push_late(shared, state, frame);
    }
    Ok(Response::json(200, &shown(&changed.flag, request)))
}

/// Whether something waits for this flag to be as it is.
fn is_pending(state: &State, key: &str) -> bool {
    let changes = state.scheduled_changes.get(key).into_iter();
    let approvals = state.approvals.get(key).into_iter().flatten();
    changes.flatten().next().is_some() || approvals.into_iter().any(|a| a["status"] == "pending")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persist {
    Yes,
    No,
}

/// Who changes something.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    /// The API token, with its comment.
    Token(Option<&'a str>),
    /// Somebody at the user interface.
    Hand,
}

pub(crate) struct Changed {
    pub(crate) flag: Value,
    /// What streams are to be told; none where nothing changed.
    pub(crate) frame: Option<Frame>,
}

/// Applies instructions to a flag, all or none of them.
pub(crate) fn change_flag(
    shared: &Shared,
    state: &mut State,
    key: &str,
    instructions: &[Value],
    by: By<'_>,
    persist: Persist,
) -> Result<Changed, instructions::Refused> {
    let environment = &shared.account.environment;
    let before = state.flags[key].clone();
    let mut flag = before.clone();
    instructions::apply(&mut flag, environment, instructions, &state.flags)?;
    if flag == before {
        return Ok(Changed { flag, frame: None });
    }
    raise_version(&mut flag, environment);
    if persist == Persist::No {
        return Ok(Changed { flag, frame: None });
    }
    state.flags.insert(key.to_owned(), flag.clone());
    audit::log_flag(shared, state, key, by, "updated the flag");
    let frame = state.flag_frame(key, environment);
    Ok(Changed { flag, frame })
}

/// One version on, and modified now.
pub(crate) fn raise_version(flag: &mut Value, environment: &str) {
    let config = &mut flag["environments"][environment];
    config["version"] = json!(config["version"].as_u64().unwrap_or_default() + 1);
    config["lastModified"] = json!(now_ms());
}

/// Tells open streams now, or as late as scripted.
fn push_late(shared: &Arc<Shared>, state: &State, frame: Frame) {
    if state.patch_delay.is_zero() {
        return state.push(&frame);
    }
    let (shared, delay) = (Arc::clone(shared), state.patch_delay);
    thread::spawn(move || {
        thread::sleep(delay);
        shared.state().push(&frame);
    });
}

fn create_segment(shared: &Shared, request: &Received) -> Outcome {
    let body = request
        .json()
        .ok_or_else(|| invalid("the body is no JSON"))?;
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    let (Some(key), Some(name)) = (text("key"), text("name")) else {
        return Err(invalid("`key` or `name` is missing"));
    };
    if body["unbounded"] == true {
        return Err(invalid("big segments are not scripted here"));
    }
    let state = &mut *shared.state();
    if state.segments.contains_key(key) {
        let message = "a segment of this key exists already";
        return Err(Response::error(409, "conflict", message));
    }
    let segment = segment::new_segment(key, name);
    state.segments.insert(key.to_owned(), segment.clone());
    audit::log_segment(shared, state, key, By::Token(None), "created the segment");
    tell_of_segment(state, key);
    Ok(Response::json(201, &segment))
}

fn patch_segment(shared: &Shared, request: &Received, key: &str) -> Outcome {
    let patch = Patch::of(request)?.in_environment_of(&shared.account.environment)?;
    let state = &mut *shared.state();
    let before = state.segments.get(key).ok_or_else(|| unknown("segment"))?;
    let mut segment = before.clone();
    segment::apply(&mut segment, &patch.instructions).map_err(|refused| invalid(&refused.0))?;
    if segment != *before && !request.flag("dryRun") {
        raise_segment(&mut segment);
        state.segments.insert(key.to_owned(), segment.clone());
        let by = By::Token(patch.comment.as_deref());
        audit::log_segment(shared, state, key, by, "updated the segment");
        tell_of_segment(state, key);
    }
    Ok(Response::json(200, &segment))
}

/// One version on, and modified now.
pub(crate) fn raise_segment(segment: &mut Value) {
    segment["version"] = json!(segment["version"].as_u64().unwrap_or_default() + 1);
    segment["lastModifiedDate"] = json!(now_ms());
}

pub(crate) fn tell_of_segment(state: &State, key: &str) {
    if let Some(frame) = state.segment_frame(key) {
        state.push(&frame);
    }
}

fn request_approval(shared: &Shared, request: &Received, key: &str) -> Outcome {
    let body = request
        .json()
        .ok_or_else(|| invalid("the body is no JSON"))?;
    if body["description"].as_str().is_none_or(str::is_empty) {
        return Err(invalid("`description` is missing"));
    }
    let wanted = items(&body["instructions"]).to_vec();
    if wanted.is_empty() {
        return Err(invalid("`instructions` is missing or empty"));
    }
    let state = &mut *shared.state();
    let mut tried = state.flags[key].clone();
    let environment = &shared.account.environment;
    instructions::apply(&mut tried, environment, &wanted, &state.flags)
        .map_err(|refused| invalid(&refused.0))?;
    let approval = approval(&body, wanted);
    let approvals = state.approvals.entry(key.to_owned()).or_default();
    approvals.push(approval.clone());
    Ok(Response::json(201, &approval))
}

/// An approval request that nobody has looked at.
pub(crate) fn approval(asked: &Value, instructions: Vec<Value>) -> Value {
    json!({
        "_id": new_id(),
        "_version": 1,
        "creationDate": now_ms(),
        "serviceKind": "launchdarkly",
        "requestorId": "scripted-member",
        "description": asked["description"],
        "comment": asked["comment"],
        "executionDate": asked["executionDate"],
        "operatingOnId": asked["operatingOnId"],
        "reviewStatus": "pending",
        "allReviews": [],
        "notifyMemberIds": items(&asked["notifyMemberIds"]),
        "status": "pending",
        "instructions": instructions,
        "conflicts": [],
        "_links": {},
    })
}

fn one_approval(shared: &Shared, key: &str, id: &str) -> Outcome {
    let state = shared.state();
    let approvals = state.approvals.get(key).into_iter().flatten();
    let mut approvals = approvals.filter(|approval| approval["_id"] == id);
    let approval = approvals
        .next()
        .ok_or_else(|| unknown("approval request"))?;
    Ok(Response::json(200, approval))
}
