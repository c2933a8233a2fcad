//! Images: the exact bytes of the config and the manifest of a Wasm OCI artifact.

use std::io;

use crate::binary_layer::BinaryLayer;
use crate::config::{ContainerConfig, ImageConfig, ProxyConfig, WasmConfig};
use crate::descriptor::{MANIFEST_MEDIA_TYPE, MAX_MANIFEST_SIZE};
use crate::hashing_writer::HashingWriter;
use crate::manifest::Manifest;
use crate::shape::{COMPAT_ANNOTATION, media_type};
use crate::{AnnotationError, AnnotationOptions, Annotations, Descriptor, TITLE_KEY, WrittenShape, annotations};
use sectile::digest::Digest;
use sectile::drive::{self, ReadAt};
use sectile::interface::CombinedReader;
use sectile::internal::{is_deceptive, is_plan_for, quoted};
use sectile::metadata::Field;
use sectile::scan::ItemKind;
use sectile::splice::Plan;
use sectile::{Error, Input, Limits};

/// Options of an [`Image`].
///
/// ```
/// use sectile_oci::{AnnotationOptions, ImageOptions};
///
/// let annotations =
///     AnnotationOptions::new().with_annotation("org.opencontainers.image.vendor", "Example Ltd")?;
/// let options = ImageOptions { annotations, os: Some("wasip3".to_owned()), ..Default::default() };
/// # _ = options;
/// # Ok::<(), sectile_oci::AnnotationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// Options of the manifest's annotations. The config's `created` is the value of the annotation
    /// for [`Field::Created`], or the Unix epoch without that annotation.
    pub annotations: AnnotationOptions,
    /// The shape.
    pub shape: WrittenShape,
    /// The config's `author`. `None` uses the value of the `authors` annotation, if present.
    pub author: Option<String>,
    /// The config's `os`. `None` uses `wasip1` for a module and `wasip2` for a component.
    pub os: Option<String>,
    /// The config's `target`: the world that a component targets. `None` omits it.
    pub target: Option<String>,
    /// The file name of the layer on disk. `None` uses the title with `.wasm`, if that is a valid
    /// file name.
    pub file_name: Option<String>,
    /// Limits for reading the binary.
    pub limits: Limits,
}

