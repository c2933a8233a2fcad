//! The output of strace.

/// A system call.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: String,
    /// The arguments as strace writes them.
    pub args: String,
    /// The return value; negative for an error.
    pub result: i64,
}

/// An argument, as strace writes it.
#[derive(Clone, Debug)]
pub struct Argument(pub String);

/// The calls in a log, except a call that did not return before the process ended.
pub fn calls(log: &str) -> Vec<Call> {
    log.lines().filter_map(call).collect()
}

fn call(line: &str) -> Option<Call> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let (name, rest) = line.split_once('(')?;
    let (args, result) = rest.rsplit_once(" = ")?;
    let args = args.trim_end().strip_suffix(')')?;
    let result = result.split(' ').next()?.parse().ok()?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| Call {
        name: name.to_owned(),
        args: args.to_owned(),
        result,
    })
}

impl Call {
    /// Whether the call writes anything but standard output and standard error.
    pub fn is_write(&self) -> bool {
        const WRITES: [&str; 21] = [
            "pwrite64",
            "pwritev",
            "writev",
            "copy_file_range",
            "sendfile",
            "ftruncate",
            "fallocate",
            "truncate",
            "rename",
            "renameat",
            "renameat2",
            "unlink",
            "unlinkat",
            "link",
            "linkat",
            "symlink",
            "mkdir",
            "fchmod",
            "chmod",
            "fchown",
            "fsetxattr",
        ];
        match &*self.name {
            "openat" | "open" => {
                ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| self.args.contains(flag))
            }
            "write" => !self.args.starts_with("1,") && !self.args.starts_with("2,"),
            "utimensat" | "flock" | "creat" => true,
            name => WRITES.contains(&name),
        }
    }

    /// The arguments. Strings are hexadecimal (`-xx`), so that none contains a comma.
    pub fn arguments(&self) -> Vec<Argument> {
        self.args.split(", ").map(|arg| Argument(arg.to_owned())).collect()
    }
}

impl Argument {
    pub fn number(&self) -> i64 {
        self.0.trim_matches(['[', ']']).parse().unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn bytes(&self) -> Vec<u8> {
        let hex =
            self.0.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_else(|| panic!("{self:?}"));
        hex.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}
