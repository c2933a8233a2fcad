//! `OpenVEX` documents: statements that a vulnerability does not affect a product. Source: the
//! `OpenVEX` specification 0.2.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use packageurl::PackageUrl;
use thiserror::Error;

use sectile_document::file::FileError;
use sectile_document::{Node, Value, file};

use crate::{AdvisoryMatch, Ecosystem};

/// The statements of an `OpenVEX` document that take back an advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexDocument {
    /// The path of the document, as the caller wrote it.
    pub path: PathBuf,
    /// The statements in effect: "not affected" or "fixed", unless a later statement about the same
    /// vulnerability and product takes it back.
    pub statements: Vec<VexStatement>,
}

/// A statement that a vulnerability does not affect products.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexStatement {
    /// The line of the statement, counted from 1.
    pub line: u64,
    /// The name of the vulnerability, and its aliases.
    pub vulnerability: Vec<Box<str>>,
    /// The reason in one line: status, justification and impact.
    pub reason: String,
    /// The products that are not affected.
    pub products: Vec<VexProduct>,
}

/// A product of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VexProduct {
    /// A package, wherever it is used.
    Package(VexPackage),
    /// The binaries with one of these digests, written `sha256:…`.
    Binary {
        /// The digests.
        digests: Vec<String>,
        /// The packages in it that the statement is about; all if empty.
        packages: Vec<VexPackage>,
    },
}

/// A package of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexPackage {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The name.
    pub name: Box<str>,
    /// The version; all versions if `None`.
    pub version: Option<Box<str>>,
}

impl VexPackage {
    /// Whether this is the package of a match.
    pub fn is_of(&self, found: &AdvisoryMatch) -> bool {
        let is_version = |version: &str| self.ecosystem.is_same(version, &found.version);
        self.ecosystem == found.affected.ecosystem()
            && *self.name == *found.affected.package()
            && self.version.as_deref().is_none_or(is_version)
    }

    /// Parses a package URL; `None` for a package of another ecosystem.
    fn from_purl(purl: &str) -> Option<Self> {
        let purl = PackageUrl::from_str(purl).ok()?;
        let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.purl_type() == purl.ty())?;
        let name = match purl.namespace() {
            Some(namespace) => format!("{namespace}/{}", purl.name()),
            None => purl.name().to_owned(),
        };
        Some(Self { ecosystem, name: name.into(), version: purl.version().map(Into::into) })
    }
}

/// A VEX document cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VexError {
    /// The document cannot be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// The document is not JSON.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: u64,
        /// The problem.
        message: String,
    },
    /// The document is not an `OpenVEX` document of version 0.2.
    #[error("not an OpenVEX 0.2 document: `@context` must begin with `{CONTEXT}`")]
    OtherFormat,
    /// A statement is not valid.
    #[error("line {line}: invalid statement: {message}")]
    Statement {
        /// The line, counted from 1.
        line: u64,
        /// The problem.
        message: String,
    },
}

const CONTEXT: &str = "https://openvex.dev/ns/v0.2";

impl VexDocument {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not a regular file or larger than 1 MiB; or as for
    /// [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, VexError> {
        let path = path.as_ref();
        let text = file::read(path).map_err(|error| {
            VexError::Read(match error {
                FileError::Io(error) => error,
                FileError::NotRegular => io::Error::other("not a regular file"),
                FileError::TooLarge => io::Error::other("larger than 1 MiB"),
                FileError::NotUtf8(_) => io::Error::other("not UTF-8"),
            })
        })?;
        Self::parse(path, &text)
    }

    /// Parses a document that was read from this path.
    ///
    /// # Errors
    ///
    /// The text is not JSON, not an `OpenVEX` 0.2 document, or has a statement without a required
    /// member.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<Self, VexError> {
        let (root, _) = sectile_document::json(text)
            .map_err(|error| VexError::Syntax { line: error.line, message: error.message })?;
        if !text_of(&root, "@context").is_some_and(|context| context.starts_with(CONTEXT)) {
            return Err(VexError::OtherFormat);
        }
        let of_document = text_of(&root, "timestamp").and_then(|time| time.parse().ok());
        let mut parsed = Vec::new();
        for node in list(&root, "statements") {
            let statement = RawStatement::parse(node, of_document);
            parsed.push(statement.map_err(|message| VexError::Statement { line: node.line, message })?);
        }
        parsed.sort_by_key(|statement| statement.time); // stable: the order of the document decides otherwise
        Ok(Self { path: path.into(), statements: in_effect(parsed) })
    }
}

/// A statement of any status.
struct RawStatement {
    time: Option<Timestamp>,
    is_suppressing: bool,
    statement: VexStatement,
}