/// The reason why an image of a binary cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The binary is not WebAssembly, or cannot be read to its end.
    #[error("cannot read the binary")]
    Read(#[from] Error),
    /// The metadata cannot be converted to annotations.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// The imports and exports cannot be read.
    #[error("cannot read imports and exports: {0}")]
    Interface(String),
    /// The value of an option is invalid.
    #[error("{} is not a valid {option}", quoted(value))]
    #[non_exhaustive]
    InvalidText {
        /// The option.
        option: &'static str,
        /// The value.
        value: String,
    },
    /// The shape has no place for the value of an option.
    #[error("an image of the shape `{}` has no {option}: omit it", shape.name())]
    #[non_exhaustive]
    UnusedOption {
        /// The option.
        option: &'static str,
        /// The shape.
        shape: WrittenShape,
    },
    /// The binary is a component, and the consumers of the shape load modules only.
    #[error("the binary is a component, and consumers of the shape `{}` load modules only: use the shape `cncf`", .0.name())]
    Component(WrittenShape),
    /// The manifest is larger than registries accept.
    #[error("the manifest has {0} bytes, but registries accept at most {MAX_MANIFEST_SIZE}: shorten the annotations")]
    TooLarge(u64),
    /// The plan is for another source, or another state of the source.
    #[error("the plan was made for another file, or for another state of it")]
    OtherSource,
    /// The file changed while it was read.
    #[error("the file changed while it was read")]
    Changed,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Io(#[source] io::Error),
}

/// An image without the digest and the size of its layer. Its creation reads only the metadata and
/// the interface of the binary.
#[derive(Clone, Debug)]
pub struct ImageDraft {
    shape: WrittenShape,
    annotations: Annotations,
    config: ImageConfig,
    file_name: Option<String>,
}

impl ImageDraft {
    /// Reads the binary that results from a plan for an input.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn read(input: &Input, plan: &Plan, options: &ImageOptions) -> Result<Self, ImageError> {
        if !is_plan_for(plan, input) {
            return Err(ImageError::OtherSource);
        }
        let draft = Self::read_at(&plan.reader(input), plan.len(), options);
        check_unchanged(input)?;
        draft
    }

    /// Reads `len` bytes of a source with positioned reads.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, options: &ImageOptions) -> Result<Self, ImageError> {
        let reader = CombinedReader::with_limits(options.limits);
        let (metadata, interface) = drive::collect_at(source, len, reader).complete()?;
        if let Some(finding) = interface.findings().iter().next() {
            return Err(ImageError::Interface(finding.message().to_owned()));
        }
        let shape = options.shape;
        if shape.is_for_modules() && interface.kind() == ItemKind::Component {
            return Err(ImageError::Component(shape));
        }
        check_options(options)?;
        let mut annotations = annotations(metadata.root(), &options.annotations)?;
        let annotation = |field: Field| annotations.get(field.oci_key()).map(|value| &**value);
        let created = annotation(Field::Created).filter(|created| Field::Created.check(created).is_empty());
        let author = checked_option("author", options.author.as_deref())?.or_else(|| annotation(Field::Authors));
        let os = checked_option("operating system", options.os.as_deref())?;
        let target = checked_option("target world", options.target.as_deref())?;
        let config = match shape {
            WrittenShape::Cncf => ImageConfig::Wasm(WasmConfig::new(&interface, created, author, os, target)),
            WrittenShape::Envoy => ImageConfig::Proxy(ProxyConfig::new(&interface)),
            WrittenShape::Compat => ImageConfig::Container(ContainerConfig::new(created, author, os)),
        };
        let file_name = match &options.file_name {
            Some(name) if is_file_name(name) => Some(name.clone()),
            Some(name) => {
                return Err(ImageError::InvalidText { option: "file name", value: name.clone() });
            }
            None if shape == WrittenShape::Compat => None,
            None => annotations.get(TITLE_KEY).and_then(|title| file_name(title)),
        };
        if shape == WrittenShape::Compat {
            let (key, value) = COMPAT_ANNOTATION;
            annotations.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
        Ok(Self { shape, annotations, config, file_name })
    }

    /// Returns the manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// Creates the image whose layer with the binary has this digest and this size in bytes.
    /// `unpacked` is the digest of the unpacked layer if the shape has a packed one.
    ///
    /// # Errors
    ///
    /// The manifest would be larger than registries accept, because of its annotations.
    pub fn image(&self, layer: Digest, size: u64, unpacked: Option<Digest>) -> Result<Image, ImageError> {
        let config = self.config.to_json(layer, unpacked.unwrap_or(layer));
        let config_descriptor = Descriptor::for_bytes(self.config.media_type(), &config);
        let layer_type = match self.shape {
            WrittenShape::Cncf => media_type::WASM,
            WrittenShape::Envoy => media_type::ENVOY_WASM,
            WrittenShape::Compat => media_type::TAR_GZIP,
        };
        let mut layer = Descriptor::new(layer_type, layer, size);
        if let Some(name) = &self.file_name {
            layer = layer.with_annotation(TITLE_KEY, name);
        }
        let runtime_config = config_descriptor.clone().with_annotation(TITLE_KEY, RUNTIME_CONFIG_FILE);
        let layers = match self.shape {
            WrittenShape::Envoy => vec![runtime_config, layer.clone()],
            WrittenShape::Cncf | WrittenShape::Compat => vec![layer.clone()],
        };
        let manifest = Manifest {
            artifact_type: None, // the media type of the config determines it
            config: &config_descriptor,
            layers: &layers,
            subject: None,
            annotations: &self.annotations,
        };
        let manifest = manifest.to_json();
        if manifest.len() as u64 > MAX_MANIFEST_SIZE {
            return Err(ImageError::TooLarge(manifest.len() as u64));
        }
        let descriptor = Descriptor::for_bytes(MANIFEST_MEDIA_TYPE, &manifest);
        let annotations = self.annotations.clone();
        Ok(Image { shape: self.shape, manifest, descriptor, config, config_descriptor, layer, annotations })
    }
}

