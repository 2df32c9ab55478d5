//! AUTH PLAIN (RFC 4616) and AUTH LOGIN: any user name, the one password.

use super::lines::Line;
use super::session::{BAD_SEQUENCE, COMMAND_OCTETS_MAX, Session};
use crate::sandbox::{SmtpStage, imap};
use imap_codec::AuthenticateDataCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::auth::AuthenticateData;
use std::io;

/// `Username:` and `Password:` in Base64, as AUTH LOGIN asks.
const USERNAME: &str = "334 VXNlcm5hbWU6";
const PASSWORD: &str = "334 UGFzc3dvcmQ6";

impl Session {
    pub(super) async fn authenticate(&mut self, mechanism: &str, initial: Option<String>) -> io::Result<String> {
        if let Some(reply) = self.meet(SmtpStage::Auth).await? {
            return Ok(reply);
        }
        if self.authenticated || self.mail.is_some() || !self.extended {
            return Ok(BAD_SEQUENCE.to_owned());
        }
        let first = initial.map(|word| if word == "=" { Vec::new() } else { word.into_bytes() });
        let password = match mechanism {
            "PLAIN" => {
                let response = self.response("334 ", first).await?;
                imap::plain(&response.unwrap_or_default()).map(|(_, password)| password.to_vec())
            }
            "LOGIN" => {
                let _user = self.response(USERNAME, first).await?;
                self.response(PASSWORD, None).await?
            }
            _ => return Ok("504 5.5.4 PLAIN and LOGIN are offered".to_owned()),
        };
        self.authenticated = password.is_some_and(|password| self.office.knows(&password));
        let reply = if self.authenticated { "235 2.7.0 Welcome" } else { "535 5.7.8 Wrong user name or password" };
        Ok(reply.to_owned())
    }

    /// The client's response to a challenge (or the one it gave at once), out of its Base64; `None` if it is none.
    async fn response(&mut self, challenge: &str, given: Option<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
        let mut line = if let Some(line) = given {
            line
        } else {
            self.reply(challenge).await?;
            match self.lines.next(COMMAND_OCTETS_MAX).await? {
                Line::Whole(line) => line,
                Line::TooLong => return Ok(None),
            }
        };
        line.extend_from_slice(b"\r\n");
        // The same line as in IMAP's AUTHENTICATE, so the same reader.
        Ok(match AuthenticateDataCodec::default().decode(&line) {
            Ok((_, AuthenticateData::Continue(response))) => Some(response.declassify().to_vec()),
            Ok((_, AuthenticateData::Cancel)) | Err(_) => None,
        })
    }
}
