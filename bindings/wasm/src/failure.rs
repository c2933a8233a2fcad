//! Errors as JSON.

use std::error::Error as StdError;
use std::io;

use sectile::edit::EditError;
use sectile::internal::json::{put, write_text};
use sectile::internal::quoted;
use sectile::scan::ItemPath;
use sectile::{Error, Finding};
use sectile_policy::PolicyError;
use sectile_policy::gate::{Refusal, RefusalKind};
use sectile_policy::internal::left_out_reason;

/// Why an operation has no document, or only a partial one.
#[derive(Debug, Default)]
pub struct Failure {
    kind: &'static str,
    message: String,
    offset: Option<u64>,
    path: Option<Box<ItemPath>>,
    place: Option<(u64, u64)>,
    code: Option<&'static str>,
}

impl Failure {
    /// An argument that is not valid.
    pub fn argument(message: impl Into<String>) -> Self {
        Self { kind: "argument", message: message.into(), ..Self::default() }
    }

    /// An argument that is not one of these names.
    pub fn unknown(what: &str, name: &str, names: impl IntoIterator<Item = &'static str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        Self::argument(format!("unknown {what} {}: use one of {}", quoted(name), names.join(", ")))
    }

    /// A document from which rows were omitted.
    pub fn left_out(rows: u64) -> Self {
        Self { kind: "left-out", message: left_out_reason(rows), ..Self::default() }
    }

    /// The reason for a refused upload.
    pub fn refusal(refusal: &Refusal) -> Self {
        let kind = match refusal.kind() {
            RefusalKind::Malformed => "malformed",
            RefusalKind::Limit => "limit",
            RefusalKind::TooLarge => "too-large",
            RefusalKind::Length => "length",
            _ => "refused",
        };
        let (finding, error) = (refusal.finding(), refusal.error());
        Self {
            kind,
            message: refusal.to_string(),
            offset: finding.map(Finding::offset).or(error.and_then(Error::offset)),
            path: finding.map(Finding::path).or(error.map(Error::path)).cloned().map(Box::new),
            place: None,
            code: finding.map(|finding| finding.code().name()),
        }
    }

    /// The failure as a JSON object.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::new();
        self.write_json(&mut json).expect("memory can be written");
        json
    }

    fn write_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        put!(out, "{\"kind\":\"", self.kind, "\",\"message\":")?;
        write_text(out, &self.message)?;
        if let Some(offset) = self.offset {
            put!(out, ",\"offset\":", offset)?;
        }
        if let Some(path) = &self.path {
            put!(out, ",\"path\":\"", **path, "\"")?;
        }
        if let Some((line, column)) = self.place {
            put!(out, ",\"line\":", line, ",\"column\":", column)?;
        }
        if let Some(code) = self.code {
            put!(out, ",\"code\":\"", code, "\"")?;
        }
        put!(out, "}")
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let kind = match error {
            error if error.is_not_wasm() => "not-wasm",
            error if error.is_truncated() => "truncated",
            error if error.is_length() => "length",
            error if error.is_malformed() => "malformed",
            error if error.is_limit() => "limit",
            error if error.is_io() => "read",
            _ => "edit",
        };
        let mut message = error.to_string();
        let mut source = StdError::source(error);
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        let path = (kind != "edit").then(|| Box::new(error.path().clone()));
        Self { kind, message, offset: error.offset(), path, ..Self::default() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let place = match error {
            PolicyError::Invalid { line, column, .. } => Some((line, column)),
            _ => None,
        };
        Self { kind: "policy", message: error.to_string(), place, ..Self::default() }
    }
}
