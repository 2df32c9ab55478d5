//! The pages over a real engine: every state of a pick-up, the way to the certificate, the terminal check, health and
//! metrics. Nothing is changed by looking.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "web/flow.rs"]
mod flow;
#[path = "web/gate.rs"]
mod gate;
#[path = "web/impatient.rs"]
mod impatient;
#[path = "web/states.rs"]
mod states;
#[path = "web/status.rs"]
mod status;
#[path = "web/world.rs"]
mod world;
