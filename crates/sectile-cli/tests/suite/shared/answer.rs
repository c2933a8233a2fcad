//! The library's answers to requests.

use std::error::Error as _;
use std::ffi::OsStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sectile::digest::Digest;
use sectile::drive::{self, PushDriver};
use sectile::edit::Strip;
use sectile::internal::outcome;
use sectile::metadata::StreamReader;
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{Cost, Edit, Error, Field, Limits, Outcome};
use sectile_policy::diff::compare_edit;
use sectile_policy::gate::{Gate, Refusal, RefusalKind};
use sectile_policy::report::{EditReport, Report, SectionsJson};
use sectile_policy::{Day, JudgeContext, Packages, Policy, PolicyReader, Reading};
use sectile_testing::files::project;
use serde_json::{Map, Value, json};

/// Name of an input without a path, as of standard input.
const UNNAMED: &str = "-";

type Object = Map<String, Value>;

/// Carries out a request.
pub fn answer(request: &Object, bytes: &[u8]) -> Object {
    match request["operation"].as_str().unwrap() {
        "read" => read(bytes, Packages::Declared),
        "inventory" => read(bytes, Packages::All),
        "sections" => sections(bytes),
        "check" => check(request, bytes),
        "edit" => edit(build_edit(&request["edit"]), bytes),
        "strip" => edit(build_strip(&request["strip"]), bytes),
        "push" => push(request, bytes),
        "gate" => gate(request, bytes),
        other => panic!("unknown operation {other}"),
    }
}

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("{value}") };
    object
}

fn document(json: Vec<u8>) -> Value {
    String::from_utf8(json).unwrap().strip_suffix('\n').unwrap().into()
}

fn read(bytes: &[u8], packages: Packages) -> Object {
    let mut policy = Policy::default();
    policy.packages = packages;
    let read = drive::collect_at(bytes, bytes.len() as u64, PolicyReader::stream(&policy));
    show(bytes.len(), read)
}

/// The document of `show --json`.
fn show(len: usize, read: Outcome<Reading<'_>>) -> Object {
    let read = without_cost_if_unread(read);
    let report = Report::for_policy(OsStr::new(UNNAMED), Some(len as u64), &read);
    let mut json = Vec::new();
    report.write_json(&mut json).unwrap();
    object(json!({ "document": document(json) }))
}

/// The command omits the cost of an input that it could not read.
fn without_cost_if_unread(read: Outcome<Reading<'_>>) -> Outcome<Reading<'_>> {
    if read.value().is_some() { read } else { outcome(None, read.into_parts().1, Cost::default()) }
}

fn check(request: &Object, bytes: &[u8]) -> Object {
    let policy = policy(request);
    let read = drive::collect_at(bytes, bytes.len() as u64, PolicyReader::stream(&policy));
    let read = without_cost_if_unread(read);
    let report = Report::for_policy(OsStr::new(UNNAMED), Some(bytes.len() as u64), &read);
    let locations: Vec<_> = locations(request).map(OsStr::new).collect();
    let context = JudgeContext::new().with_day(day(request)).with_locations(&locations);
    let verdict = policy.judge_with_context(&report, &context);
    let mut json = Vec::new();
    report.write_verdict_json(&verdict, &mut json).unwrap();
    object(json!({ "document": document(json) }))
}

fn policy(request: &Object) -> Policy {
    let Some(name) = text(request, "policy") else { return Policy::default() };
    let text = super::text(&project().join(name));
    Policy::parse(name, &text).unwrap()
}

fn day(request: &Object) -> Option<Day> {
    text(request, "day").map(|day| day.parse().unwrap())
}

fn locations(request: &Object) -> impl Iterator<Item = &str> {
    request.get("locations").into_iter().flat_map(|value| value.as_array().unwrap()).map(|one| one.as_str().unwrap())
}

fn text<'a>(request: &'a Object, key: &str) -> Option<&'a str> {
    request.get(key).map(|value| value.as_str().unwrap())
}

fn sections(bytes: &[u8]) -> Object {
    let mut json = Vec::new();
    let list = SectionsJson::new(&mut json, OsStr::new(UNNAMED), Some(bytes.len() as u64)).unwrap();
    let mut lister = SectionLister { list, path: ItemPath::root() };
    let read = drive::scan_at(bytes, bytes.len() as u64, &mut lister, Limits::default());
    lister.list.finish(read.error()).unwrap();
    object(json!({ "document": document(json) }))
}

struct SectionLister<'a> {
    list: SectionsJson<&'a mut Vec<u8>>,
    path: ItemPath,
}

impl Visitor<'_> for SectionLister<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.path.push(item.index());
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        self.list.section(&self.path, section).unwrap();
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}

