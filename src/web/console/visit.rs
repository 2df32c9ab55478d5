//! One request to the console: who asks, in which language and colours, with which parameters. What cannot be read counts as not
//! given.

use super::viewer::Viewer;
pub(super) use crate::engine::views::words::Lang;
use crate::web::language;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use std::collections::HashMap;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) viewer: Viewer,
    pub(super) lang: Lang,
    /// `light`, `dark`, or `auto`: as the system says.
    pub(super) theme: &'static str,
    pub(super) path: String,
    /// The parameters as they stood in the address.
    pub(super) query: String,
    pub(super) params: HashMap<String, String>,
    pub(super) cookies: HashMap<String, String>,
}

impl Visit {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }

    /// Path and parameters, without what only says what has just been done.
    pub(super) fn here(&self) -> String {
        let kept =
            self.query.split('&').filter(|part| !part.is_empty() && !part.starts_with("done=")).collect::<Vec<_>>();
        if kept.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, kept.join("&")) }
    }

    /// The same page with one parameter changed (`None`: without it).
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> String {
        let own = format!("{name}=");
        let other = ["done=", "after=", "before="];
        let mut parts: Vec<String> = self
            .query
            .split('&')
            .filter(|part| !part.is_empty() && !part.starts_with(&own) && !other.iter().any(|o| part.starts_with(o)))
            .map(str::to_owned)
            .collect();
        parts.extend(value.map(|value| format!("{own}{}", encode(value))));
        if parts.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, parts.join("&")) }
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let viewer = Viewer::from_request_parts(parts, state).await?;
        let cookies: HashMap<String, String> = parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let params = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let params: HashMap<_, _> = params.map(|query| query.0.into_iter().collect()).unwrap_or_default();
        let lang = language::asked(&parts.headers);
        let theme = match cookies.get("theme").map(String::as_str) {
            Some("light") => "light",
            Some("dark") => "dark",
            Some(_) | None => "auto",
        };
        Ok(Self { viewer, lang, theme, path: parts.uri.path().to_owned(), query, params, cookies })
    }
}

/// A value as it stands in an address or a cookie (RFC 3986 §2.1): all but unreserved characters as %XX.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15].map(|n| char::from_digit(n.into(), 16).unwrap_or('0').to_ascii_uppercase()),
            );
        }
    }
    encoded
}

/// The value [`encode`] was given; what is no %XX stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = pair.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path on this console, for going back to; anything else is the first page.
pub(super) fn local_path(path: &str) -> &str {
    let safe = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\0']);
    if safe { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_nothing_leads_away() {
        for text in ["state:open 札幌", "a=b&c;d", "%zz", ""] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("%E6%9C%AD%"), "札%");
        for away in ["//evil.example", "https://evil.example", "/\\evil", "", "/a\r\nSet-Cookie: x"] {
            assert_eq!(local_path(away), "/", "{away}");
        }
        assert_eq!(local_path("/outbox?q=a"), "/outbox?q=a");
    }
}
