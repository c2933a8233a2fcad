//! The manifests of a package that is built.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ManifestError;
use super::format::ManifestFormat;
use super::location::{ManifestLocation, Notice};
use super::own::BuildSettings;
use super::{Manifest, NoticeKind};
use sectile::edit::Edit;
use sectile::metadata::Field;

/// A package that is built: its `sectile.toml` and its manifest. Values and settings of
/// `sectile.toml` take precedence.
///
/// ```no_run
/// use sectile::Edit;
/// use sectile_manifest::Project;
///
/// let project = Project::open("Cargo.toml")?;
/// project.add_to(Edit::new())?.apply("app.wasm")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Project {
    /// By precedence.
    manifests: Vec<Manifest>,
    settings: BuildSettings,
}

impl Project {
    /// Reads a manifest, and `sectile.toml` next to it if present.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::read`].
    pub fn open(manifest: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let path = manifest.as_ref();
        let manifest = Manifest::read(path)?;
        let own = path.with_file_name(ManifestFormat::Sectile.file_name());
        if manifest.format() == ManifestFormat::Sectile || !exists(&own)? {
            return Ok(Self::new(vec![manifest]));
        }
        Ok(Self::new(vec![Manifest::read(own)?, manifest]))
    }

    /// Reads the manifests in the nearest directory that has one: this directory, or one above it.
    /// `None` if no directory has one.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::read`]. Also, several manifests give different values for a field, and
    /// `sectile.toml` neither sets that field nor names one of the manifests in its key `manifest`.
    pub fn nearest(directory: impl AsRef<Path>) -> Result<Option<Self>, ManifestError> {
        let directory = directory.as_ref();
        let failed = |source| ManifestError::Io { file: directory.to_owned(), source };
        let absolute = std::path::absolute(directory).map_err(failed)?;
        for directory in absolute.ancestors() {
            let mut paths = Vec::new();
            // sectile.toml comes first.
            for format in ManifestFormat::ALL.into_iter().rev() {
                let path = directory.join(format.file_name());
                if exists(&path)? {
                    paths.push(path);
                }
            }
            if !paths.is_empty() {
                return Self::in_directory(paths).map(Some);
            }
        }
        Ok(None)
    }

    /// The manifests, by precedence.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// The settings for builds.
    pub fn settings(&self) -> &BuildSettings {
        &self.settings
    }

    /// Adds the fields, the name and the producers to an edit. Values that the edit already sets
    /// take precedence.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::add_to`].
    pub fn add_to(&self, edit: Edit) -> Result<Edit, ManifestError> {
        self.manifests.iter().try_fold(edit, |edit, manifest| manifest.add_to(edit))
    }

    /// As [`add_to`](Self::add_to), but accepts values that are not valid for their fields.
    ///
    /// # Errors
    ///
    /// A value contains NUL.
    pub fn add_unchecked_to(&self, edit: Edit) -> Result<Edit, ManifestError> {
        self.manifests.iter().try_fold(edit, |edit, manifest| manifest.add_unchecked_to(edit))
    }

    /// Whether a manifest sets a field.
    pub fn sets(&self, field: Field) -> bool {
        self.manifests.iter().any(|manifest| manifest.value(field).is_some())
    }

    /// Notices about values that are used in another form. Notices about ignored keys are omitted,
    /// because every build would repeat them.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        let notices = self.manifests.iter().flat_map(Manifest::notices);
        notices.filter(|notice| notice.kind != NoticeKind::Dropped)
    }

    fn new(manifests: Vec<Manifest>) -> Self {
        let mut settings = BuildSettings::default();
        for manifest in &manifests {
            settings.fill_from(manifest.settings());
        }
        Self { manifests, settings }
    }

    /// Reads the manifests of one directory, `sectile.toml` first.
    fn in_directory(paths: Vec<PathBuf>) -> Result<Self, ManifestError> {
        let mut own = None;
        let mut others = Vec::new();
        for path in paths {
            let manifest = Manifest::read(path)?;
            match (manifest.format(), &manifest.settings().manifest) {
                (ManifestFormat::Sectile, Some(path)) => {
                    let named = Manifest::read(path)?;
                    return Ok(Self::new(vec![manifest, named]));
                }
                (ManifestFormat::Sectile, None) => own = Some(manifest),
                _ => others.push(manifest),
            }
        }
        others.reverse();
        check_agreement(own.as_ref(), &others)?;
        Ok(Self::new(own.into_iter().chain(others).collect()))
    }
}

/// Rejects manifests that give different values for a field, unless `sectile.toml` sets it.
fn check_agreement(own: Option<&Manifest>, manifests: &[Manifest]) -> Result<(), ManifestError> {
    let mut first: BTreeMap<Field, (String, &ManifestLocation)> = BTreeMap::new();
    for (field, value, location) in manifests.iter().flat_map(Manifest::values) {
        match first.get(&field) {
            _ if own.is_some_and(|own| own.value(field).is_some()) => {}
            Some((other, _)) if *other == value => {}
            Some((_, other)) => {
                let (first, second) = (Box::new((*other).clone()), Box::new(location.clone()));
                return Err(ManifestError::Disagreement { field, first, second });
            }
            None => _ = first.insert(field, (value, location)),
        }
    }
    Ok(())
}

/// Whether a file exists. A failed lookup is an error.
fn exists(path: &Path) -> Result<bool, ManifestError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(source) => Err(ManifestError::Io { file: path.to_owned(), source }),
    }
}
