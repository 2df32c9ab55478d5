//! The real binary from the mailbox to the letters: a private Dovecot on one side, on the other annai's own post office
//! (whose mails can be looked into) or Postfix's smtp-sink. The weeks of the seed go by in seconds (`ANNAI_NOW`).

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "e2e/mailbox.rs"]
mod mailbox;
#[path = "e2e/officer.rs"]
mod officer;
#[path = "support/postfix.rs"]
mod postfix;
#[path = "e2e/seed.rs"]
mod seed;
#[path = "e2e/serve.rs"]
mod serve;
#[path = "e2e/sink.rs"]
mod sink;
mod support;
