//! What can be typed (DESIGN §6): verbs, options and their help. Nothing is done here.
//!
//! Verbs that touch many things at once only say what they would do until `--apply` is given.

mod ca;
mod people;
mod staff;

pub use ca::*;
pub use people::*;
pub use staff::*;

use clap::{Args, Parser, Subcommand};
use std::net::IpAddr;
use std::path::PathBuf;

/// The file looked for where none is named.
pub const CONFIG_DEFAULT: &str = "annai.toml";

/// annai (案内): leads organisations through onboarding by e-mail.
#[derive(Debug, Parser)]
#[command(name = "annai", version, about, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration [default: annai.toml]
    #[arg(long, short, global = true, value_name = "FILE", env = "ANNAI_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// Act as this account instead of as the local user; its password is asked for, or read from standard input
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub account: Option<String>,
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.\n\
    First steps: `annai demo` shows everything on this machine; `annai init DIR` prepares a real set-up.";

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the daemon
    Serve(ServeArgs),
    /// Show how mails are understood, without doing anything
    Read(ReadArgs),
    /// Prepare a directory: configuration, keys, rules, templates
    Init(InitArgs),
    /// Check configuration, servers, DNS, keys, disk and clock, with the remedy for each fault
    Doctor(DoctorArgs),
    /// Where everything stands
    Status,
    /// Letters to be sent
    Queue(QueueArgs),
    /// Mails a person must look at
    Review(ReviewArgs),
    /// Authorities and health centres
    Tenant(TenantArgs),
    /// Invitations to pick a certificate up: who has not yet, send a new one, void one
    Invite(InviteArgs),
    /// The certification authority: who signs, revocation lists, keys
    Ca(CaArgs),
    /// What will be sent when
    Forecast(ForecastArgs),
    /// Check the rules, or try them on mails
    Rules(RulesArgs),
    /// Check the templates, or look at a letter
    Template(TemplateArgs),
    /// The journal: who did what when, and proof that it is whole
    Audit(AuditArgs),
    /// Accounts: who may do what
    User(UserArgs),
    /// Requests that wait for a second person
    Approval(ApprovalArgs),
    /// Many letters that leave together
    Wave(WaveArgs),
    /// One act on many: how far it is, what was refused
    Job(JobArgs),
    /// Write everything into one file
    Backup(BackupArgs),
    /// Unpack a backup into a new state directory
    Restore(RestoreArgs),
    /// Show the whole flow on this machine; nothing leaves it
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
    /// Print the manual page
    Man(ManArgs),
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Read the mailbox to its end, do all that is due now, deliver, and exit (for cron)
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ReadArgs {
    /// Mails (.eml); - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Rules to read by [default: those of the configuration if there is one, else the built-in rules]
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The directory to prepare; existing files are never overwritten
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Leave out everything that needs the network (IMAP, SMTP, DNS)
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, Clone, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    pub verb: RulesVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub enum RulesVerb {
    /// Check a rules directory; all faults at once
    Check {
        /// [default: that of the configuration, else the built-in rules]
        dir: Option<PathBuf>,
    },
    /// What these rules would make of all stored mails that the rules in force do not; exit code 1 if anything
    Test {
        /// Rules to test [default: those of the configuration, else the built-in rules]
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Instead of the stored mails read every NAME.eml of this directory and compare with NAME.json beside it
        #[arg(long, value_name = "DIR")]
        fixtures: Option<PathBuf>,
        /// Write the .json files that are missing
        #[arg(long, requires = "fixtures")]
        record: bool,
    },
}

#[derive(Debug, Clone, Args)]
pub struct TemplateArgs {
    #[command(subcommand)]
    pub verb: TemplateVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub enum TemplateVerb {
    /// Check a templates directory; all faults at once
    Check {
        /// [default: that of the configuration, else the built-in templates]
        dir: Option<PathBuf>,
    },
    /// Print a letter with sample values
    Preview {
        /// welcome, certificate-notice, pickup-password, reminder, …
        kind: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// How many seconds a day takes
    #[arg(long, value_name = "SECONDS_PER_DAY", default_value_t = 2.0, value_parser = seconds)]
    pub speed: f64,
    /// Port of the first page; the next ones follow. Busy ports are left out
    #[arg(long, value_name = "N", default_value_t = 8100)]
    pub port: u16,
    /// Address to listen on; only of this machine
    #[arg(long, default_value = "127.0.0.1", value_parser = loopback)]
    pub listen: IpAddr,
    /// Stop after so many days of the demo [default: at the end of the story]
    #[arg(long)]
    pub days: Option<u32>,
    /// Same number, same story
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep the state in this directory [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// End by itself after the story [default: the pages stay open until Ctrl-C]
    #[arg(long)]
    pub exit: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let fault = || "give seconds per day, 0.01 to 86400".to_owned();
    text.parse::<f64>().ok().filter(|n| (0.01..=86_400.0).contains(n)).ok_or_else(fault)
}

fn loopback(text: &str) -> Result<IpAddr, String> {
    let fault = || "the demo listens on this machine only; give 127.0.0.1 or ::1".to_owned();
    text.parse::<IpAddr>().ok().filter(IpAddr::is_loopback).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn many_at_once_are_only_shown() {
        let reissue = |line: &[&str]| {
            let start = ["annai", "tenant", "reissue", "--reason", "lost"];
            match Cli::try_parse_from(start.iter().chain(line)).map(|c| c.verb) {
                Ok(Verb::Tenant(TenantArgs { verb: Some(TenantVerb::Reissue(args)) })) => Some(args.dry_run()),
                _ => None,
            }
        };
        assert_eq!(reissue(&["131032-00"]), Some(false));
        assert_eq!(reissue(&["131032-00", "131032-01"]), Some(true));
        assert_eq!(reissue(&["131032-00", "131032-01", "--apply"]), Some(false));
        assert_eq!(reissue(&["--expired"]), Some(true));
        assert_eq!(reissue(&[]), None);
        assert_eq!(reissue(&["--expired", "131032-00"]), None);
    }
}
