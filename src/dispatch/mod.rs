//! How letters leave: one SMTP session ([`smtp`]), signatures ([`dkim`]), speed ([`throttle`]).

mod command;
pub mod dkim;
mod handshake;
mod reply;
pub mod smtp;
pub mod throttle;
mod wire;
