//! Audits a directory: what is refused in it, and what it comes to.
//!
//!     cargo run --example audit --features audit -- tests/files

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use sectile::audit::{Audit, Form, Progress};
use sectile::policy::{Items, Licenses, Policy, Rule};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("tests/files"), PathBuf::from);
    let policy = Policy::default().with(Rule::new(Licenses::new(Items::all()).allow("MIT")?.allow("Apache-2.0")?));
    let audit = Audit::new(policy);

    let mut rows = Vec::new();
    let audited = audit.run(&[path.into()], Some(Form::Csv), &mut rows, &Progress::new())?;
    std::io::stdout().write_all(&rows)?;

    let summary = audited.summary;
    println!("{} binaries, {} refused, {:.2} % read", summary.rows, summary.refused, summary.share_read() * 100.0);
    for (licence, number) in summary.licenses() {
        println!("{number:8} {}", sectile::Escaped::new(licence));
    }
    Ok(())
}
