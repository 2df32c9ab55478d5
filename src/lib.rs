//! annai (案内): leads organisations through onboarding by e-mail.
//!
//! Layers, lowest first; a file may use its own folder and anything below, never above (`tests/tidy.rs` holds this):
//!
//! | layer | modules | may do |
//! |---|---|---|
//! | 0 | [`domain`] | the vocabulary |
//! | 1 | [`rules`], [`reading`], [`workflow`], [`letters`] | decide: no I/O, clock, randomness, async or logging |
//! | 2 | `clock`, `crypto`, `tls`, `store`, `pki`, `engine` | one synchronous, durable step |
//! | 3 | `intake`, `dispatch`, `scheduler`, `web`, `sandbox` | touch the world |
//! | 4 | `config`, `telemetry`, `daemon`, `demo`, `cli` and the binary | entry |
//!
//! Layers 2 to 4 exist only with the feature `daemon`.

pub mod domain;
pub mod letters;
pub mod reading;
pub mod rules;
pub mod workflow;

#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod clock;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod crypto;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod demo;
#[cfg(feature = "daemon")]
pub mod dispatch;
#[cfg(feature = "daemon")]
pub mod engine;
#[cfg(feature = "daemon")]
pub mod health;
#[cfg(feature = "daemon")]
pub mod intake;
#[cfg(feature = "daemon")]
pub mod pki;
#[cfg(feature = "daemon")]
pub mod sandbox;
#[cfg(feature = "daemon")]
pub mod scheduler;
#[cfg(feature = "daemon")]
pub mod store;
#[cfg(feature = "daemon")]
pub mod telemetry;
#[cfg(feature = "daemon")]
pub mod tls;
#[cfg(feature = "daemon")]
pub mod web;