impl RawStatement {
    fn parse(node: &Node, of_document: Option<Timestamp>) -> Result<Self, String> {
        let vulnerability = node.entry("vulnerability").ok_or("`vulnerability` is missing")?;
        let name = text_of(vulnerability, "name").ok_or("`vulnerability.name` is missing")?;
        let aliases = list(vulnerability, "aliases").filter_map(Node::text);
        let status = text_of(node, "status").ok_or("`status` is missing")?;
        let (justification, impact) = (text_of(node, "justification"), text_of(node, "impact_statement"));
        let is_suppressing = match status {
            "not_affected" if justification.is_none() && impact.is_none() => {
                return Err("`not_affected` needs a `justification` or an `impact_statement`".to_owned());
            }
            "not_affected" | "fixed" => true,
            "affected" | "under_investigation" => false,
            _ => return Err("`status` is not one of OpenVEX".to_owned()),
        };
        let parts = [Some(status), justification].into_iter().flatten().map(|word| word.replace('_', " "));
        let parts = parts.chain(impact.map(|impact| impact.split_whitespace().collect::<Vec<_>>().join(" ")));
        Ok(Self {
            time: text_of(node, "timestamp").and_then(|time| time.parse().ok()).or(of_document),
            is_suppressing,
            statement: VexStatement {
                line: node.line,
                vulnerability: [name].into_iter().chain(aliases).map(Into::into).collect(),
                reason: format!("OpenVEX: {}", parts.collect::<Vec<_>>().join(": ")),
                products: list(node, "products").flat_map(products).collect(),
            },
        })
    }
}

/// The suppressing statements, without the products that a later statement takes back.
fn in_effect(statements: Vec<RawStatement>) -> Vec<VexStatement> {
    let mut last: HashMap<(Box<str>, String), usize> = HashMap::new();
    let keys = |statement: &VexStatement, product: &VexProduct| {
        let product = format!("{product:?}");
        let names = statement.vulnerability.iter().map(|name| name.to_ascii_uppercase().into());
        names.map(|name: Box<str>| (name, product.clone())).collect::<Vec<_>>()
    };
    for (nth, RawStatement { statement, .. }) in statements.iter().enumerate() {
        for key in statement.products.iter().flat_map(|product| keys(statement, product)) {
            last.insert(key, nth);
        }
    }
    let kept = statements.into_iter().enumerate().filter(|(_, raw)| raw.is_suppressing).map(|(nth, raw)| {
        let mut statement = raw.statement;
        let products = std::mem::take(&mut statement.products).into_iter();
        let is_last = |product: &VexProduct| keys(&statement, product).iter().all(|key| last.get(key) == Some(&nth));
        let products = products.filter(is_last).collect();
        VexStatement { products, ..statement }
    });
    kept.filter(|statement| !statement.products.is_empty()).collect()
}

/// The package URL or the digests that identify a product. Products without them are ignored.
fn products(node: &Node) -> Vec<VexProduct> {
    let purls = purls(node);
    let mut digests: Vec<String> = node
        .entry("hashes")
        .into_iter()
        .flat_map(|hashes| ["sha-256", "sha256"].into_iter().filter_map(|key| text_of(hashes, key)))
        .map(|digest| format!("sha256:{}", digest.to_ascii_lowercase()))
        .collect();
    // `pkg:oci/app@sha256:…` names an image or its layer by digest.
    digests.extend(purls.iter().filter_map(|purl| {
        let purl = PackageUrl::from_str(purl).ok().filter(|purl| purl.ty() == "oci")?;
        purl.version().filter(|version| version.starts_with("sha256:")).map(str::to_owned)
    }));
    let packages: Vec<VexPackage> =
        list(node, "subcomponents").flat_map(self::purls).filter_map(VexPackage::from_purl).collect();
    // A statement about unknown parts of a binary must not suppress what is in its other parts.
    let has_unknown_parts = packages.is_empty() && list(node, "subcomponents").next().is_some();
    if !digests.is_empty() && !has_unknown_parts {
        return vec![VexProduct::Binary { digests, packages }];
    }
    let own = purls.into_iter().filter_map(VexPackage::from_purl).take(1);
    let has_parts = list(node, "subcomponents").next().is_some();
    own.filter(|_| !has_parts).map(VexProduct::Package).collect()
}

/// The package URLs of a component: its identifiers, and its `@id` if that is one.
fn purls(node: &Node) -> Vec<&str> {
    let identifier = node.entry("identifiers").and_then(|identifiers| text_of(identifiers, "purl"));
    let id = text_of(node, "@id").filter(|id| id.starts_with("pkg:"));
    identifier.into_iter().chain(id).collect()
}

fn text_of<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.entry(key)?.text()
}

fn list<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> + use<'n> {
    let list = match node.entry(key).map(|node| &node.value) {
        Some(Value::List(list)) => &list[..],
        _ => &[],
    };
    list.iter()
}
