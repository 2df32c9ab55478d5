//! Helpers shared by integration tests.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses another part of this folder")]

pub mod dovecot;
pub mod flow;
pub mod local;
pub mod place;
pub mod receiver;
pub mod script;
