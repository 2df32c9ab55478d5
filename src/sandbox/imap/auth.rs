//! LOGIN, AUTHENTICATE PLAIN (RFC 4616) and XOAUTH2 (Google's and Microsoft's bearer tokens). User name = mail address.

use super::completion::Completion;
use super::session::Session;
use imap_codec::AuthenticateDataCodec;
use imap_codec::imap_types::auth::{AuthMechanism, AuthenticateData};
use std::io;

/// What Google sends before the NO; the client answers with an empty line.
const XOAUTH2_CHALLENGE: &[u8] = br#"{"status":"400","schemes":"Bearer","scope":"sandbox"}"#;

impl Session {
    pub(super) fn log_in(&mut self, user: &[u8], password: &[u8]) -> Completion {
        if self.user.is_some() {
            return Completion::bad("Logged in already.");
        }
        if !self.office.knows(password) {
            return Completion::no("Wrong user name or password.");
        }
        let account = str::from_utf8(user).ok().and_then(|user| self.office.mailboxes().open_account(user).ok());
        let Some(account) = account else {
            return Completion::no("The user name is the mail address of a served domain.");
        };
        self.user = Some(account);
        Completion::ok("Logged in.")
    }

    pub(super) async fn authenticate(
        &mut self,
        mechanism: AuthMechanism<'static>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Completion> {
        let token = mechanism == AuthMechanism::XOAuth2;
        if !token && mechanism != AuthMechanism::Plain {
            return Ok(Completion::no("PLAIN and XOAUTH2 are offered."));
        }
        let response = match initial {
            Some(response) => response,
            None => match self.challenge(&[]).await? {
                Some(response) => response,
                None => return Ok(Completion::bad("Given up.")),
            },
        };
        let parsed = if token { bearer(&response) } else { plain(&response) };
        let answer = match parsed {
            Some((user, password)) => self.log_in(user, password),
            None => Completion::bad("That is not what the mechanism asks for."),
        };
        if token && !answer.is_ok() {
            self.challenge(XOAUTH2_CHALLENGE).await?;
        }
        Ok(answer)
    }

    /// Sends a challenge and reads the response; `None` if the client gave up.
    async fn challenge(&mut self, challenge: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.talk.go_on(challenge).await?;
        self.talk.frame().await?;
        match self.talk.frames.decode_message(&AuthenticateDataCodec::default()) {
            Ok(AuthenticateData::Continue(response)) => Ok(Some(response.declassify().to_vec())),
            Ok(AuthenticateData::Cancel) | Err(_) => Ok(None),
        }
    }
}

/// `authorisation NUL user NUL password`.
pub(in crate::sandbox) fn plain(response: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut pieces = response.split(|b| *b == 0);
    let (_authorisation, user, password) = (pieces.next()?, pieces.next()?, pieces.next()?);
    pieces.next().is_none().then_some((user, password))
}

/// `user=… ^A auth=Bearer … ^A ^A`.
fn bearer(response: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut pieces = response.split(|b| *b == 1);
    let user = pieces.next()?.strip_prefix(b"user=")?;
    let token = pieces.next()?.strip_prefix(b"auth=Bearer ")?;
    Some((user, token))
}
