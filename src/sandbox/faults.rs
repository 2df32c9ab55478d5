//! Faults as data: what the post office does wrong, where, and how often. Rules are tried in order; the first whose
//! place fits and whose [`When`] says so is played. A rule that fits but does not fire still counts the visit.
//! How they are counted: `desk.rs`.

use std::time::Duration;

/// Everything that goes wrong. The default is a post office without faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Start of the pseudo-random numbers behind [`When::Chance`].
    pub seed: u64,
    /// STARTTLS is neither offered nor accepted, as behind a middle box that strips it.
    pub hide_starttls: bool,
    pub imap: Vec<ImapRule>,
    pub smtp: Vec<SmtpRule>,
    pub answers: Vec<AnswerRule>,
}

/// How often a rule is played, counted over the times its place is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// The first so many times.
    First(u32),
    /// The first so many times for each recipient (or IMAP user): greylisting.
    FirstEach(u32),
    /// Only the n-th time, counted from 1.
    Nth(u32),
    /// Each n-th time; 0 is never.
    EveryNth(u32),
    /// This often in a hundred, by the seed.
    Chance(u8),
}

/// Where in the IMAP dialogue a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImapVerb {
    Greeting,
    Capability,
    Noop,
    Logout,
    StartTls,
    Login,
    Authenticate,
    Select,
    Status,
    List,
    Create,
    Append,
    Search,
    Fetch,
    Store,
    Copy,
    Move,
    Expunge,
    Idle,
    /// Any command that has no name here.
    Other,
}

/// One IMAP fault. `at: None` fits every command (not the greeting).
#[derive(Debug, Clone)]
pub struct ImapRule {
    pub at: Option<ImapVerb>,
    pub when: When,
    pub act: ImapFault,
}

/// What the IMAP server does instead of answering properly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImapFault {
    /// The connection ends after so many octets of the answer: mid-FETCH.
    CutAfterOctets(usize),
    /// The connection ends after so many whole untagged responses: a cut at a boundary looks like an end.
    CutAfterResponses(usize),
    /// `* BYE` after so many whole untagged responses, then the connection ends.
    ByeAfterResponses(usize),
    /// The answer trickles, so many octets a second (at least 1).
    Drip { octets_per_second: u32 },
    /// The selected-to-be folder gets a new UIDVALIDITY and new UIDs; played at SELECT, EXAMINE and STATUS.
    ChangeUidValidity,
    /// A tagged NO with this text and no data.
    No(String),
    /// Nothing is ever answered; the connection stays open.
    Silence,
    /// A line that is no IMAP comes before the answer.
    Garbage,
    /// These octets come before the answer; `{tag}` stands for the command's tag.
    Before(String),
    /// These octets come instead of the answer, `{tag}` as above. At STARTTLS the handshake begins nonetheless: text
    /// behind the tagged OK is what a man in the middle would slip in.
    Instead(String),
    /// Only in IDLE: `* OK Still here` at this interval, as Dovecot sends.
    KeepAlive { every: Duration },
}

/// Where in the SMTP dialogue a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpStage {
    /// Before the banner.
    Connect,
    /// After the banner was sent.
    Banner,
    Ehlo,
    StartTls,
    Auth,
    MailFrom,
    Rcpt,
    Data,
    /// While the text is coming in, before its final dot.
    Body,
    /// After the final dot.
    FinalDot,
}

/// One SMTP fault. `recipient` is looked at from [`SmtpStage::Rcpt`] on; before, a rule with a recipient never fits.
#[derive(Debug, Clone)]
pub struct SmtpRule {
    pub at: SmtpStage,
    pub recipient: Option<Pattern>,
    pub when: When,
    pub act: SmtpFault,
}

/// What the SMTP server does instead of answering properly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpFault {
    /// This reply, for example `451 4.7.1 Greylisted`; nothing is stored. 421 also closes.
    Reply(String),
    /// The connection ends without a reply; nothing is stored.
    Close,
    /// Only after the final dot: the mail is stored, then the connection ends without a reply.
    CloseStored,
    /// The right reply, this much later.
    Delay(Duration),
    /// No reply ever; the connection stays open.
    Silence,
}

/// What comes back, as mail, after a mail was accepted. Never to the empty sender (RFC 5321 §4.5.5).
#[derive(Debug, Clone)]
pub struct AnswerRule {
    pub recipient: Pattern,
    pub when: When,
    /// Real time between acceptance and the answer.
    pub after: Duration,
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The mail is not delivered but reported. `status` like `5.1.1` (RFC 3463), `diagnostic` like `550 5.1.1 User unknown`.
    Bounce { style: BounceStyle, status: String, diagnostic: String },
    /// The mail is delivered, after a report that it is late (RFC 3464, `Action: delayed`).
    Delayed { status: String, diagnostic: String },
    /// The mail is delivered, and an out-of-office mail comes back (RFC 3834, `Auto-Submitted: auto-replied`).
    OutOfOffice { text: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BounceStyle {
    /// multipart/report with message/delivery-status (RFC 3464).
    Report,
    /// Plain text as Postfix writes it, without a machine-readable part.
    PlainEnglish,
    /// The same in Japanese, ISO-2022-JP.
    PlainJapanese,
}

/// A mail address with `*` for any run of characters; case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// How often each rule was played, in the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub imap: Vec<u64>,
    pub smtp: Vec<u64>,
    pub answers: Vec<u64>,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    pub fn fits(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        let Some((head, tail)) = self.0.split_once('*') else { return self.0 == address };
        let Some(mut rest) = address.strip_prefix(head) else { return false };
        let mut pieces: Vec<&str> = tail.split('*').collect();
        let last = pieces.pop().unwrap_or("");
        for piece in pieces {
            let Some((_, after)) = rest.split_once(piece) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let fits = |pattern: &str, address: &str| Pattern::new(pattern).fits(address);
        assert!(fits("*@city.example.jp", "Hoken@City.example.jp"));
        assert!(fits("hoken*@*.jp", "hoken-ka@city.example.jp"));
        assert!(fits("a@b.jp", "A@b.jp"));
        assert!(fits("*", "a@b.jp"));
        assert!(!fits("*@city.example.jp", "hoken@city.example.jp.evil"));
        assert!(!fits("a@b.jp", "aa@b.jp"));
    }
}
