//! What every page for officers shares: whom to ask, where things are, Japanese or English, and moments in both.
//!
//! Japanese is what counts; `?lang=en` shows English, and every link and form of a page keeps to it. No cookie for that.

use super::Contact;
use super::look::page;
use crate::domain::{Date, Timestamp};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use minijinja::{Value, context};
use serde::Deserialize;
use std::net::IpAddr;

/// What the pages for officers say about themselves.
#[derive(Debug, Clone)]
pub struct Site {
    pub contact: Contact,
    /// Public address of the pick-up pages, without a slash at its end.
    pub pickup_url: String,
    /// Public address of the terminal check; `None`: there is none.
    pub gate_url: Option<String>,
}

/// The query every page takes.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    pub(super) lang: Option<String>,
    pub(super) code: Option<String>,
}

/// In which language a page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Japanese,
    English,
}

impl Asked {
    pub(super) fn tongue(&self) -> Tongue {
        if self.lang.as_deref() == Some("en") { Tongue::English } else { Tongue::Japanese }
    }
}

impl Site {
    /// Whether visitors reach the pages by TLS, here or at a proxy: cookies and HSTS depend on it.
    pub fn secure(&self) -> bool {
        self.pickup_url.starts_with("https://")
    }

    /// A page with the common values and its own.
    pub(super) fn page(&self, status: StatusCode, template: &str, tongue: Tongue, own: Value) -> Response {
        let Contact { name, address, hours } = &self.contact;
        let english = tongue == Tongue::English;
        let common = context! {
            en => english,
            q => if english { "?lang=en" } else { "" },
            desk => context! { name, address => address.as_str(), hours },
            site => self.pickup_url,
            gate => self.gate_url,
            help => format!("{}/help", self.pickup_url),
        };
        page(status, template, context! { ..own, ..common })
    }
}

/// A moment as an officer reads it, and in the plain form of the English pages.
pub(super) fn moment(at: Timestamp) -> Value {
    context! { official => at.official(), plain => at.staff() }
}

pub(super) fn day(date: Date) -> Value {
    context! { official => date.official(), plain => date.staff() }
}

/// Who asks, for limits. A proxy on this machine names its client last in X-Forwarded-For; nobody else is believed. Of an
/// IPv6 address the network counts (the first 64 bits).
pub(super) fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let named = headers.get_all(header::HeaderName::from_static("x-forwarded-for")).iter().next_back();
    let named = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    match if peer.is_loopback() { named.unwrap_or(peer) } else { peer } {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_is_believed() {
        let check = |peer: &str, forwarded: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            assert_eq!(client(peer.parse().unwrap(), &headers).to_string(), expected, "{peer} {forwarded:?}");
        };
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["10.0.0.9, 192.0.2.7"], "192.0.2.7");
        check("127.0.0.1", &["192.0.2.1", "192.0.2.2"], "192.0.2.2");
        check("127.0.0.1", &["nonsense"], "127.0.0.1");
        check("192.0.2.1", &["10.0.0.9"], "192.0.2.1");
        check("2001:db8:1:2:3:4:5:6", &[], "2001:db8:1:2::");
        check("::ffff:192.0.2.1", &[], "192.0.2.1");
    }
}
