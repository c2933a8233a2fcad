//! Options of a walk.

#[cfg(any(feature = "registry", feature = "remote"))]
use sectile::drive::FetchOptions;

/// Options of a walk: the files to visit, and the limits on archives.
///
/// ```
/// let mut options = sectile_audit::WalkOptions::default();
/// options.ignore_rules = true;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkOptions {
    /// Whether to skip the files that `.gitignore` and `.ignore` exclude, in the tree and in its directories up to the
    /// root. Off by default.
    pub ignore_rules: bool,
    /// Whether to stay on the file system of the root. Off by default.
    pub same_file_system: bool,
    /// Whether to search files that are neither binaries nor archives for binaries. Only local files by default.
    pub inside: InsideSearch,
    /// Maximum nesting of archives; 4 by default, and at most [`NESTING_LIMIT`](WalkOptions::NESTING_LIMIT). With 0,
    /// archives are not opened.
    ///
    /// A compressed tar counts as one archive. A file that is compressed twice counts as two.
    pub max_nesting: u32,
    /// Maximum number of bytes that one file inflates to, with all archives in it; 16 GiB by default.
    pub max_inflated: u64,
    /// Maximum number of entries in one file, with all archives in it; 100,000,000 by default.
    pub max_entries: u64,
    /// Maximum number of bytes held in memory for one file, with all archives in it; 128 MiB by default, the largest
    /// window of the program `zstd`.
    ///
    /// It limits the Zstandard windows, and the zips inside other archives, which need random access.
    pub max_held_bytes: u64,
    /// Maximum number of rows for one file, with all archives in it; 100,000 by default.
    pub max_rows: u64,
    /// Number of bytes of names, values and messages in the rows for one file, with all archives in it. After that, the
    /// file has no further rows. 64 MiB by default.
    pub max_row_bytes: u64,
    /// Number of remote objects to read at once on each thread; 16 by default, and at least one. Their rows are
    /// buffered until it is their turn.
    pub in_flight: usize,
    /// Cost of one more request for a remote object, as the number of bytes that could be transferred instead; 256 KiB by
    /// default, and at most [`REQUEST_COST_LIMIT`](WalkOptions::REQUEST_COST_LIMIT).
    ///
    /// An object is requested whole where its first bytes, its last bytes and another request would cost more. The cost is
    /// given and not measured, so that the number of bytes read in a row does not depend on other objects.
    pub request_cost: u64,
}

/// Whether an audit searches files that are neither binaries nor archives for binaries, such as Base64 in a script.
///
/// Such a search reads whole files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsideSearch {
    /// In local files and in the entries of local archives.
    #[default]
    Local,
    /// Also in objects of remote stores and in layers of registries.
    Always,
    /// Nowhere.
    Never,
}

impl InsideSearch {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Local, Self::Always, Self::Never];

    /// The name in the output: `local`, `always` or `never`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    pub(super) fn searches(self, is_local: bool) -> bool {
        self == Self::Always || (self == Self::Local && is_local)
    }
}

impl WalkOptions {
    /// Upper bound of [`max_nesting`](Self::max_nesting).
    pub const NESTING_LIMIT: u32 = 32;

    /// Upper bound of [`request_cost`](Self::request_cost): 16 MiB. The objects in flight are held in memory.
    pub const REQUEST_COST_LIMIT: u64 = 16 << 20;

    /// The options of requests for one object.
    #[cfg(any(feature = "registry", feature = "remote"))]
    pub(crate) fn fetch_options(&self) -> FetchOptions {
        FetchOptions::default().with_request_cost(self.request_cost.min(Self::REQUEST_COST_LIMIT))
    }
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            ignore_rules: false,
            same_file_system: false,
            inside: InsideSearch::default(),
            max_nesting: 4,
            max_inflated: 16 << 30,
            max_entries: 100_000_000,
            max_held_bytes: 128 << 20,
            max_rows: 100_000,
            max_row_bytes: 64 << 20,
            in_flight: 16,
            request_cost: 256 << 10,
        }
    }
}
