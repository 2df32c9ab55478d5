//! `annai demo`: the whole flow on this machine ([`crate::demo`]).

use super::CliError;
use super::args::DemoArgs;
use crate::config::{LogConfig, LogFormat};
use crate::demo::{self, DemoError};
use crate::telemetry;
use std::process::ExitCode;

pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, CliError> {
    // The progress view is the log; only faults interrupt it, unless ANNAI_LOG asks for more.
    telemetry::start(&LogConfig { format: LogFormat::Human, level: "error".to_owned() })?;
    let options = demo::Options {
        seconds_per_day: args.speed,
        port: args.port,
        listen: args.listen,
        days: args.days,
        seed: args.seed,
        keep: args.keep.clone(),
        exit: args.exit,
    };
    demo::run(&options).map_err(|fault| match fault {
        DemoError::Files(source) if source.kind() == std::io::ErrorKind::BrokenPipe => CliError::Closed,
        DemoError::Taken(_) => CliError::Usage(fault.to_string()),
        DemoError::Files(_)
        | DemoError::Faults(_)
        | DemoError::Story(_)
        | DemoError::Office(_)
        | DemoError::Assembly(_)
        | DemoError::File(_)
        | DemoError::Key(_)
        | DemoError::Store(_)
        | DemoError::Engine(_)
        | DemoError::Daemon(_)
        | DemoError::Door(_)
        | DemoError::Stopped(_) => CliError::Failed(fault.to_string()),
    })?;
    Ok(ExitCode::SUCCESS)
}
