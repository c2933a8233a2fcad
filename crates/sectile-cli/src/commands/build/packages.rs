//! The metadata of the packages that Cargo built, and of their binaries.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use sectile::Edit;
use sectile_manifest::Project;

use super::artifact::{self, DependencyList};
use super::judgment::judge;
use super::messages::Artifact;
use super::metadata::BuildMetadata;
use super::revisions::Revisions;
use super::wrap::report;
use crate::args::CargoArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::InputSource;

/// The packages of the binaries.
#[derive(Default)]
pub struct Packages {
    by_manifest: BTreeMap<PathBuf, (Project, BuildMetadata)>,
    /// The edits of the binaries, by path.
    edits: BTreeMap<PathBuf, ArtifactEdit>,
}

/// The metadata of one binary.
struct ArtifactEdit {
    edit: Edit,
    /// Whether the binary had the metadata when Cargo finished.
    is_up_to_date: bool,
}

impl Packages {
    /// Reads the metadata of a binary. `dependencies` lists those of a new binary.
    pub fn add(
        &mut self,
        args: &CargoArgs,
        artifact: &Artifact,
        revisions: &mut Revisions,
        dependencies: impl FnOnce() -> Result<Vec<u8>, Failure>,
    ) -> Result<(), Failure> {
        let mut edit = self.metadata(args, artifact, revisions)?.edit.clone();
        // Cargo would write a lock file beside the manifest of a package from a registry.
        if args.audit && artifact.is_local {
            edit = add_dependencies(edit, artifact, dependencies)?;
        }
        let is_up_to_date = artifact::is_up_to_date(artifact, &edit);
        self.edits.insert(artifact.path.clone(), ArtifactEdit { edit, is_up_to_date });
        Ok(())
    }

    /// The metadata of a binary's package, which is read once.
    fn metadata(
        &mut self,
        args: &CargoArgs,
        artifact: &Artifact,
        revisions: &mut Revisions,
    ) -> Result<&BuildMetadata, Failure> {
        let entry = match self.by_manifest.entry(artifact.manifest.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let project = Project::open(&artifact.manifest)?;
                let directory = artifact.manifest.parent().filter(|_| artifact.is_local);
                let metadata = BuildMetadata::new(&args.build, Some(&project), directory, revisions)?;
                entry.insert((project, metadata))
            }
        };
        Ok(&entry.1)
    }

    pub fn print_notes(&self, output: &mut Output) {
        for (_, metadata) in self.by_manifest.values() {
            metadata.print_notes(output);
        }
    }

    /// Sets the metadata of these binaries. A failure does not stop the others.
    pub fn set_all<'a>(
        &self,
        artifacts: impl IntoIterator<Item = &'a Artifact>,
        output: &mut Output,
    ) -> Result<Changed, Failure> {
        let mut changed = Changed { exit: Exit::Done, is_any_changed: false };
        for artifact in artifacts {
            let source = InputSource::for_path(&artifact.path);
            let ArtifactEdit { edit, is_up_to_date } = &self.edits[&artifact.path];
            match if *is_up_to_date { Ok(0) } else { artifact::set(artifact, edit, output) } {
                Ok(sections) => {
                    changed.is_any_changed |= sections > 0;
                    report(&source, sections, output);
                }
                Err(failure @ Failure::Output(_)) => return Err(failure),
                Err(failure) => {
                    output.print_failure(&source, &failure);
                    changed.exit = Exit::Failed;
                }
            }
        }
        Ok(changed)
    }

    pub fn judge(&self, args: &CargoArgs, artifacts: &[Artifact], output: &mut Output) -> Result<Exit, Failure> {
        let mut worst = Exit::Done;
        for artifact in artifacts {
            let (project, _) = &self.by_manifest[&artifact.manifest];
            let source = InputSource::for_path(&artifact.path);
            worst = worst.max(judge(&args.build.policy, Some(project), &source, output)?);
        }
        Ok(worst)
    }
}

/// The result of setting the metadata of several binaries.
pub struct Changed {
    pub exit: Exit,
    pub is_any_changed: bool,
}

/// Adds the list of dependencies, unless the compiler added one.
fn add_dependencies(
    edit: Edit,
    artifact: &Artifact,
    dependencies: impl FnOnce() -> Result<Vec<u8>, Failure>,
) -> Result<Edit, Failure> {
    // A binary that cannot be read is reported when its metadata is set.
    let Ok(found) = DependencyList::find(artifact) else { return Ok(edit) };
    let list = match found {
        DependencyList::Compiler => return Ok(edit),
        DependencyList::Current(list) => list,
        DependencyList::None => dependencies()?,
    };
    Ok(edit.put(artifact::DEPENDENCIES, list)?)
}
