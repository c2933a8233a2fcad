//! The files that a command line writes.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// An option of compilers and packagers that names an output.
struct OutputOption {
    name: &'static str,
    /// Whether the value may follow as the next argument.
    takes_next: bool,
}

/// Source: the help of clang, zig, `TinyGo`, asc, componentize-js, componentize-py, jco and
/// wasm-tools.
const OPTIONS: [OutputOption; 7] = [
    OutputOption { name: "-o", takes_next: true },
    OutputOption { name: "--out", takes_next: true },
    OutputOption { name: "--output", takes_next: true },
    OutputOption { name: "--outFile", takes_next: true },
    OutputOption { name: "--out-file", takes_next: true },
    OutputOption { name: "--outfile", takes_next: true },
    OutputOption { name: "-femit-bin", takes_next: false },
];

/// The outputs that the options of a command line name, in order: `-o FILE`, `-oFILE.wasm`,
/// `--out FILE`, `--output=FILE` and similar. The files need not exist or be WebAssembly.
///
/// ```
/// use std::ffi::OsString;
/// use sectile_manifest::outputs;
///
/// let line = ["tinygo", "build", "-o", "app.wasm", "-target=wasip2", "."].map(OsString::from);
/// assert_eq!(outputs(&line), ["app.wasm"].map(std::path::PathBuf::from));
/// ```
pub fn outputs(arguments: &[OsString]) -> Vec<PathBuf> {
    let mut outputs = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let output = match OPTIONS.iter().find(|option| argument == option.name) {
            Some(option) if option.takes_next => arguments.next().cloned(),
            Some(_) => None,
            None => attached(argument),
        };
        let output = output.filter(|output| !output.is_empty() && output != "-").map(PathBuf::from);
        outputs.extend(output.filter(|output| !outputs.contains(output)));
    }
    outputs
}

/// The value attached to its option in one argument: `--out=FILE`, or `-oFILE.wasm`.
fn attached(argument: &OsStr) -> Option<OsString> {
    let bytes = argument.as_encoded_bytes();
    let after = OPTIONS.iter().find_map(|option| bytes.strip_prefix(option.name.as_bytes())?.strip_prefix(b"="));
    let value = after.or_else(|| bytes.strip_prefix(b"-o").filter(|value| value.ends_with(b".wasm")))?;
    let start = bytes.len() - value.len();
    Some(suffix(argument, start))
}

/// The rest of the argument from a byte offset, which follows ASCII.
fn suffix(argument: &OsStr, start: usize) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        OsStr::from_bytes(&argument.as_bytes()[start..]).to_owned()
    }
    #[cfg(not(unix))]
    {
        argument.to_string_lossy().get(start..).unwrap_or_default().into()
    }
}
