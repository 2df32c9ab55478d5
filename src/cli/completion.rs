//! `annai completion` and `annai man`: made from the arguments themselves, so that they never say anything else.

use super::args::{CompletionArgs, ManArgs};
use super::{Cli, CliError};
use clap::CommandFactory;
use std::io::Write;
use std::process::ExitCode;

pub(super) fn completion(args: &CompletionArgs) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "annai", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CliError> {
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir)?;
        clap_mangen::generate_to(Cli::command(), dir)?;
    } else {
        clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
    }
    Ok(ExitCode::SUCCESS)
}
