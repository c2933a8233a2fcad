//! The packages that a reading finds.

/// Which packages are read: a part of a [`Policy`](super::Policy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packages {
    /// Those that cargo-auditable declares. This costs no extra reading.
    #[default]
    Declared,
    /// Also those that the data sections name, which are read completely.
    All,
}

impl Packages {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Declared, Self::All];

    /// The name in options: `declared` or `all`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::All => "all",
        }
    }
}
