//! Layer 3: from the mailbox to the archive. The only importer of `async_imap`.
//!
//! async-imap parses what the server says; it does not decide whether a command succeeded, because it reports a tagged
//! NO, a lost connection and a dead session as success (research: dependencies, §2). So everything above the parser is
//! ours, from below:
//!
//! | file | what |
//! |---|---|
//! | `frame`, `pipe` | the octets: no announced literal, line or nesting goes on to the parser without a limit |
//! | `wire` | one command, one answer: success is the own tagged OK and nothing else |
//! | `login` | TCP, TLS or STARTTLS without downgrade, authentication |
//! | `session`, `fetch` | the commands this program uses, each with a time limit |
//! | `authenticate` | DKIM, SPF and DMARC of what comes in, where no gateway did that |
//! | `reader` | the loop: read to the end, file, then mark; reconnect; recovery is the ordinary path |
//! | `belt` | batches on their way from the server to the disk, each stage with one of its own |
//!
//! The loop knows the engine only as an [`Archive`]. Logging: the log target `async_imap` must be capped at `info`
//! (telemetry does), because that crate prints whole mails at `trace`. Passwords never pass through its sending side.

mod archive;
mod authenticate;
mod belt;
mod error;
mod fetch;
mod frame;
mod login;
pub mod mutf7;
mod pipe;
mod reader;
mod session;
mod settings;
mod wire;

pub use archive::{Archive, Census, Fetched, Pace, Stopped};
pub use authenticate::Authenticator;
pub use error::{Acts, ImapError, Loss};
pub use fetch::{BATCH_MAILS_MAX, BATCH_OCTETS_MAX, Listed, MAIL_OCTETS_MAX, PART_OCTETS, batches};
pub use reader::{Halt, RECONNECT_AFTER_S, Tally, once, run};
pub use session::{IDLE_ROUND, Selected, Session, Woken};
pub use settings::{AfterFiling, DEFAULT_KEYWORD, ImapSettings, Login};
