//! Licenses of items, as the formats express them.

use std::borrow::Cow;

use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::internal::{corrected_license, differs_in_case, states_no_license};
use sectile::metadata::Field;

/// The value of a `licenses` annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum License<'t> {
    /// No license is known: `NONE` or `NOASSERTION`.
    Unknown(Cow<'t, str>),
    /// An SPDX license expression. Its identifiers have the case of the SPDX list.
    Expression(Cow<'t, str>),
    /// Another text.
    Text(&'t str),
}

impl<'t> License<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let listed = match corrected_license(text).filter(|_| differs_in_case(text)) {
            Some(listed) => Cow::Owned(listed),
            None => Cow::Borrowed(text.trim_matches(' ')),
        };
        let is_minor = |code| matches!(code, FindingCode::DeprecatedLicense);
        if !Field::Licenses.check(&listed).iter().all(|error| is_minor(error.code())) {
            Self::Text(text)
        } else if states_no_license(&listed) {
            Self::Unknown(listed)
        } else {
            Self::Expression(listed)
        }
    }

    /// The license as an SPDX document declares it, and the texts that the document then needs:
    /// identifier and text.
    pub(crate) fn declared(&self) -> (Cow<'_, str>, Vec<(String, &str)>) {
        match self {
            Self::Unknown(text) => (Cow::Borrowed(text), Vec::new()),
            Self::Expression(text) if RESERVED.iter().any(|word| text.contains(word)) => custom(text),
            Self::Expression(text) => {
                let words = text.split([' ', '(', ')']).filter(|word| word.starts_with("LicenseRef-"));
                let texts = words.map(|word| (word.trim_end_matches('+').to_owned(), NO_TEXT)).collect();
                (Cow::Borrowed(text), texts)
            }
            Self::Text(text) => custom(text),
        }
    }
}

/// The identifiers that are not declared as written: those of another document, those of SPDX 3, and those
/// of texts.
const RESERVED: [&str; 3] = ["DocumentRef-", "AdditionRef-", "LicenseRef-sectile-"];

/// The text of a license that the binary only names.
const NO_TEXT: &str = "The text of the license is not in the binary.";

/// A license with this text, whose identifier is derived from it.
fn custom(text: &str) -> (Cow<'_, str>, Vec<(String, &str)>) {
    let mut id = Digest::new(text.as_bytes()).hex();
    id.truncate(16);
    let id = format!("LicenseRef-sectile-{id}");
    (Cow::Owned(id.clone()), vec![(id, text)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licenses_are_expressions_or_texts() {
        let expression = |text: &'static str| License::Expression(text.into());
        assert_eq!(License::new("MIT OR Apache-2.0"), expression("MIT OR Apache-2.0"));
        assert_eq!(License::new("mit"), expression("MIT"));
        assert_eq!(License::new("GPL-2.0"), expression("GPL-2.0"));
        assert_eq!(License::new("NONE"), License::Unknown("NONE".into()));
        for text in ["MIT/Apache-2.0", "our own", "", "MIT\u{202e}"] {
            assert_eq!(License::new(text), License::Text(text));
        }
    }

    #[test]
    fn texts_get_identifiers() {
        let declared = |text| {
            let license = License::new(text);
            let (id, texts) = license.declared();
            (id.into_owned(), texts.into_iter().map(|(id, text)| (id, text.to_owned())).collect::<Vec<_>>())
        };
        assert_eq!(declared("MIT"), ("MIT".to_owned(), vec![]));
        assert_eq!(declared("NONE"), ("NONE".to_owned(), vec![]));
        let (id, texts) = declared("our own");
        assert_eq!(texts, [(id.clone(), "our own".to_owned())]);
        assert!(id.starts_with("LicenseRef-sectile-") && id.len() == 35, "{id}");
        let (id, texts) = declared("MIT OR LicenseRef-Ours");
        assert_eq!((&*id, &*texts[0].0), ("MIT OR LicenseRef-Ours", "LicenseRef-Ours"));
        assert!(declared("DocumentRef-a:LicenseRef-b").0.starts_with("LicenseRef-sectile-"));
    }
}
