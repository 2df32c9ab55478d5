//! The receiving side: annai's own post office in the test process, and its mails as a reader sees them.

use annai::domain::Timestamp;
use annai::sandbox::{Options, PostOffice};
use mail_parser::{MessageParser, MimeHeaders};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) const SMTP_USER: &str = "annai";
pub(crate) const SMTP_PASSWORD: &str = "Relais-8fqK2x";

/// A post office with a runtime of its own.
pub(crate) struct Receiver {
    pub(crate) office: PostOffice,
    runtime: tokio::runtime::Runtime,
    now: Arc<AtomicI64>,
}

/// One delivered mail.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Order of arrival.
    pub(crate) received: u64,
    pub(crate) received_at: Timestamp,
    pub(crate) envelope_from: String,
    pub(crate) envelope_to: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) subject: String,
    pub(crate) message_id: String,
    pub(crate) text: String,
    pub(crate) attachments: Vec<(String, Vec<u8>)>,
    /// From its own first header field on, without what was added at delivery.
    pub(crate) raw: Vec<u8>,
}

impl Receiver {
    /// SMTP with login; `ca` gets the certificate of its throw-away authority.
    pub(crate) fn open(ca: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("tokio");
        let now = Arc::new(AtomicI64::new(0));
        let hand = Arc::clone(&now);
        let clock = Arc::new(move || Timestamp::from_unix(hand.load(Ordering::Acquire)));
        let options = Options { smtp_auth_required: true, ..Options::new(SMTP_PASSWORD, clock) };
        let office = runtime.block_on(PostOffice::start(options)).expect("ports on loopback");
        std::fs::write(ca, office.ca_pem()).expect("CA file");
        Self { office, runtime, now }
    }

    /// What later mails are stamped with.
    pub(crate) fn set_now(&self, now: &str) {
        self.now.store(now.parse::<Timestamp>().expect("a moment").unix(), Ordering::Release);
    }

    /// Waits until something is so, looking again whenever any mailbox changes.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&PostOffice) -> bool) {
        let mut changes = self.office.watch();
        let wait = async {
            while !is_so(&self.office) {
                changes.changed().await.expect("the office is open");
            }
        };
        let waited = self.runtime.block_on(async { tokio::time::timeout(super::place::PATIENCE, wait).await });
        waited.unwrap_or_else(|_| panic!("waited in vain until {what}"));
    }

    /// All mails that came by SMTP, in order of arrival.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        let boxes = self.office.mailboxes();
        let mails: Vec<_> = boxes.iter().flat_map(|address| self.office.mails(address)).collect();
        let mut letters: Vec<Letter> = mails.iter().filter(|mail| mail.envelope_from.is_some()).map(letter).collect();
        letters.sort_by_key(|letter| letter.received);
        letters
    }

    /// What came after the first `count` mails.
    pub(crate) fn letters_after(&self, count: usize) -> Vec<Letter> {
        self.letters().split_off(count)
    }
}

impl Letter {
    /// The line after the one that holds `heading`, blank lines left out.
    pub(crate) fn below(&self, heading: &str) -> &str {
        let mut lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.find(|line| line.contains(heading)).unwrap_or_else(|| panic!("no {heading} in:\n{}", self.text));
        lines.next().expect("a line below")
    }
}

fn letter(mail: &annai::sandbox::StoredMail) -> Letter {
    let own = b"From:";
    let start = mail.raw.windows(own.len()).position(|window| window == own).expect("a From field");
    let parsed = MessageParser::default().parse(&*mail.raw).expect("a mail");
    let all = |field: Option<&mail_parser::Address<'_>>| {
        let found = field.into_iter().flat_map(mail_parser::Address::iter);
        found.filter_map(|a| a.address().map(str::to_owned)).collect::<Vec<_>>()
    };
    let attachments = parsed.attachments();
    Letter {
        received: mail.received,
        received_at: mail.received_at,
        envelope_from: mail.envelope_from.clone().unwrap_or_default(),
        envelope_to: mail.envelope_to.clone(),
        from: all(parsed.from()).join(","),
        to: all(parsed.to()),
        cc: all(parsed.cc()),
        subject: parsed.subject().unwrap_or_default().to_owned(),
        message_id: parsed.message_id().unwrap_or_default().to_owned(),
        text: parsed.body_text(0).unwrap_or_default().into_owned(),
        attachments: attachments
            .map(|part| (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec()))
            .collect(),
        raw: mail.raw.get(start..).unwrap_or_default().to_vec(),
    }
}
