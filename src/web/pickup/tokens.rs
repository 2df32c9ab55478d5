//! Marks in forms and the cookie of a browser that has typed the right password.
//!
//! A form's mark is a keyed digest of what it belongs to: without having seen the page nobody can send the form, and a page
//! of somebody else cannot send it for a visitor (CSRF). Besides, a browser that says where a form comes from is believed.
//! The cookie holds the engine's session and nothing else.

use crate::crypto::{self, MasterKey, Purpose, codes};
use axum::http::{HeaderMap, HeaderValue, header};

/// Characters of a session: 32 bytes in hexadecimal digits.
const SESSION_CHARS: usize = 64;
/// How long a browser keeps the cookie, in seconds; the engine forgets the session by itself.
const COOKIE_SECONDS: u32 = 4 * 3600;

/// What a mark allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// To try a password.
    Password,
    /// To accept the terms: the password was right in this session.
    Terms,
    /// To take the certificate: the terms were accepted in this session.
    Certificate,
    /// To see the credentials: this certificate has been checked.
    Credentials,
}

/// Makes and checks marks.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(MasterKey);

impl Tokens {
    /// `key`: of the pages only, not the master key itself.
    pub(crate) fn new(key: MasterKey) -> Self {
        Self(key)
    }

    /// The mark of a form; `about`: code and session, or serial number.
    pub(crate) fn mark(&self, form: Form, about: &[&str]) -> String {
        let name = match form {
            Form::Password => "password",
            Form::Terms => "terms",
            Form::Certificate => "certificate",
            Form::Credentials => "credentials",
        };
        let text = [&[name], about].concat().join("\n");
        crypto::hex(&self.digest(text.as_bytes()))
    }

    pub(crate) fn holds(&self, form: Form, about: &[&str], mark: &str) -> bool {
        crypto::same(self.mark(form, about).as_bytes(), mark.as_bytes())
    }

    /// Under which a code is counted; the code itself is kept nowhere.
    pub(crate) fn digest(&self, bytes: &[u8]) -> [u8; 16] {
        self.0.tag(Purpose::Session, bytes)
    }
}

/// A code as it stands in addresses, `k7m2-9xqd-…`; `None` if it cannot be one.
pub(super) fn grouped(typed: &str) -> Option<String> {
    let bare = codes::canonical(typed)?;
    let chars: Vec<char> = bare.reveal().chars().collect();
    Some(chars.chunks(4).map(|group| group.iter().collect()).collect::<Vec<String>>().join("-"))
}

/// The session in a browser's cookie.
pub(super) fn session(headers: &HeaderMap, secure: bool) -> Option<String> {
    let name = cookie_name(secure);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(of, _)| *of == name)?.1;
    (value.len() == SESSION_CHARS && value.bytes().all(|b| b.is_ascii_hexdigit())).then(|| value.to_owned())
}

/// The cookie that keeps a session; to scripts and other sites it does not exist.
pub(super) fn cookie(session: &str, secure: bool) -> Option<HeaderValue> {
    let name = cookie_name(secure);
    let lock = if secure { "; Secure" } else { "" };
    let text = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}{lock}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Browsers bind a name with `__Host-` to TLS, this host and the whole of it (RFC 6265bis §4.1.3).
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-annai" } else { "annai" }
}

/// Whether a form may come from where the browser says it does. Browsers that say nothing are believed: the mark counts.
pub(crate) fn same_site(headers: &HeaderMap) -> bool {
    let text = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        None | Some("null") => true,
        Some(origin) => text("host").is_some_and(|host| origin.split_once("://").is_some_and(|(_, from)| from == host)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn marks_belong_to_one_form_and_one_matter() {
        let tokens = Tokens::new(MasterKey::from_bytes([3; 32]));
        let mark = tokens.mark(Form::Terms, &["code", "session"]);
        assert!(tokens.holds(Form::Terms, &["code", "session"], &mark));
        for (form, about) in [
            (Form::Certificate, ["code", "session"]),
            (Form::Terms, ["code", "other"]),
            (Form::Terms, ["other", "session"]),
        ] {
            assert!(!tokens.holds(form, &about, &mark));
        }
        assert!(!tokens.holds(Form::Terms, &["code", "session"], ""));
        assert!(!Tokens::new(MasterKey::from_bytes([4; 32])).holds(Form::Terms, &["code", "session"], &mark));
    }

    #[test]
    fn cookies_come_back() {
        let value = "a".repeat(64);
        for secure in [true, false] {
            let set = cookie(&value, secure).unwrap();
            let set = set.to_str().unwrap();
            assert_eq!(set.contains("; Secure"), secure);
            assert!(set.contains("; HttpOnly; SameSite=Strict;"));
            let sent = format!("x=1; {}", set.split(';').next().unwrap());
            let mut back = HeaderMap::new();
            back.insert(header::COOKIE, sent.parse().unwrap());
            assert_eq!(session(&back, secure).as_ref(), Some(&value));
            assert_eq!(session(&back, !secure), None);
        }
        assert_eq!(session(&headers(&[("cookie", "annai=short")]), false), None);
    }

    #[test]
    fn forms_of_other_sites_are_not_taken() {
        let check = |pairs: &[(&'static str, &'static str)], expected| assert_eq!(same_site(&headers(pairs)), expected);
        check(&[], true);
        check(&[("origin", "https://a.example"), ("host", "a.example")], true);
        check(&[("origin", "https://b.example"), ("host", "a.example")], false);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "https://b.example")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "null")], true);
    }
}
