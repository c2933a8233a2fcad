//! A binary as a Wasm OCI artifact: the exact bytes of its config and its manifest.

use std::io;

use super::config::Config;
use super::descriptor::{CONFIG, LAYER, MANIFEST, MAX_MANIFEST};
use super::manifest::Manifest;
use super::{AnnotationError, AnnotationOptions, Annotations, Descriptor, TITLE, annotations};
use crate::digest::{Digest, Hasher};
use crate::drive::{self, ReadAt};
use crate::error::Error;
use crate::escape::{is_deceptive, quoted};
use crate::interface::{self, Along};
use crate::limits::Limits;
use crate::metadata::{Field, Reader};
use crate::read::outcome;
use crate::splice::Plan;
use crate::store::Input;

/// What is wanted of an image beside what the binary says.
///
/// ```
/// use sectile::oci::{AnnotationOptions, ImageOptions};
///
/// let annotations = AnnotationOptions::new().set("org.opencontainers.image.vendor", "Example Ltd")?;
/// let options = ImageOptions { annotations, os: Some("wasip3".to_owned()), ..Default::default() };
/// # _ = options;
/// # Ok::<(), sectile::oci::AnnotationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// The manifest's annotations. The config's `created` is the annotation of that name; without one it is the epoch,
    /// which says that nobody knows.
    pub annotations: AnnotationOptions,
    /// The config's `author`; `None` for what the annotation `authors` says, if there is one.
    pub author: Option<String>,
    /// The config's `os`; `None` for `wasip1` of a module and `wasip2` of a component.
    pub os: Option<String>,
    /// The world that a component was made for, as the config's `target`; `None` to leave it out.
    pub target: Option<String>,
    /// What the layer's file is called by tools that write it to disk; `None` for the title and `.wasm`, if that can be
    /// the name of a file.
    pub file_name: Option<String>,
}

/// Why there is no image of a binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The binary is not WebAssembly, or cannot be read to its end.
    #[error("the binary cannot be read")]
    Read(#[from] Error),
    /// What it says of itself cannot be annotations.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// What it imports and exports cannot be told.
    #[error("imports and exports cannot be read: {0}")]
    Interface(String),
    /// A text that cannot stand where it is to stand.
    #[error("{} cannot be the {what}", quoted(value))]
    #[non_exhaustive]
    Text {
        /// What it was to be.
        what: &'static str,
        /// The text.
        value: String,
    },
    /// The manifest would be larger than registries take.
    #[error("with these annotations, the manifest has {0} bytes, and registries take {MAX_MANIFEST}: shorten them")]
    TooLarge(u64),
    /// The plan was made for another source, or for another state of it.
    #[error("the plan was made for another file, or for another state of it")]
    OtherSource,
    /// The file was written to meanwhile.
    #[error("the file was changed while it was read")]
    Changed,
    /// The bytes could not be had.
    #[error("the file cannot be read")]
    Io(#[source] io::Error),
}

/// What an image says, before its layer was hashed: of that, nothing but the metadata and the interface was read.
#[derive(Clone, Debug)]
pub struct Draft {
    annotations: Annotations,
    config: Config,
    file_name: Option<String>,
}

impl Draft {
    /// Reads what a plan makes of the input that it was made for.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn read(input: &Input, plan: &Plan, options: &ImageOptions, limits: Limits) -> Result<Self, ImageError> {
        if !plan.is_for(input) {
            return Err(ImageError::OtherSource);
        }
        let draft = Self::read_at(&plan.reader(input), plan.len(), options, limits);
        check_unchanged(input)?;
        draft
    }

    /// Reads `len` bytes of anything with positioned reads.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn read_at<R: ReadAt + ?Sized>(
        source: &R,
        len: u64,
        options: &ImageOptions,
        limits: Limits,
    ) -> Result<Self, ImageError> {
        let mut along = Along::new(Reader::copying(limits), Some(interface::Reader::new(limits)));
        let (result, cost) = drive::read_at(source, len, &mut along, limits);
        let interface = along.reader.and_then(interface::Reader::finish);
        let (metadata, interface) = outcome(along.of_custom.finish().zip(interface), result, cost)?.complete()?;
        if let Some(finding) = interface.findings().iter().next() {
            return Err(ImageError::Interface(finding.message.to_string()));
        }
        let annotations = annotations(metadata.root(), &options.annotations)?;
        let of = |field: Field| annotations.get(field.oci_key()).map(|value| &**value);
        let created = of(Field::Created).filter(|created| Field::Created.check(created).is_empty());
        let author = text("author", options.author.as_deref())?.or_else(|| of(Field::Authors));
        let os = text("operating system", options.os.as_deref())?;
        let target = text("target world", options.target.as_deref())?;
        let config = Config::new(&interface, created, author, os, target);
        let file_name = match &options.file_name {
            Some(name) if is_file_name(name) => Some(name.clone()),
            Some(name) => return Err(ImageError::Text { what: "name of a file", value: name.clone() }),
            None => annotations.get(TITLE).and_then(|title| file_name(title)),
        };
        Ok(Self { annotations, config, file_name })
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// The image whose layer has this digest, and so many bytes.
    ///
    /// # Errors
    ///
    /// The annotations are so long that no registry need take the manifest.
    pub fn image(&self, layer: Digest, size: u64) -> Result<Image, ImageError> {
        let config = self.config.to_json(&[layer]);
        let config_descriptor = Descriptor::of(CONFIG, &config);
        let mut layer = Descriptor::new(LAYER, layer, size);
        if let Some(name) = &self.file_name {
            layer = layer.annotated(TITLE, name);
        }
        let manifest = Manifest {
            artifact_type: None, // the config's media type says it
            config: &config_descriptor,
            layers: std::slice::from_ref(&layer),
            subject: None,
            annotations: &self.annotations,
        };
        let manifest = manifest.to_json();
        if manifest.len() as u64 > MAX_MANIFEST {
            return Err(ImageError::TooLarge(manifest.len() as u64));
        }
        let descriptor = Descriptor::of(MANIFEST, &manifest);
        let annotations = self.annotations.clone();
        Ok(Image { manifest, descriptor, config, config_descriptor, layer, annotations })
    }
}

