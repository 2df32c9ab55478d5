//! Helpers shared by integration tests.
#![allow(dead_code, reason = "every test binary uses another part of this folder")]

pub(crate) mod dovecot;
pub(crate) mod script;
