//! The edit of a build: options, the environment, manifests and Git, in this order of precedence.

use std::env;
use std::path::{Path, PathBuf};

use sectile::internal::edits_section;
use sectile::{Edit, Escaped, Field, Glob};
use sectile_manifest::{Project, SectionData};

use super::revisions::Revisions;
use crate::args::BuildArgs;
use crate::build_edit::apply_options;
use crate::display::escaped;
use crate::failure::Failure;
use crate::git;
use crate::output::Output;
use crate::settings::field_variable;
use crate::timestamp;

/// The metadata of one package.
pub struct BuildMetadata {
    pub edit: Edit,
    /// Notes about expected values that are missing.
    notes: Vec<String>,
    /// Notes about values that are used in another form.
    details: Vec<String>,
}

impl BuildMetadata {
    /// Reads the metadata of a package. `source` is the directory whose Git revision is used; `None`
    /// if the package is not in a work tree of its own.
    pub fn new(
        args: &BuildArgs,
        project: Option<&Project>,
        source: Option<&Path>,
        revisions: &mut Revisions,
    ) -> Result<Self, Failure> {
        let (mut notes, mut details) = (Vec::new(), Vec::new());
        let mut edit = apply_options(Edit::new(), &args.metadata)?;
        edit = apply_environment(edit, args.metadata.allow_invalid)?;
        let is_set = edits_section(&edit, Field::Revision.section());
        let source = source.filter(|_| !args.no_git && !is_set);
        let is_required = args.metadata.revision_from_git;
        let in_manifest = project.is_some_and(|project| project.sets(Field::Revision));
        let by_default = project.and_then(|project| project.settings().revision_from_git).unwrap_or(true);
        if let Some(source) = source.filter(|_| is_required || by_default && !in_manifest)
            && let Some(revision) = revision(source, is_required, revisions, &mut notes)?
        {
            edit = edit.set(Field::Revision, revision)?;
        }
        if let Some(project) = project {
            edit = if args.metadata.allow_invalid { project.add_unchecked_to(edit) } else { project.add_to(edit) }?;
            details.extend(project.notices().map(|notice| format!("{}: {notice}", notice.kind.name())));
            for (name, data) in &project.settings().sections {
                edit = edit.put(name, section_data(name, data)?)?;
            }
        }
        Ok(Self { edit: strip(edit, args, project)?, notes, details })
    }

    /// Prints notes about the values.
    pub fn print_notes(&self, output: &mut Output) {
        for note in &self.notes {
            output.print_note(None, note);
        }
        for detail in &self.details {
            output.print_detail(None, detail);
        }
    }
}

/// Sets the fields that the environment defines and no option sets.
fn apply_environment(mut edit: Edit, allow_invalid: bool) -> Result<Edit, Failure> {
    for field in Field::ALL {
        if edits_section(&edit, field.section()) {
            continue;
        }
        let variable = field_variable(field);
        let value = match env::var_os(&variable).filter(|value| !value.is_empty()) {
            Some(value) => {
                value.into_string().map(Some).map_err(|_| Failure::Other(format!("{variable}: not UTF-8")))?
            }
            None if field == Field::Created => timestamp::source_date_epoch()?.map(|time| time.to_string()),
            None => None,
        };
        if let Some(value) = value {
            let set = if allow_invalid { edit.set_unchecked(field, value) } else { edit.set(field, value) };
            edit = set.map_err(|error| Failure::Variable(variable, error))?;
        }
    }
    Ok(edit)
}

/// The revision from Git. A directory without a commit is an error only if the revision is
/// required.
fn revision(
    source: &Path,
    is_required: bool,
    revisions: &mut Revisions,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Failure> {
    match revisions.find(source) {
        Ok(revision) => Ok(Some(revision.to_string())),
        Err(error) if is_required => Err(error.into()),
        Err(error) if git::has_no_commit(&error) => Ok(None),
        Err(error) => {
            notes.push(format!("no revision from Git: {}", Failure::Git(error)));
            Ok(None)
        }
    }
}

fn section_data(name: &str, data: &SectionData) -> Result<Vec<u8>, Failure> {
    match data {
        SectionData::Text(text) => Ok(text.clone().into_bytes()),
        SectionData::File(path) => std::fs::read(path).map_err(|error| {
            let (name, path) = (Escaped::new(name), escaped(path.as_os_str()));
            Failure::Other(format!("{path}: the data of section `{name}` cannot be read: {error}"))
        }),
        _ => Ok(Vec::new()),
    }
}

/// Adds the strip profile. It keeps the sections that the build itself adds.
fn strip(edit: Edit, args: &BuildArgs, project: Option<&Project>) -> Result<Edit, Failure> {
    let profile = args.strip.or_else(|| project.and_then(|project| project.settings().strip));
    let Some(mut strip) = profile.and_then(sectile_manifest::StripProfile::strip) else { return Ok(edit) };
    for (name, _) in project.into_iter().flat_map(|project| &project.settings().sections) {
        let literal: String = name
            .chars()
            .map(|each| if "*?[".contains(each) { format!("[{each}]") } else { each.to_string() })
            .collect();
        let glob = Glob::new(&literal).map_err(|error| Failure::Other(error.to_string()))?;
        strip = strip.keep(glob);
    }
    Ok(edit.strip(strip))
}

/// The policy of the project, used if no option names one.
pub fn project_policy(project: Option<&Project>) -> Option<PathBuf> {
    project.and_then(|project| project.settings().policy.clone())
}
