//! The command `cargo sectile`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sectile_cli::run_for_cargo()
}