fn edit(edit: Result<Edit, Error>, bytes: &[u8]) -> Object {
    let planned = edit.and_then(|edit| Ok(edit.plan_slice(bytes)?));
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return object(json!({ "error": error_of(&error) })),
    };
    let comparison = compare_edit(&planned, bytes).unwrap();
    let report = EditReport::new(OsStr::new(UNNAMED), &planned, !planned.plan().is_identity());
    let mut json = Vec::new();
    report.with_comparison(Some(&comparison)).write_json(&mut json).unwrap();
    let new = planned.plan().to_vec(bytes).unwrap();
    object(json!({ "document": document(json), "sha256": Digest::new(&new).to_string() }))
}

fn error_of(error: &Error) -> Value {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    json!({ "message": message, "offset": error.offset() })
}

/// The keys are those of the Python function `edit`. Pairs are in the order of application.
fn build_edit(description: &Value) -> Result<Edit, Error> {
    let rows = |key: &str| description[key].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let field =
        |value: &Value| Field::ALL.into_iter().find(|field| field.section() == value.as_str().unwrap()).unwrap();
    let mut edit = Edit::new().at(description["item"].as_str().unwrap_or_default().parse().unwrap());
    for row in rows("set") {
        let (field, value) = (field(&row[0]), text(&row[1]));
        let is_unchecked = description["allow_invalid"] == true;
        edit = if is_unchecked { edit.set_unchecked(field, value)? } else { edit.set(field, value)? };
    }
    for target in rows("unset") {
        edit = match &*text(target) {
            "name" => edit.clear_name()?,
            "producers" => edit.unset_producers()?,
            _ => edit.unset(field(target))?,
        };
    }
    if let Some(name) = description["name"].as_str() {
        edit = edit.name(name)?;
    }
    for row in rows("drop_producers") {
        edit = edit.drop_producer(text(&row[0]), text(&row[1]));
    }
    for row in rows("producers") {
        edit = edit.add_producer(text(&row[0]), text(&row[1]), text(&row[2]));
    }
    for row in rows("put") {
        edit = edit.put(text(&row[0]), STANDARD.decode(text(&row[1])).unwrap())?;
    }
    for pattern in rows("remove") {
        edit = edit.remove_matching(text(pattern).parse().unwrap());
    }
    Ok(edit)
}

fn build_strip(description: &Value) -> Result<Edit, Error> {
    let mut strip = Strip::new();
    if description["names"] == true {
        strip = strip.names();
    }
    if description["all"] == true {
        strip = strip.all();
    }
    if description["item"].is_string() {
        strip = strip.this_item_only();
    }
    for pattern in description["keep"].as_array().into_iter().flatten() {
        strip = strip.keep(pattern.as_str().unwrap().parse().unwrap());
    }
    let item = description["item"].as_str().unwrap_or_default().parse().unwrap();
    Ok(Edit::new().at(item).strip(strip))
}

/// The chunks of an input, in these sizes, which repeat.
fn chunks<'a>(request: &Object, mut rest: &'a [u8]) -> Vec<&'a [u8]> {
    let sizes: Vec<_> = request["chunks"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect();
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, others) = rest.split_at(rest.len().min(*size as usize));
        chunks.push(chunk);
        rest = others;
    }
    chunks
}

fn push(request: &Object, bytes: &[u8]) -> Object {
    let mut push = PushDriver::new(StreamReader::new());
    for chunk in chunks(request, bytes) {
        if push.push(chunk).is_err() {
            break;
        }
    }
    let read = push.finish().map(Reading::from);
    show(read.cost().bytes as usize, read)
}

fn gate(request: &Object, bytes: &[u8]) -> Object {
    let mut gate = Gate::new(policy(request));
    if let Some(most) = request.get("max_bytes") {
        gate = gate.with_max_bytes(most.as_u64().unwrap());
    }
    if let Some(declared) = request.get("declared_len") {
        gate = gate.with_declared_len(declared.as_u64().unwrap());
    }
    if let Some(day) = day(request) {
        gate = gate.with_day(day);
    }
    for location in locations(request) {
        gate = gate.with_location(location);
    }
    for chunk in chunks(request, bytes) {
        if let Err(refusal) = gate.push(chunk) {
            return refused(&refusal);
        }
    }
    let accepted = match gate.finish() {
        Ok(accepted) => accepted,
        Err(refusal) => return refused(&refusal),
    };
    let report = accepted.report(OsStr::new(UNNAMED));
    let mut json = Vec::new();
    report.write_verdict_json(&accepted.verdict(&report), &mut json).unwrap();
    object(json!({ "accepted": true, "size": accepted.size(), "document": document(json) }))
}

fn refused(refusal: &Refusal) -> Object {
    let kind = match refusal.kind() {
        RefusalKind::Malformed => "malformed",
        RefusalKind::Limit => "limit",
        RefusalKind::TooLarge => "too-large",
        RefusalKind::Length => "length",
        RefusalKind::Policy => "refused",
        other => panic!("unknown kind {other:?}"),
    };
    let report = refusal.report(OsStr::new(UNNAMED));
    let mut json = Vec::new();
    report.write_verdict_json(&refusal.verdict(&report), &mut json).unwrap();
    object(json!({ "accepted": false, "size": refusal.size(), "kind": kind, "message": refusal.to_string(),
        "document": document(json) }))
}
