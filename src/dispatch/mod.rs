//! dispatch

mod command;
pub mod dkim;
mod handshake;
pub mod reply;
pub mod smtp;
pub mod throttle;
mod wire;
