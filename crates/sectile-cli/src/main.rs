//! The command `sectile`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sectile_cli::run()
}
