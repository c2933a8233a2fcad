//! Parses the advisories and databases in a report.

use std::sync::Arc;

use serde::Deserialize;

use sectile_advisories::{
    Advisory, AdvisoryClass, AdvisoryMatch, Affected, AffectedScope, Database, DatabaseFormat, Ecosystem,
    PackageOrigin, Rating, Score,
};

/// An advisory of a row. It has the index of the finding about it.
#[derive(Deserialize)]
pub(crate) struct AdvisoryLine {
    id: Box<str>,
    package: Box<str>,
    version: Box<str>,
    ecosystem: String,
    origin: String,
    class: String,
    title: Box<str>,
    url: Box<str>,
    severity: Option<String>,
    score: Option<f64>,
    aliases: Box<[Box<str>]>,
    fixed: Box<[Box<str>]>,
    functions: Box<[Box<str>]>,
    targets: Box<[Box<str>]>,
    #[serde(default)]
    excludes_wasm: bool,
    #[serde(default)]
    pub(crate) finding: usize,
}

impl AdvisoryLine {
    /// Restores the match; `None` if this version does not know a value in it.
    pub(crate) fn to_match(&self) -> Option<AdvisoryMatch> {
        let rating = match &self.severity {
            Some(name) => Some(Rating::ALL.into_iter().find(|rating| rating.name() == name)?),
            None => None,
        };
        let mut advisory = Advisory::new(self.id.clone());
        advisory.aliases.clone_from(&self.aliases);
        advisory.class = AdvisoryClass::ALL.into_iter().find(|class| class.name() == self.class)?;
        advisory.rating = rating;
        #[allow(clippy::cast_sign_loss)] // clamped
        let tenths = |score: f64| (score * 10.0).round().clamp(0.0, 100.0) as u8;
        advisory.score = self.score.map(|score| Score::from_tenths(tenths(score)));
        advisory.title = self.title.clone();
        advisory.url = self.url.clone();
        let mut scope = AffectedScope::default();
        scope.fixed.clone_from(&self.fixed);
        scope.functions.clone_from(&self.functions);
        scope.targets.clone_from(&self.targets);
        scope.excludes_wasm = self.excludes_wasm;
        let affected = Affected::new(Arc::new(advisory), Ecosystem::from_name(&self.ecosystem)?, self.package.clone());
        let origin = PackageOrigin::ALL.into_iter().find(|origin| origin.name() == self.origin)?;
        Some(AdvisoryMatch::new(Arc::new(affected.with_scope(scope)), self.version.clone(), origin))
    }
}

/// A database of the first line.
#[derive(Deserialize)]
pub(crate) struct DatabaseLine {
    path: Box<str>,
    format: String,
    commit: Option<Box<str>>,
    digest: Box<str>,
    date: Box<str>,
    advisories: u64,
    problems: u64,
}

impl DatabaseLine {
    /// Restores the facts; `None` if this version does not know the format.
    pub(crate) fn into_database(self) -> Option<Database> {
        let format = DatabaseFormat::ALL.into_iter().find(|format| format.name() == self.format)?;
        let digest = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
        let mut database = Database::new(self.path, format, digest);
        database.commit = self.commit;
        database.date = self.date;
        database.advisories = self.advisories;
        database.problems = self.problems;
        Some(database)
    }
}
