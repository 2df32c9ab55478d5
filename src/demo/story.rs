//! The story as data: `story.toml`, typed. It is built in, so a fault in it is a fault of the program; a test reads it.

use crate::domain::{MailAddress, Timestamp};
use serde::Deserialize;

const TEXT: &str = include_str!("story.toml");

/// Everything that happens from outside while the demo runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    pub(super) start: Timestamp,
    /// Nothing happens after this.
    pub(super) end: Timestamp,
    pub(super) mail: Vec<StoryMail>,
    pub(super) mailbox: Vec<Behaviour>,
    pub(super) staff: Vec<StaffAct>,
    pub(super) officer: Vec<Officer>,
}

/// A mail to the contact desk.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoryMail {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) ja: String,
    pub(super) en: String,
    #[serde(flatten)]
    pub(super) content: Content,
}

/// What a mail says.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
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
pub(super) enum Charset {
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
pub(super) struct Behaviour {
    pub(super) address: MailAddress,
    pub(super) kind: Mood,
    /// [`Mood::Busy`]: how many attempts are put off.
    pub(super) times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mood {
    Bounce,
    Refused,
    Busy,
    OutOfOffice,
}

/// What staff do, so many days after the mail was filed or the tenant's window was over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StaffAct {
    pub(super) mail: Option<String>,
    pub(super) tenant: Option<MailAddress>,
    pub(super) verb: StaffVerb,
    pub(super) after_days: u32,
    pub(super) ja: String,
    pub(super) en: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StaffVerb {
    Accept,
    Reject,
    Close,
    Reissue,
}

/// When an officer picks the certificate up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Officer {
    pub(super) address: MailAddress,
    #[serde(default)]
    pub(super) days: u32,
    #[serde(default)]
    pub(super) never: bool,
    /// Whoever watches the demo takes this one.
    #[serde(default)]
    pub(super) visitor: bool,
}

impl Story {
    pub(super) fn load() -> Result<Self, toml::de::Error> {
        toml::from_str(TEXT)
    }

    /// Days between the password and the pick-up; `None`: the officer lets the time pass. After a re-issue everybody
    /// hurries.
    pub(super) fn patience(&self, address: &MailAddress, generation: u32) -> Option<u32> {
        let named = self.officer.iter().find(|officer| officer.address.same_mailbox(address));
        match named {
            Some(officer) if officer.visitor => None,
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
