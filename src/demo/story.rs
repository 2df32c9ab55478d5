//! The story as data: `story.toml`, typed. It is built in, so a fault in it is a fault of the program; a test reads it.

use crate::domain::{MailAddress, Timestamp};
use serde::Deserialize;

const TEXT: &str = include_str!("story.toml");

/// Everything that happens from outside while the demo runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    pub start: Timestamp,
    /// Nothing happens after this.
    pub end: Timestamp,
    pub mail: Vec<StoryMail>,
    pub mailbox: Vec<Behaviour>,
    pub staff: Vec<StaffAct>,
    pub officer: Vec<Officer>,
}

/// A mail to the contact desk.
#[derive(Debug, Clone, Deserialize)]
pub struct StoryMail {
    pub id: String,
    pub at: Timestamp,
    pub ja: String,
    pub en: String,
    #[serde(flatten)]
    pub content: Content,
}

/// What a mail says.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// The bytes of an earlier mail.
    Again {
        again: String,
    },
    Written {
        from: MailAddress,
        name: String,
        charset: Charset,
        subject: String,
        body: String,
    },
}

/// How a mail is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charset {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "iso-2022-jp")]
    Iso2022Jp,
    #[serde(rename = "shift_jis")]
    ShiftJis,
}

/// How a mailbox behaves towards our letters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    pub address: MailAddress,
    pub kind: Mood,
    /// [`Mood::Busy`]: how many attempts are put off.
    pub times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mood {
    Bounce,
    Refused,
    Busy,
    OutOfOffice,
}

/// What staff do, so many days after the mail was filed or the tenant's window was over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffAct {
    pub mail: Option<String>,
    pub tenant: Option<MailAddress>,
    pub verb: StaffVerb,
    pub after_days: u32,
    pub ja: String,
    pub en: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StaffVerb {
    Accept,
    Reject,
    Close,
    Reissue,
}

/// When an officer picks the certificate up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    pub address: MailAddress,
    #[serde(default)]
    pub days: u32,
    #[serde(default)]
    pub never: bool,
}

impl Story {
    pub fn load() -> Result<Self, toml::de::Error> {
        toml::from_str(TEXT)
    }

    /// Days between the password and the pick-up; `None`: the officer lets the time pass. After a re-issue everybody
    /// hurries.
    pub fn patience(&self, address: &MailAddress, generation: u32) -> Option<u32> {
        let named = self.officer.iter().find(|officer| officer.address.same_mailbox(address));
        match named {
            _ if generation > 1 => Some(2),
            Some(officer) if officer.never => None,
            Some(officer) => Some(officer.days),
            // Any spread will do, as long as it is the same each time.
            None => Some(1 + address.as_str().bytes().map(u32::from).sum::<u32>() % 9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_reads_and_stays_in_its_time() {
        let story = Story::load().unwrap();
        assert!(story.mail.len() >= 15);
        for mail in &story.mail {
            assert!(mail.at >= story.start && mail.at <= story.end, "{}", mail.id);
            if let Content::Again { again } = &mail.content {
                assert!(story.mail.iter().any(|m| m.id == *again && m.at < mail.at), "{again}");
            }
        }
        let known = |id: &String| story.mail.iter().any(|m| m.id == *id);
        assert!(
            story
                .staff
                .iter()
                .all(|act| act.mail.as_ref().is_none_or(known) && (act.mail.is_some() != act.tenant.is_some()))
        );
    }

    #[test]
    fn everything_invented_stays_invented() {
        let story = Story::load().unwrap();
        let invented = |address: &MailAddress| address.domain().ends_with("-mihon.lg.jp");
        assert!(
            story.mailbox.iter().all(|b| invented(&b.address)) && story.officer.iter().all(|o| invented(&o.address))
        );
        for mail in &story.mail {
            if let Content::Written { from, .. } = &mail.content {
                assert!(invented(from), "{}", mail.id);
            }
        }
    }
}