/// A Wasm OCI artifact: one layer, which is the binary as it is, and what is said of it. The same binary and options give
/// the same bytes.
///
/// ```no_run
/// use sectile::{Input, Limits, edit::Edit, oci::{Image, ImageOptions}};
///
/// let input = Input::open("app.wasm")?;
/// let plan = Edit::new().plan(&input, Limits::default())?.plan; // as it is
/// let image = Image::of(&input, &plan, &ImageOptions::default(), Limits::default())?;
/// println!("{}", image.descriptor().digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    manifest: Vec<u8>,
    descriptor: Descriptor,
    config: Vec<u8>,
    config_descriptor: Descriptor,
    layer: Descriptor,
    annotations: Annotations,
}

impl Image {
    /// The image of what a plan makes of the input that it was made for, all of which is read and hashed, once.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn of(input: &Input, plan: &Plan, options: &ImageOptions, limits: Limits) -> Result<Self, ImageError> {
        let draft = Draft::read(input, plan, options, limits)?;
        let mut hasher = Hasher::new();
        plan.write_to(input, &mut hasher).map_err(ImageError::Io)?;
        check_unchanged(input)?;
        draft.image(hasher.finish(), plan.len())
    }

    /// The bytes of the manifest.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// What points to the manifest: the image's digest is the manifest's.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The bytes of the config.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// What points to the config.
    pub fn config_descriptor(&self) -> &Descriptor {
        &self.config_descriptor
    }

    /// What points to the layer, whose bytes are what the plan makes.
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }
}

pub(super) fn check_unchanged(input: &Input) -> Result<(), ImageError> {
    match input.changed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(ImageError::Changed),
        Err(error) => Err(ImageError::Io(error)),
    }
}

/// An option that is given, if it says something in one line.
fn text<'a>(what: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, ImageError> {
    match value {
        Some(value) if value.trim().is_empty() || value.chars().any(is_deceptive) => {
            Err(ImageError::Text { what, value: value.to_owned() })
        }
        value => Ok(value),
    }
}

/// What the file of a binary with this title is called, if that can be the name of a file.
fn file_name(title: &str) -> Option<String> {
    const EXTENSION: &str = ".wasm";
    let has_extension = title.to_ascii_lowercase().ends_with(EXTENSION);
    let name = if has_extension { title.to_owned() } else { format!("{title}{EXTENSION}") };
    is_file_name(&name).then_some(name)
}

/// Whether a text names a file in the directory that it is written to, on every system.
fn is_file_name(name: &str) -> bool {
    const LONGEST: usize = 255;
    let is_odd = |character: char| is_deceptive(character) || r#"/\:*?"<>|"#.contains(character);
    (1..=LONGEST).contains(&name.len())
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !name.contains(is_odd)
        && !is_device(name)
}

/// Whether a name means a device on Windows, as `nul.wasm` does. Source: *Naming Files, Paths, and Namespaces* in the
/// documentation of its file system.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let is_number = |text: &str| {
        text.chars().count() == 1 && text.chars().all(|digit| digit.is_ascii_digit() || "¹²³".contains(digit))
    };
    matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL") || port.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_are_names_of_files() {
        for (title, expected) in [
            ("adder", Some("adder.wasm")),
            ("adder.wasm", Some("adder.wasm")),
            ("my app", Some("my app.wasm")),
            ("größe", Some("größe.wasm")),
            ("../../etc/passwd", None),
            (r"..\x", None),
            ("a/b", None),
            ("C:adder", None),
            (".hidden", None),
            ("-rf", None),
            ("a\nb", None),
            ("nul", None),
            ("Com1", None),
            ("con .x", None),
            ("console", Some("console.wasm")),
        ] {
            assert_eq!(file_name(title).as_deref(), expected, "{title}");
        }
        assert_eq!(file_name(&"a".repeat(255)), None);
    }
}
