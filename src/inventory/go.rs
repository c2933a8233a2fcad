//! The build information that Go embeds: modules and settings.
//!
//! The linker stores it as text between two markers. Wasm binaries lack the header with the length
//! that other binaries have. Source: `modinfo` in Go's `cmd/go/internal/modload/build.go`, and
//! `ParseBuildInfo` in `runtime/debug/mod.go`.

/// Starts the build information.
pub(super) const MODINFO_START: [u8; 16] =
    [0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6];

/// The part of [`MODINFO_START`] that is searched.
pub(super) const MODINFO_KEY: &[u8] = MODINFO_START.split_at(3).1;

/// Ends the build information.
pub(super) const MODINFO_END: [u8; 16] =
    [0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2];

/// Build information of a Go program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoBuild {
    /// Import path of the main package, such as `example.com/cmd/app`.
    pub path: String,
    /// Settings of the build in the recorded order, such as `GOOS` and `vcs.revision`. Settings
    /// whose values hold paths are omitted.
    pub settings: Vec<(String, String)>,
    /// Number of the item that contains it; the root is 0.
    pub item: usize,
    /// Absolute byte offset of the start marker.
    pub offset: u64,
    /// Whether it was read to the end marker.
    pub complete: bool,
}

/// A module that the build information lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) path: String,
    pub(super) version: String,
    pub(super) sum: Option<String>,
    /// The module that it replaces.
    pub(super) replaces: Option<String>,
    /// Whether it is a directory instead of a published module.
    pub(super) is_local: bool,
    /// Absolute byte offset of its line.
    pub(super) offset: u64,
}

/// Reads build information line by line.
#[derive(Debug)]
pub(super) struct ModInfoReader {
    pub(super) build: GoBuild,
    /// The last module. The next line may replace it.
    module: Option<Module>,
    /// Number of lines until the limit.
    lines_left: u32,
}

/// The next step of a reader.
pub(super) enum ModInfoStep {
    /// More text is needed.
    Incomplete,
    /// A line of this length was read. A module is complete.
    Line(usize, Option<Module>),
    /// The information ended, after this many bytes. A module is complete.
    End(usize, Option<Module>),
}

/// Longest line that is read.
pub(super) const MAX_LINE: usize = 8 << 10;

/// Maximum number of lines, and of settings that are kept.
const MAX_LINES: u32 = 100_000;
const MAX_SETTINGS: usize = 64;

impl ModInfoReader {
    /// A reader of the text after a start marker at this absolute offset.
    pub(super) fn new(item: usize, offset: u64) -> Self {
        let build = GoBuild { path: String::new(), settings: Vec::new(), item, offset, complete: false };
        Self { build, module: None, lines_left: MAX_LINES }
    }

    /// Reads a line at the start of a text, which is at an absolute offset. `is_last` tells that no
    /// text follows.
    pub(super) fn step(&mut self, text: &[u8], offset: u64, is_last: bool) -> ModInfoStep {
        if text.starts_with(&MODINFO_END) {
            self.build.complete = true;
            return ModInfoStep::End(MODINFO_END.len(), self.module.take());
        }
        let window = &text[..text.len().min(MAX_LINE)];
        let line = memchr::memchr(b'\n', window).map(|len| &window[..len]);
        match line.and_then(|line| std::str::from_utf8(line).ok()).filter(|line| is_plain(line)) {
            Some(line) if self.lines_left > 0 => {
                self.lines_left -= 1;
                let module = self.line(line, offset);
                ModInfoStep::Line(line.len() + 1, module)
            }
            None if line.is_none() && window.len() < MAX_LINE && !is_last => ModInfoStep::Incomplete,
            _ => ModInfoStep::End(0, self.module.take()),
        }
    }

    /// Reads a line, and returns the module that it completes.
    fn line(&mut self, line: &str, offset: u64) -> Option<Module> {
        let mut fields = line.split('\t');
        let key = fields.next().unwrap_or_default();
        let mut field = || fields.next().unwrap_or_default();
        match key {
            "path" => field().clone_into(&mut self.build.path),
            "mod" | "dep" => {
                let (path, version, sum) = (field().to_owned(), field().to_owned(), field());
                let module = Module { path, version, sum: some(sum), offset, ..Module::default() };
                return self.module.replace(module);
            }
            "=>" => {
                let (path, version, sum) = (field(), field(), field());
                if let Some(module) = &mut self.module {
                    module.replaces = Some(format!("{}@{}", module.path, module.version));
                    module.is_local = is_directory(path);
                    if !module.is_local {
                        path.clone_into(&mut module.path);
                    }
                    version.clone_into(&mut module.version);
                    module.sum = some(sum);
                }
            }
            "build" => {
                if let Some((key, value)) = field().split_once('=')
                    && self.build.settings.len() < MAX_SETTINGS
                    && !value.contains(['/', '\\'])
                {
                    self.build.settings.push((key.to_owned(), value.to_owned()));
                }
            }
            _ => {}
        }
        None
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a replacement is a directory, as Go's `modfile.IsDirectoryPath` decides.
fn is_directory(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    matches!(path, "." | "..")
        || path.starts_with(['/', '\\'])
        || path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with(".\\")
        || path.starts_with("..\\")
        || drive
}

/// Whether a line has no control characters but tabs.
fn is_plain(line: &str) -> bool {
    line.chars().all(|character| character == '\t' || !character.is_control())
}
