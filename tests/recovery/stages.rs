//! The course of events both runs go through: registrations of twenty authorities, odd mails, bounces, all letters of
//! the calendar, the deadline, new courses.

use crate::support::flow::engine;
use crate::support::local::Local;
use crate::support::place::{returned, sample};
use annai::domain::LgCode;
use annai::engine::staff::Verb;
use annai::workflow::ReissueReason;
use std::fmt::Write as _;

/// What happens, and when annai is run after it.
pub(crate) struct Stage {
    pub(crate) at: &'static str,
    events: &'static [Event],
}

enum Event {
    /// Registrations by these authorities of the list in `rules/authorities.csv`, counted from 0.
    Register { from: usize, to: usize },
    /// The same mail once more.
    Again { no: usize },
    /// A mail of `tests/data/e2e`.
    Sample(&'static str),
    /// The latest letter to the authority with this number came back.
    Bounce { no: usize },
    /// Staff begin a new course for the authority with this number.
    Reissue { no: usize },
}

pub(crate) const STAGES: &[Stage] = &[
    Stage { at: "2020-04-20T10:00:00+09:00", events: &[Event::Register { from: 0, to: 7 }] },
    Stage {
        at: "2020-04-20T15:00:00+09:00",
        events: &[Event::Sample("unknown.eml"), Event::Register { from: 7, to: 13 }, Event::Again { no: 1 }],
    },
    Stage {
        at: "2020-04-21T11:00:00+09:00",
        events: &[Event::Sample("toyota.eml"), Event::Register { from: 13, to: 20 }, Event::Bounce { no: 2 }],
    },
    Stage { at: "2020-05-01T00:00:00+09:00", events: &[] },
    Stage {
        at: "2020-05-01T00:30:00+09:00",
        events: &[Event::Bounce { no: 3 }, Event::Bounce { no: 4 }, Event::Again { no: 5 }],
    },
    Stage { at: "2020-05-11T00:00:00+09:00", events: &[Event::Register { from: 20, to: 22 }] },
    Stage { at: "2020-05-15T10:00:00+09:00", events: &[Event::Bounce { no: 6 }] },
    Stage { at: "2020-05-15T11:00:00+09:00", events: &[Event::Register { from: 22, to: 26 }] },
    Stage { at: "2020-05-22T10:00:00+09:00", events: &[] },
    Stage { at: "2020-06-01T00:00:00+09:00", events: &[] },
    Stage {
        at: "2020-06-02T10:00:00+09:00",
        events: &[Event::Reissue { no: 0 }, Event::Reissue { no: 8 }, Event::Register { from: 26, to: 32 }],
    },
    Stage { at: "2020-06-04T10:00:00+09:00", events: &[Event::Again { no: 30 }] },
    Stage { at: "2020-06-04T10:30:00+09:00", events: &[] },
];

impl Stage {
    /// Lets the events happen. No daemon may be running.
    pub(crate) fn prepare(&self, local: &Local) {
        local.receiver.set_now(self.at);
        for event in self.events {
            match event {
                Event::Register { from, to } => (*from..*to).for_each(|no| local.deliver(&registration(no))),
                Event::Again { no } => local.deliver(&registration(*no)),
                Event::Sample(name) => local.deliver(&sample(name)),
                Event::Bounce { no } => {
                    let to = address(*no);
                    let letters = local.receiver.letters();
                    let last = letters.iter().rfind(|letter| letter.envelope_to == to).expect("a letter to return");
                    local.deliver(&returned(&last.envelope_from, &to, &last.message_id));
                }
                Event::Reissue { no } => {
                    let mut engine = engine(&local.place, self.at);
                    let code: LgCode = authority(*no).0.parse().unwrap();
                    let tenant = annai::domain::TenantId::authority_of(code);
                    engine.act("tester", &Verb::Reissue { tenant, reason: ReissueReason::TerminalReplaced }).unwrap();
                    engine.commit().unwrap();
                }
            }
        }
    }
}

/// Code and name of an authority.
fn authority(no: usize) -> (String, String) {
    let csv = include_str!("../../rules/authorities.csv");
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
    let row = rows.into_iter().nth(no).expect("an authority");
    let mut fields = row.split(',').map(str::to_owned);
    (fields.next().unwrap(), fields.next().unwrap())
}

fn address(no: usize) -> String {
    format!("kansen@a{no}.mihon.lg.jp")
}

/// Names of an authority's health centres.
fn centres(code: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    let csv = include_str!("../../rules/health_centres.csv");
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    rows.filter(move |row| row[0] == code).map(|row| row[2])
}

/// A registration of the authority and one or two health centres.
fn registration(no: usize) -> Vec<u8> {
    let (code, name) = authority(no);
    let mut mail = format!(
        "From: tanto@a{no}.mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
         Subject: 自治体・保健所メールアドレスの連絡（{name}）\r\nDate: Mon, 20 Apr 2020 09:00:00 +0900\r\n\
         Message-ID: <registration-{no}@a{no}.mihon.lg.jp>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         以下のとおり自治体、保健所のメールアドレスを連絡します。\r\n\r\n\
         <自治体（保健所設置主体）>\r\n{name} {}\r\n\r\n<保健所>\r\n",
        address(no),
    );
    for (centre, local) in centres(&code).zip(["hokenjo", "higashi"]).take(1 + usize::from(no.is_multiple_of(2))) {
        write!(mail, "{centre} {local}@a{no}.mihon.lg.jp\r\n").unwrap();
    }
    mail.into_bytes()
}
