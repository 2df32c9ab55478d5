//! Helpers shared by integration tests.
#![allow(dead_code, reason = "every test binary uses another part of this folder")]

pub(crate) mod dovecot;
pub(crate) mod flow;
pub(crate) mod local;
pub(crate) mod place;
pub(crate) mod receiver;
pub(crate) mod script;
