//! The command line (DESIGN §6): one verb per file. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. Errors go
//! to standard error, each in one sentence that says what to do.

mod approval;
pub mod args;
mod ask;
mod audit;
mod backup;
mod ca;
mod completion;
mod credentials;
mod demo;
mod doctor;
mod forecast;
mod init;
mod invite;
mod job;
mod queue;
mod read;
mod review;
mod rules;
mod screen;
mod secret;
mod serve;
mod side;
mod status;
mod table;
mod template;
mod tenant;
mod user;
mod watch;
mod wave;

pub use args::Cli;
pub use table::{Align, Table, clean};

use crate::config::{Config, ConfigError, FileError, OverrideError};
use crate::daemon::assembly::{self, AssemblyError};
use crate::letters::Templates;
use crate::rules::{RuleError, Rules};
use crate::telemetry::TelemetryError;
use args::Verb;
use clap::Parser;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Faults in the configuration, the rules or the templates, one per line.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
    /// The reader of our output has gone (`annai queue | head`); nothing to say to anybody.
    #[error("the output was closed")]
    Closed,
}

impl CliError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Faults(_) | Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Closed => ExitCode::SUCCESS,
        }
    }
}

impl From<Vec<ConfigError>> for CliError {
    fn from(faults: Vec<ConfigError>) -> Self {
        Self::Faults(faults.iter().map(ToString::to_string).collect())
    }
}

impl From<Vec<RuleError>> for CliError {
    fn from(faults: Vec<RuleError>) -> Self {
        Self::Faults(faults.iter().map(ToString::to_string).collect())
    }
}

impl From<OverrideError> for CliError {
    fn from(fault: OverrideError) -> Self {
        Self::Usage(fault.to_string())
    }
}

impl From<AssemblyError> for CliError {
    fn from(fault: AssemblyError) -> Self {
        match fault {
            AssemblyError::Faults(faults) => Self::Faults(faults),
            AssemblyError::Pki(_)
            | AssemblyError::File(_)
            | AssemblyError::Key(_)
            | AssemblyError::Dkim(_)
            | AssemblyError::Rhythm(_) => Self::Usage(fault.to_string()),
            AssemblyError::Store(_)
            | AssemblyError::Engine(_)
            | AssemblyError::Daemon(_)
            | AssemblyError::Control(_)
            | AssemblyError::Door(_) => Self::Failed(fault.to_string()),
        }
    }
}

impl From<FileError> for CliError {
    fn from(fault: FileError) -> Self {
        Self::Usage(fault.to_string())
    }
}

impl From<TelemetryError> for CliError {
    fn from(fault: TelemetryError) -> Self {
        Self::Usage(fault.to_string())
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::Failed(format!(
            "the output could not be written ({error}); look at the disk or the program that reads it"
        ))
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    quiet_panics();
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => code,
        Err(error) => {
            if !matches!(error, CliError::Closed) {
                report(&error.to_string());
            }
            error.exit_code()
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode, CliError> {
    match &cli.verb {
        Verb::Read(args) => read::run(args, cli),
        Verb::Init(args) => init::run(args, cli.json),
        Verb::Doctor(args) => doctor::run(args, cli),
        Verb::Rules(args) => rules::run(args, cli),
        Verb::Template(args) => template::run(args, cli),
        Verb::Serve(args) => serve::run(args, cli),
        Verb::Status => status::run(cli),
        Verb::Queue(args) => queue::run(args, cli),
        Verb::Review(args) => review::run(args, cli),
        Verb::Tenant(args) => tenant::run(args, cli),
        Verb::Invite(args) => invite::run(args, cli),
        Verb::Ca(args) => ca::run(args, cli),
        Verb::Forecast(args) => forecast::run(args, cli),
        Verb::Audit(args) => audit::run(args, cli),
        Verb::User(args) => user::run(args, cli),
        Verb::Job(args) => job::run(args, cli),
        Verb::Approval(args) => approval::run(args, cli),
        Verb::Wave(args) => wave::run(args, cli),
        Verb::Completion(args) => completion::completion(args),
        Verb::Man(args) => completion::man(args),
        Verb::Backup(args) => backup::run(args, cli),
        Verb::Restore(args) => backup::restore(args, cli),
        Verb::Demo(args) => demo::run(args),
    }
}

impl Cli {
    /// The configuration named, or `annai.toml` here.
    pub fn config_path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| PathBuf::from(args::CONFIG_DEFAULT))
    }

    /// The configuration, for verbs that cannot do without.
    pub fn load_config(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.config_path())?)
    }

    /// The rules to read by: `dir` if given, else those of the configuration if one was named or lies here, else the
    /// built-in ones.
    fn rules(&self, dir: Option<&Path>) -> Result<Rules, CliError> {
        if let Some(dir) = dir {
            return load_rules(Some(dir));
        }
        if self.config.is_none() && !self.config_path().exists() {
            return load_rules(None);
        }
        load_rules(self.load_config()?.rules_dir.as_deref())
    }

    /// The same for a verb that answers whatever lies around: an `annai.toml` that was not named and cannot be used is told
    /// in one line, and the built-in rules serve.
    fn rules_or_built_in(&self, dir: Option<&Path>) -> Result<Rules, CliError> {
        match self.rules(dir) {
            Err(fault) if dir.is_none() && self.config.is_none() => {
                let fault = fault.to_string();
                let first = fault.lines().next().unwrap_or_default();
                report(&format!(
                    "{first} — the built-in rules are used; correct the file, or give --rules or --config"
                ));
                load_rules(None)
            }
            found => found,
        }
    }
}

/// The rules of a directory; `None`: the built-in ones. All faults at once.
pub fn load_rules(dir: Option<&Path>) -> Result<Rules, CliError> {
    Ok(assembly::rules(dir)?)
}

/// The templates of the configuration (`mail/` in its templates directory) or the built-in ones. All faults at once.
pub fn load_templates(config: &Config) -> Result<Templates, CliError> {
    Ok(assembly::templates(config.templates_dir.as_deref(), &assembly::desk(config))?)
}

/// Says on standard error what went wrong, one line per fault.
pub(crate) fn report(message: &str) {
    let mut text = String::new();
    for line in message.lines() {
        let _ = writeln!(text, "annai: {}", clean(line));
    }
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A panic is a fault of ours. Its message may hold a mail or a secret, so only its place is told.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        report(&format!("internal fault{place}; please report this"));
    }));
}
