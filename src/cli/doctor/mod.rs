//! `annai doctor`: checks everything the daemon stands on, each in a line `OK|WARN|FAIL  what  – remedy`. Nothing is
//! changed and nothing is sent. Exit code 1 if anything fails.

mod authority;
mod dns;
mod local;
mod people;
mod servers;

use super::args::DoctorArgs;
use super::{Cli, CliError, clean};
use crate::clock::Clock;
use crate::config::{Config, TestOverrides};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    Ok,
    /// The daemon runs, but somebody should look.
    Warn,
    /// The daemon does not start, or cannot do its work.
    Fail,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    what: String,
    /// Empty where nothing is to be done.
    remedy: String,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.into(), remedy: String::new() }
    }

    fn warn(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warn, what: what.into(), remedy: remedy.into() }
    }

    fn fail(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Fail, what: what.into(), remedy: remedy.into() }
    }
}

pub(super) fn run(args: &DoctorArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    let colour = out.is_terminal();
    let mut failed = false;
    // Each group is printed as soon as it is known: DNS may take a while.
    let mut print = |findings: Vec<Finding>| -> Result<(), CliError> {
        for finding in findings {
            failed |= finding.level == Level::Fail;
            writeln!(out, "{}", line(&finding, cli.json, colour))?;
        }
        Ok(out.flush()?)
    };
    match Config::load(&cli.config_path()) {
        Err(faults) => print(faults.into_iter().map(|f| fault(&f.to_string())).collect())?,
        Ok(config) => {
            let now = TestOverrides::from_env(&config)?.now.unwrap_or_else(|| Clock::System.now());
            print(local::check(&config, now))?;
            print(people::check(&config, cli))?;
            if !args.offline {
                print(servers::check(&config)?)?;
                print(dns::check(&config)?)?;
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A sentence `what; remedy`, as the errors of configuration, rules and files are written.
fn fault(sentence: &str) -> Finding {
    let (what, remedy) = sentence.rsplit_once("; ").unwrap_or((sentence, ""));
    Finding::fail(what, remedy)
}

fn line(finding: &Finding, json: bool, colour: bool) -> String {
    if json {
        return serde_json::to_string(finding).unwrap_or_default();
    }
    let (word, code) = match finding.level {
        Level::Ok => ("OK  ", "32"),
        Level::Warn => ("WARN", "33"),
        Level::Fail => ("FAIL", "31"),
    };
    let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
    let dash = if finding.remedy.is_empty() { "" } else { "  – " };
    format!("{word}  {}{dash}{}", clean(&finding.what), clean(&finding.remedy))
}

/// Runs the network checks of one group.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| CliError::Failed(format!("the network cannot be used ({e}); free some memory")))?;
    Ok(runtime.block_on(work))
}
