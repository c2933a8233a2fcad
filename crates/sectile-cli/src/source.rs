//! FILE arguments, resolved.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use sectile_oci::registry::Reference;
use sectile_oci::{LayoutError, Locator, Platform};

/// The input that a FILE argument names, and the name to show for it.
#[derive(Clone, Debug)]
pub struct InputSource {
    argument: OsString,
    name: OsString,
    location: InputLocation,
    platform: Option<Platform>,
}

/// Where an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputLocation {
    Stdin,
    File,
    /// An image in a layout on disk.
    LayoutImage,
    /// An image in a registry, as `HOST/REPOSITORY[:TAG|@DIGEST]`.
    RegistryImage(String),
    /// A URL other than an image in a registry.
    Url(String),
}

impl InputSource {
    pub fn new(argument: OsString) -> Self {
        let location = match as_url(&argument) {
            Some(url) => registry_image(url).map_or_else(
                || InputLocation::Url(url.to_owned()),
                |image| InputLocation::RegistryImage(image.to_owned()),
            ),
            None if argument == "-" => InputLocation::Stdin,
            None if Locator::parse(&argument).is_some() => InputLocation::LayoutImage,
            None => InputLocation::File,
        };
        Self { name: display_name(&argument).into_owned(), argument, location, platform: None }
    }

    /// As [`new`](Self::new), for the commands of `oci`: an image in a registry does not need
    /// `oci://`, unless a file has its name.
    pub fn for_oci(argument: OsString) -> Self {
        let names_image = |text: &str| {
            let reference = text.parse::<Reference>();
            reference.is_ok_and(|reference| reference.tag().is_some() || reference.digest().is_some())
        };
        match argument.to_str() {
            Some(text) if names_image(text) && !Path::new(text).exists() => Self::new(format!("oci://{text}").into()),
            _ => Self::new(argument),
        }
    }

    /// Chooses the platform of an image.
    pub fn with_platform(self, platform: Option<Platform>) -> Self {
        Self { platform, ..self }
    }

    /// The requested platform of an image.
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// A local file, regardless of its name.
    pub fn for_path(path: &Path) -> Self {
        Self { argument: path.into(), name: path.into(), location: InputLocation::File, platform: None }
    }

    /// The argument as given. It may contain credentials: do not show it.
    pub fn argument(&self) -> &OsStr {
        &self.argument
    }

    /// The name for reports and messages, without credentials.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The argument as given, if it is a URL.
    pub fn url(&self) -> Option<&str> {
        as_url(&self.argument)
    }

    pub fn location(&self) -> &InputLocation {
        &self.location
    }

    pub fn is_stdin(&self) -> bool {
        self.location == InputLocation::Stdin
    }

    /// Whether it is an image, in a layout or in a registry.
    pub fn is_image(&self) -> bool {
        matches!(self.location, InputLocation::LayoutImage | InputLocation::RegistryImage(_))
    }

    pub fn is_layout_image(&self) -> bool {
        self.location == InputLocation::LayoutImage
    }

    /// The image in a layout that the argument names; `None` for every other argument.
    ///
    /// The layout's directory is looked up on disk.
    pub fn layout_image(&self) -> Option<Result<Locator, LayoutError>> {
        Locator::parse(&self.argument).filter(|_| self.is_layout_image())
    }

    /// The last component of the path. Standard input and images have none.
    pub fn file_name(&self) -> Option<String> {
        let has_path = matches!(self.location, InputLocation::File | InputLocation::Url(_));
        let name = Path::new(&self.name).file_name().filter(|_| has_path)?;
        Some(name.to_string_lossy().into_owned())
    }
}

/// The argument as a URL, if its scheme is supported. Schemes are case-insensitive. Source: RFC
/// 3986, 3.1.
fn as_url(argument: &OsStr) -> Option<&str> {
    const SCHEMES: [&str; 10] = ["s3", "s3a", "gs", "az", "abfs", "abfss", "http", "https", "file", "oci"];
    let argument = argument.to_str()?;
    let (scheme, _) = argument.split_once("://")?;
    SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(argument)
}

/// The argument without the parts of a URL that may hold credentials.
///
/// Removes the query, the fragment, any user with a password, and every user of an HTTP URL.
fn display_name(argument: &OsStr) -> Cow<'_, OsStr> {
    let Some((scheme, rest)) = as_url(argument).and_then(|url| url.split_once("://")) else {
        return Cow::Borrowed(argument);
    };
    let whole = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = whole.split_at(whole.find('/').unwrap_or(whole.len()));
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || scheme.to_ascii_lowercase().starts_with("http") => host,
        _ => authority,
    };
    Cow::Owned(format!("{scheme}://{host}{path}").into())
}

/// The image that a URL of a registry names.
fn registry_image(url: &str) -> Option<&str> {
    let (scheme, image) = url.split_once("://")?;
    scheme.eq_ignore_ascii_case("oci").then_some(image)
}
