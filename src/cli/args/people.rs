//! What can be typed about people, requests and waves.

use crate::domain::{Digest, MailAddress};
use crate::engine::jobs::JobNo;
use crate::engine::records::{AskNo, WaveNo};
use crate::letters::LetterKind;
use crate::workflow::rights::Role;
use clap::{Args, Subcommand};

#[derive(Debug, Clone, Args)]
pub struct UserArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<UserVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum UserVerb {
    /// Accounts with their roles
    List,
    /// Add an account; its password is asked for, or read from standard input
    Add {
        /// a-z, 0-9, dot, hyphen, underscore
        name: String,
        /// operator, approver, auditor or admin
        #[arg(long)]
        role: Role,
        /// Name of the person, as it stands in the console
        #[arg(long, default_value = "", value_name = "NAME")]
        person: String,
        /// Where alerts go
        #[arg(long, value_name = "ADDRESS")]
        mail: Option<MailAddress>,
        /// Leave the password to be set later; nobody can log in until then
        #[arg(long)]
        no_password: bool,
        /// Why, for the journal
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// Set a new password; every session of the account ends
    Passwd {
        name: String,
        /// Why, for the journal
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// Give an account another role; every session of it ends
    Role {
        name: String,
        role: Role,
        /// Why, for the journal
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// Where alerts to this person go
    Mail {
        name: String,
        /// [default: nowhere]
        address: Option<MailAddress>,
        /// Why, for the journal
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// The client certificate an account logs in with, where the console asks for one; every session of it ends
    Certificate {
        name: String,
        /// SHA-256 of the new certificate [default: none; the next login binds the one it is made with]
        #[arg(value_parser = fingerprint)]
        fingerprint: Option<Digest>,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Nobody can log in with it any more
    Disable {
        name: String,
        #[arg(long)]
        reason: String,
    },
    /// Undo disable
    Enable {
        name: String,
        /// Why, for the journal
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// Who is logged in to the console
    Sessions,
    /// End a session
    Kill { session: u64 },
}

#[derive(Debug, Clone, Args)]
pub struct ApprovalArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<ApprovalVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ApprovalVerb {
    /// Requests that wait for a second person
    List {
        /// Also those that are decided or void
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// One request: who asked for what
    Show {
        #[arg(value_parser = ask)]
        request: AskNo,
    },
    /// Say yes: it is done at once. Another person than the one who asked; needs --as
    Approve {
        #[arg(value_parser = ask)]
        request: AskNo,
    },
    /// Say no
    Refuse {
        #[arg(value_parser = ask)]
        request: AskNo,
        #[arg(long)]
        reason: String,
    },
    /// Take an own request back
    Recall {
        #[arg(value_parser = ask)]
        request: AskNo,
    },
}

#[derive(Debug, Clone, Args)]
pub struct WaveArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<WaveVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum WaveVerb {
    /// Waves, and the letters that wait for one
    List,
    /// One wave with its letters; look at each with `annai queue show`
    Show {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        /// At most so many letters
        #[arg(long, value_name = "N", default_value_t = 2000)]
        limit: u32,
    },
    /// Put all waiting letters of a kind into a new wave
    Plan {
        /// certificate-notice or credentials
        #[arg(value_parser = letter)]
        letter: LetterKind,
    },
    /// Take letters out of a wave
    Untick {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        #[arg(required = true)]
        rows: Vec<u64>,
    },
    /// Put letters back into it
    Tick {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        #[arg(required = true)]
        rows: Vec<u64>,
    },
    /// Let it leave, or go on after a stop; a second person approves
    Release {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        /// The list that was looked at, as `wave show` names it at its end; another list is refused
        #[arg(long)]
        revision: u32,
    },
    /// Stop it; what was let go and has not left is kept back
    Halt {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        #[arg(long)]
        reason: String,
    },
    /// Take back everything of it that has not left
    Withdraw {
        #[arg(value_parser = wave)]
        wave: WaveNo,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct JobArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<JobVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum JobVerb {
    /// Jobs that are kept, the newest first
    List,
    /// One job: how far it is, and what was refused why
    Show {
        #[arg(value_parser = job)]
        job: JobNo,
    },
    /// Stop it where it is
    Halt {
        #[arg(value_parser = job)]
        job: JobNo,
    },
    /// Let it go on where it was stopped
    Resume {
        #[arg(value_parser = job)]
        job: JobNo,
    },
}

fn job(text: &str) -> Result<JobNo, std::num::ParseIntError> {
    text.parse().map(JobNo)
}

fn ask(text: &str) -> Result<AskNo, std::num::ParseIntError> {
    text.parse().map(AskNo)
}

fn fingerprint(text: &str) -> Result<Digest, String> {
    let wrong = "give the SHA-256 of a certificate: openssl x509 -in FILE -noout -fingerprint -sha256";
    crate::engine::people::fingerprint(text).ok_or_else(|| wrong.to_owned())
}

fn wave(text: &str) -> Result<WaveNo, std::num::ParseIntError> {
    text.parse().map(WaveNo)
}

fn letter(text: &str) -> Result<LetterKind, String> {
    let known = LetterKind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| "no such letter; give certificate-notice or credentials".to_owned())
}

#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write one page per verb into this directory [default: the main page to standard output]
    pub dir: Option<std::path::PathBuf>,
}
