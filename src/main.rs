//! The binary; everything is in [`annai::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    annai::cli::main()
}
