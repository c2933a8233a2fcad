//! Audits a directory: prints the rows and a summary.
//!
//!     cargo run -p sectile-audit --example audit -- tests/files

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use sectile_audit::{Audit, Format, Progress};
use sectile_policy::{Items, Licenses, Policy, Rule};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("tests/files"), PathBuf::from);
    let policy = Policy::default().with_rule(Rule::new(Licenses::new(Items::all()).allow("MIT")?.allow("Apache-2.0")?));
    let audit = Audit::new(policy);

    let mut rows = Vec::new();
    let outcome = audit.run(&[path.into()], Some(Format::Csv), &mut rows, &Progress::new())?;
    std::io::stdout().write_all(&rows)?;

    let summary = outcome.summary;
    println!("{} binaries, {} refused, {:.2} % read", summary.rows, summary.refused, summary.fraction_read() * 100.0);
    for (license, number) in summary.licenses() {
        println!("{number:8} {}", sectile::Escaped::new(license));
    }
    Ok(())
}
