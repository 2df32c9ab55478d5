//! What staff can type: the verbs that ask the daemon or the closed store.

use crate::domain::{Date, Digest, LgCode, TenantId};
use crate::reading::Reason;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

/// Which part of a long list.
#[derive(Debug, Clone, Args)]
pub struct Part<K: Clone + Send + Sync + FromStr<Err: std::error::Error + Send + Sync + 'static> + 'static> {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Only what follows this one; the end of a cut list says how to go on
    #[arg(long, value_name = "KEY")]
    pub after: Option<K>,
}

#[derive(Debug, Clone, Args)]
pub struct QueueArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<QueueVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum QueueVerb {
    /// Letters that have not left, by number
    List {
        /// Only letters in this state (planned, held, unknown, …)
        #[arg(long)]
        state: Option<String>,
        /// Only letters to this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        /// Also letters that are done
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        part: Part<u64>,
    },
    /// Follow a running daemon: what waits, what leaves, what needs a person. Ctrl-C ends it
    Watch {
        /// Seconds between two looks
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,
        /// Look so often and end [default: until Ctrl-C]
        #[arg(long, value_name = "N")]
        times: Option<u64>,
    },
    /// One letter: state, attempts, replies, text; the text of a letter with a secret stays sealed
    Show { row: u64 },
    /// Keep a letter back
    Hold {
        row: u64,
        #[arg(long)]
        reason: String,
    },
    /// Let a held letter go
    Release { row: u64 },
    /// Try again now
    Retry { row: u64 },
    /// Never send this letter
    Withdraw {
        row: u64,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct ReviewArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<ReviewVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ReviewVerb {
    /// What waits for a person, the oldest first
    List {
        #[command(flatten)]
        part: Part<u64>,
    },
    /// One mail: what was understood from which line, why it waits, what it would change
    Show {
        /// Number of the mail: 3 for メール3
        mail: u64,
        /// Show the changes as if it were from this authority
        #[arg(long, value_name = "CODE")]
        authority: Option<LgCode>,
    },
    /// Take it over as it was understood, or with changes
    Accept(AcceptArgs),
    /// Do not take it over
    Reject {
        /// Number of the mail: 3 for メール3
        mail: u64,
        #[arg(long)]
        reason: String,
    },
    /// The letter that `ask` would send
    Draft {
        /// Number of the mail: 3 for メール3
        mail: u64,
    },
    /// Ask the sender about what is in doubt: sends the draft, or your own text
    Ask {
        /// Number of the mail: 3 for メール3
        mail: u64,
        /// Text to send instead of the draft's; - is standard input
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
        /// Subject to send instead of the draft's
        #[arg(long, requires = "text")]
        subject: Option<String>,
    },
    /// Read it once more, by the rules of today
    Reread {
        /// Number of the mail: 3 for メール3
        mail: u64,
    },
    /// A matter that is no mail in review is settled (its number stands last in the list)
    Close {
        matter: u64,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    /// Number of the mail: 3 for メール3
    pub mail: u64,
    /// What was looked at: the code at the end of `annai review show`, at least its first 8 digits
    #[arg(long, value_name = "CODE", value_parser = seen)]
    pub shown: Option<String>,
    /// Which authority it is from, where the mail does not say for certain
    #[arg(long, value_name = "CODE")]
    pub authority: Option<LgCode>,
    /// The whole data to take over, as JSON: `annai review show N --json | jq .proposal`, changed
    #[arg(long, value_name = "FILE")]
    pub edit: Option<PathBuf>,
    /// Change or add one address: `authority=ADDRESS`, `みなと保健所=ADDRESS`; without an address that one is left out
    #[arg(long, value_name = "NAME=ADDRESS")]
    pub set: Vec<String>,
    /// Change the name of a health centre: `港保健所=みなと保健所`
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<String>,
    /// Why it is changed; needed with any change
    #[arg(long)]
    pub reason: Option<String>,
    /// Take the changed data although they raise this doubt (its code stands in the refusal)
    #[arg(long, value_name = "CODE", value_parser = doubt)]
    pub despite: Vec<Reason>,
}

impl AcceptArgs {
    /// Whether anything but the authority is changed.
    pub fn is_edited(&self) -> bool {
        self.edit.is_some() || !self.set.is_empty() || !self.rename.is_empty()
    }
}

fn seen(code: &str) -> Result<String, String> {
    let digits = code.len() >= 8 && code.chars().all(|c| c.is_ascii_hexdigit());
    if digits {
        Ok(code.to_ascii_lowercase())
    } else {
        Err("give the code at the end of `annai review show`".to_owned())
    }
}

fn doubt(code: &str) -> Result<Reason, String> {
    let known = Reason::ALL.iter().find(|reason| reason.code() == code).copied();
    known.ok_or_else(|| "no reason has this code; take it from the refusal".to_owned())
}

#[derive(Debug, Clone, Args)]
pub struct TenantArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<TenantVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum TenantVerb {
    /// All tenants with the state of their certificate and user id
    List {
        /// Only those in this state (open, collected, in-use, expired, …)
        #[arg(long)]
        state: Option<String>,
        /// Only those whose name or id holds this
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        #[command(flatten)]
        part: Part<TenantId>,
    },
    /// One tenant as it stands
    Show { id: TenantId },
    /// Everything that happened to one tenant
    History {
        id: TenantId,
        #[command(flatten)]
        part: Part<u64>,
    },
    /// Void the certificate notice or certificate and start again with a new one
    Reissue(ReissueArgs),
    /// End the enrolment of a tenant that has not picked up its certificate
    Cancel {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<TenantId>,
        #[arg(long)]
        reason: String,
        /// Do it; with several tenants, only what would be done is shown without this
        #[arg(long)]
        apply: bool,
    },
    /// Revoke the certificate of a tenant
    Revoke {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<TenantId>,
        #[arg(long, value_enum)]
        reason: RevocationReason,
        /// Do it; with several tenants, only what would be done is shown without this
        #[arg(long)]
        apply: bool,
    },
    /// Make a new user id password for a tenant and tell it as the first one was told
    RenewCredentials {
        id: TenantId,
        #[arg(long)]
        reason: String,
    },
    /// Domains known for an authority, by which its mails are judged; staff's accepting a mail adds its own
    Domains(DomainsArgs),
    /// Take over user ids and passwords made elsewhere: CSV with the columns tenant,user_id,password
    ImportCredentials { file: PathBuf },
    /// Write user ids with password hashes (Argon2id) as CSV, for the system they open
    Export {
        #[arg(long, required = true)]
        credentials: bool,
        /// [default: print it]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct InviteArgs {
    /// [default: list]
    #[command(subcommand)]
    pub verb: Option<InviteVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum InviteVerb {
    /// Who is invited and has not picked up
    List {
        /// In another state (notice-queued, expired, undeliverable, …) [default: open]
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        part: Part<TenantId>,
    },
    /// Void the invitation or certificate and send a new invitation
    Reissue(ReissueArgs),
    /// Void the invitation of one tenant that has not picked up
    Cancel {
        id: TenantId,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct DomainsArgs {
    /// Of this authority [default: of all]
    #[arg(value_name = "CODE")]
    pub authority: Option<LgCode>,
    /// This domain is the authority's
    #[arg(long, value_name = "DOMAIN", requires_all = ["authority", "reason"])]
    pub approve: Option<String>,
    /// This domain is not the authority's, or not any more
    #[arg(long, value_name = "DOMAIN", requires_all = ["authority", "reason"], conflicts_with = "approve")]
    pub forget: Option<String>,
    #[arg(long)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct ReissueArgs {
    #[arg(value_name = "ID", required_unless_present = "expired")]
    pub ids: Vec<TenantId>,
    /// All tenants whose time has run out
    #[arg(long, conflicts_with = "ids")]
    pub expired: bool,
    #[arg(long, value_enum)]
    pub reason: ReissueReason,
    /// Do it; with several tenants, only what would be done is shown without this
    #[arg(long)]
    pub apply: bool,
}

impl ReissueArgs {
    /// Show only: several tenants are meant and nobody said `--apply`.
    pub fn dry_run(&self) -> bool {
        !self.apply && (self.expired || self.ids.len() > 1)
    }
}

/// Why a certificate is issued again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReissueReason {
    Lost,
    TerminalReplaced,
    Expired,
    WrongTerminal,
    AddressChanged,
}

/// Why a certificate is revoked (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RevocationReason {
    KeyCompromise,
    Superseded,
    CessationOfOperation,
}

#[derive(Debug, Clone, Args)]
pub struct ForecastArgs {
    /// Last day to look at, like 2020-05-31 [default: 30 days from now]
    #[arg(long, value_name = "DATE")]
    pub until: Option<Date>,
}

#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub verb: AuditVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub enum AuditVerb {
    /// The last lines of the journal
    Tail {
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u32,
        /// Only lines about this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
    },
    /// Prove that the journal is whole and that replaying it gives the same directory
    Verify {
        /// An exported journal [default: that of the state directory]
        file: Option<PathBuf>,
        /// The 64 digits of a report: the journal must still hold what they stand for
        #[arg(long, value_name = "DIGEST")]
        anchor: Option<Digest>,
    },
    /// Write the journal into a new file, one JSON object per line; - is standard output
    Export { file: PathBuf },
}

#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The file to write; must not exist
    pub file: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// A file written by `annai backup`
    pub file: PathBuf,
    /// The state directory to make; must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
}
