//! Offices with a notice and a password each: registered and written to by the engine over a place's state directory, before
//! any daemon runs there.

#[path = "../support/post.rs"]
mod post;

use crate::support::flow::engine;
use crate::support::place::Place;
use annai::domain::{TenantId, Timestamp, time::DAY};
use annai::engine::Engine;
use annai::engine::filing::Arrived;
use annai::engine::records::About;
use annai::reading;
use annai::workflow::cursor::Cursor;
use std::collections::BTreeMap;

/// One tenant that can pick its certificate up.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    pub(crate) tenant: TenantId,
    pub(crate) code: String,
    pub(crate) password: String,
}

/// Registers the first authorities of the list with two health centres each at `registered`; a week later all of them hold
/// notice and password.
pub(crate) fn offices(place: &Place, registered: &str, authorities: usize) -> Vec<Office> {
    let start: Timestamp = registered.parse().unwrap();
    let mut found = BTreeMap::new();
    for (round, moment) in [start, start.plus(60), start.plus(7 * DAY - 3600), start.plus(7 * DAY)].iter().enumerate() {
        let mut engine = engine(place, &moment.rfc3339());
        if round == 0 {
            register(&mut engine, authorities);
        }
        deliver(&mut engine, &mut found);
    }
    let offices: Vec<_> = found
        .into_iter()
        .map(|(tenant, (code, password))| Office { tenant, code: code.unwrap(), password: password.unwrap() })
        .collect();
    assert!(offices.len() >= authorities * 2, "{} offices", offices.len());
    offices
}

fn register(engine: &mut Engine, authorities: usize) {
    let csv = include_str!("../../rules/authorities.csv");
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1).take(authorities);
    let mut arrived = Vec::new();
    for (uid, row) in (1..).zip(rows) {
        let mut fields = row.split(',');
        let (code, name) = (fields.next().unwrap(), fields.next().unwrap());
        let mut mail = format!(
            "From: tanto@a{uid}.mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
             Subject: 自治体・保健所メールアドレスの連絡（{name}）\r\nMessage-ID: <r{uid}@a{uid}.mihon.lg.jp>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             <自治体（保健所設置主体）>\r\n{name} kansen@a{uid}.mihon.lg.jp\r\n\r\n<保健所>\r\n"
        );
        for (no, centre) in (1..).zip(centres(code).take(2)) {
            mail += &format!("{centre} hokenjo{no}@a{uid}.mihon.lg.jp\r\n");
        }
        let reading = reading::read(mail.as_bytes(), &engine.setup().rules);
        arrived.push(Arrived { uid, raw: mail.into_bytes(), truncated: false, reading });
    }
    let next = u32::try_from(arrived.len()).unwrap() + 1;
    engine.file(Cursor { uid_validity: 1, uid_next: next }, arrived).unwrap();
}

fn centres(code: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    let csv = include_str!("../../rules/health_centres.csv");
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    rows.filter(move |row| row[0] == code).map(|row| row[2])
}

/// Every letter leaves; codes and passwords by the tenant they are for.
fn deliver(engine: &mut Engine, found: &mut BTreeMap<TenantId, (Option<String>, Option<String>)>) {
    post::deliver(engine, |engine, lease, body| {
        if let About::Tenant { tenant, .. } = engine.letter(lease.row).unwrap().line.about {
            let found = found.entry(tenant).or_default();
            found.0 = post::code_in(body).or(found.0.take());
            found.1 = post::password_in(body).or(found.1.take());
        }
    });
}
