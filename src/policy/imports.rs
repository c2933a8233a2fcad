//! Imports that are refused.

use std::borrow::Cow;

use super::violations::{Broken, Spot};
use crate::edit::Glob;
use crate::escape::quoted;
use crate::finding::Code;
use crate::interface::{Extern, Interface};
use crate::scan::Path;

/// Imports of the root item that are refused, by name: `module.name` in a core module (`env.abort`), the import's own name in
/// a component (`wasi:sockets/tcp@0.2.0`), and the interface that an import under a plain name says it implements.
///
/// What an import section that cannot be read would ask for is not known: then the rule is broken (`not-judged`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imports {
    names: Vec<Glob>,
    except: Vec<Glob>,
}

impl Imports {
    /// Refuses imports of these names.
    pub fn named(names: impl IntoIterator<Item = Glob>) -> Self {
        Self { names: names.into_iter().collect(), except: Vec::new() }
    }

    /// Not those of these names.
    #[must_use]
    pub fn except(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.except.extend(names);
        self
    }

    fn refuses(&self, name: &str) -> bool {
        let has = |names: &[Glob]| names.iter().any(|glob| glob.matches(name));
        has(&self.names) && !has(&self.except)
    }

    pub(super) fn judge(&self, interface: &Interface, broken: &mut Broken<'_>) {
        for import in interface.imports() {
            let refused = names(import).find(|name| self.refuses(name));
            if let Some(name) = refused {
                let why = || format!("the import {} ({}) is refused", quoted(&name), import.kind().name());
                let spot = Spot { offset: import.offset(), ..Spot::ROOT };
                broken.add(Code::RefusedImport, spot, Path::root, why);
            }
        }
        if interface.findings().iter().any(|finding| finding.code != Code::Changed) {
            broken.not_judged("not all imports could be read");
        }
    }
}

fn names(import: &Extern) -> impl Iterator<Item = Cow<'_, str>> {
    let own = match import.module() {
        Some(module) => format!("{module}.{}", import.name()).into(),
        None => import.name().into(),
    };
    [own].into_iter().chain(import.implements().map(Into::into))
}