/// The file name of the config that is a layer too.
const RUNTIME_CONFIG_FILE: &str = "runtime-config.json";

/// An image of a binary: by default, a Wasm OCI artifact with the binary as its only layer.
///
/// Equal binaries and options give equal bytes.
///
/// ```no_run
/// use sectile::{Input, splice::Plan};
/// use sectile_oci::{Image, ImageOptions};
///
/// let input = Input::open("app.wasm")?;
/// let image = Image::new(&input, &Plan::identity(&input), &ImageOptions::default())?;
/// println!("{}", image.descriptor().digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    shape: WrittenShape,
    manifest: Vec<u8>,
    descriptor: Descriptor,
    config: Vec<u8>,
    config_descriptor: Descriptor,
    layer: Descriptor,
    annotations: Annotations,
}

impl Image {
    /// Creates the image of the binary that results from a plan for an input. Reads that binary
    /// completely to hash it.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn new(input: &Input, plan: &Plan, options: &ImageOptions) -> Result<Self, ImageError> {
        let draft = ImageDraft::read(input, plan, options)?;
        let mut out = HashingWriter::new(io::sink());
        let layer = BinaryLayer { shape: options.shape, input, plan };
        let unpacked = layer.write_to(&mut out).map_err(ImageError::Io)?;
        check_unchanged(input)?;
        let (digest, size) = out.finish();
        draft.image(digest, size, unpacked)
    }

    /// Returns the shape.
    pub fn shape(&self) -> WrittenShape {
        self.shape
    }

    /// Returns the bytes of the manifest.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Returns the descriptor of the manifest. Its digest is the image's digest.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns the bytes of the config.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// Returns the descriptor of the config.
    pub fn config_descriptor(&self) -> &Descriptor {
        &self.config_descriptor
    }

    /// Returns the descriptor of the layer with the binary.
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// Returns the manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }
}

pub(crate) fn check_unchanged(input: &Input) -> Result<(), ImageError> {
    match input.changed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(ImageError::Changed),
        Err(error) => Err(ImageError::Io(error)),
    }
}

/// Checks that the shape has a place for the options that are given.
fn check_options(options: &ImageOptions) -> Result<(), ImageError> {
    let shape = options.shape;
    let (is_envoy, is_compat) = (shape == WrittenShape::Envoy, shape == WrittenShape::Compat);
    for (option, is_given, is_unused) in [
        ("author", options.author.is_some(), is_envoy),
        ("operating system", options.os.is_some(), is_envoy),
        ("target world", options.target.is_some(), is_envoy || is_compat),
        ("file name", options.file_name.is_some(), is_compat),
    ] {
        if is_given && is_unused {
            return Err(ImageError::UnusedOption { option, shape });
        }
    }
    Ok(())
}

/// Returns the value of an option, which must be one line of visible text.
fn checked_option<'a>(option: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, ImageError> {
    match value {
        Some(value) if value.trim().is_empty() || value.chars().any(is_deceptive) => {
            Err(ImageError::InvalidText { option, value: value.to_owned() })
        }
        value => Ok(value),
    }
}

/// Returns the file name for a binary with this title; `None` if it is not a valid file name.
fn file_name(title: &str) -> Option<String> {
    const EXTENSION: &str = ".wasm";
    let has_extension = title.to_ascii_lowercase().ends_with(EXTENSION);
    let name = if has_extension { title.to_owned() } else { format!("{title}{EXTENSION}") };
    is_file_name(&name).then_some(name)
}

/// Returns whether a text is a valid file name without a directory on every system.
fn is_file_name(name: &str) -> bool {
    const MAX_LEN: usize = 255;
    let is_forbidden = |character: char| is_deceptive(character) || r#"/\:*?"<>|"#.contains(character);
    (1..=MAX_LEN).contains(&name.len())
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !name.contains(is_forbidden)
        && !is_device(name)
}

/// Returns whether a file name is a device on Windows, such as `nul.wasm`. Source: *Naming Files,
/// Paths, and Namespaces* in the Windows documentation.
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
    fn titles_become_valid_file_names() {
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
