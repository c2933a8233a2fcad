//! Rules about imports.

use std::borrow::Cow;

use super::violations::{Position, RuleViolations};
use sectile::FindingCode;
use sectile::Glob;
use sectile::interface::{Extern, Interface};
use sectile::internal::quoted;
use sectile::scan::ItemPath;

/// Refuses imports of the root item by name.
///
/// The name is `module.name` in a core module (`env.abort`). In a component it is the name of the
/// import (`wasi:sockets/tcp@0.2.0`), and the name of the interface that an import under a plain
/// name implements.
///
/// If an import section cannot be read, the rule cannot be judged (`not-judged`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imports {
    names: Vec<Glob>,
    excluded: Vec<Glob>,
}

impl Imports {
    /// Refuses imports with these names.
    pub fn new(names: impl IntoIterator<Item = Glob>) -> Self {
        Self { names: names.into_iter().collect(), excluded: Vec::new() }
    }

    /// Adds names that are not refused.
    #[must_use]
    pub fn with_excluded_names(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.excluded.extend(names);
        self
    }

    fn refuses(&self, name: &str) -> bool {
        let matches = |names: &[Glob]| names.iter().any(|glob| glob.matches(name));
        matches(&self.names) && !matches(&self.excluded)
    }

    pub(super) fn judge(&self, interface: &Interface, violations: &mut RuleViolations<'_>) {
        for import in interface.imports() {
            let refused = names(import).find(|name| self.refuses(name));
            if let Some(name) = refused {
                let message = || format!("the import {} ({}) is refused", quoted(&name), import.kind().name());
                let position = Position { offset: import.offset(), ..Position::ROOT };
                violations.add(FindingCode::RefusedImport, position, ItemPath::root, message);
            }
        }
        if !interface.is_complete() {
            violations.not_judged("not all imports could be read");
        }
    }
}

/// The names that an import is matched by.
fn names(import: &Extern) -> impl Iterator<Item = Cow<'_, str>> {
    let own = match import.module() {
        Some(module) => format!("{module}.{}", import.name()).into(),
        None => import.name().into(),
    };
    [own].into_iter().chain(import.implements().map(Into::into))
}
