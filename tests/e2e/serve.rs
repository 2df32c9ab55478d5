//! The daemon that keeps running: a mailbox that goes away and comes back, rules reloaded, an orderly end.

use crate::support::flow::{Flow, Tls};
use crate::support::local::outbox;
use crate::support::place::sample;
use annai::sandbox::{Faults, SmtpFault, SmtpRule, SmtpStage, When};
use annai::workflow::delivery::Delivery;
use std::time::Duration;

const NOW: &str = "2020-04-20T10:00:00+09:00";
const SAPPORO: &str = "tanto@city.sapporo.mihon.lg.jp";
const KOCHI: &str = "iryo@pref.kochi.mihon.lg.jp";
const NAGOYA: &str = "hoken@city.nagoya.mihon.lg.jp";
const YOKOHAMA: &str = "tanto@city.yokohama.mihon.lg.jp";

#[test]
fn dovecot_goes_away_and_comes_back() {
    let mut flow = Flow::start(Tls::StartTls, Tls::StartTls);
    let mut daemon = flow.place.serve(NOW);
    arrives(&flow, "sapporo.eml", SAPPORO);
    flow.dovecot.down();
    daemon.wait_for("mailbox cannot be read");
    flow.dovecot.deliver([sample("kochi.eml").as_slice()]);
    flow.dovecot.up();
    flow.receiver.wait_until("the mail of the meantime is answered", |office| !office.mails(KOCHI).is_empty());
    arrives(&flow, "nagoya.eml", NAGOYA);
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    for address in [SAPPORO, KOCHI, NAGOYA] {
        assert_eq!(flow.receiver.office.mails(address).len(), 1, "{address}: one receipt");
    }
}

#[test]
fn rules_and_letters_are_reloaded_and_bad_ones_refused() {
    let flow = Flow::start(Tls::StartTls, Tls::StartTls);
    let mut daemon = flow.place.serve(NOW);
    let answer = |address: &str| {
        let letters = flow.receiver.letters();
        letters.into_iter().find(|letter| letter.envelope_to == address).expect("an answer").text
    };

    flow.place.replace("templates/mail/receipt.txt", "◆今後の流れ", "◆これから");
    daemon.signal("HUP");
    daemon.wait_for("rules and templates reloaded");
    arrives(&flow, "sapporo.eml", SAPPORO);
    assert!(answer(SAPPORO).contains("◆これから"));

    // A bad set: the old one stays, wholly, and every fault is named with its place.
    flow.place.replace("templates/mail/receipt.txt", "◆これから", "◆その後");
    flow.place.replace("rules/schedule.toml", "window_days = 30", "window_days = 3000");
    flow.place.replace("rules/schedule.toml", "give_up_hours = 72", "give_up_hours = \"many\"");
    daemon.signal("HUP");
    let line = daemon.wait_for("rules and templates were not reloaded");
    assert!(line.contains("window_days") || daemon.heard.contains("window_days"), "{line}");
    arrives(&flow, "kochi.eml", KOCHI);
    assert!(answer(KOCHI).contains("◆これから"));
    assert!(daemon.child.try_wait().unwrap().is_none(), "it runs on");

    flow.place.replace("rules/schedule.toml", "window_days = 3000", "window_days = 30");
    flow.place.replace("rules/schedule.toml", "give_up_hours = \"many\"", "give_up_hours = 72");
    daemon.signal("HUP");
    daemon.wait_for("rules and templates reloaded");
    arrives(&flow, "nagoya.eml", NAGOYA);
    assert!(answer(NAGOYA).contains("◆その後"));
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
}

/// A letter whose final dot is not yet answered when SIGTERM comes is waited for: its outcome is known afterwards.
#[test]
fn sigterm_finishes_what_is_under_way() {
    let mut flow = Flow::start(Tls::StartTls, Tls::StartTls);
    flow.place.set("smtp", "connections", "1");
    let slow =
        |at| SmtpRule { at, recipient: None, when: When::First(1), act: SmtpFault::Delay(Duration::from_secs(2)) };
    flow.receiver.office.set_faults(Faults { smtp: vec![slow(SmtpStage::FinalDot)], ..Faults::default() });
    let daemon = flow.place.serve(NOW);
    flow.dovecot.deliver([sample("yokohama.eml").as_slice()]);
    flow.receiver.wait_until("the first letter is under way", |office| {
        office.played().smtp == [1] || !office.mails(YOKOHAMA).is_empty()
    });
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    let store = annai::store::Store::open(&flow.place.file("state"), annai::store::Options::default()).unwrap();
    let rows = outbox(&store);
    drop(store);
    assert!(rows.iter().any(|row| matches!(row.delivery, Delivery::Relayed { .. })), "{rows:#?}");
    let open = |row: &annai::engine::records::Row| {
        matches!(row.delivery, Delivery::InFlight { .. } | Delivery::Unknown { .. })
    };
    assert!(!rows.iter().any(open), "{rows:#?}");
    // The rest leaves at the next start, nothing twice.
    flow.receiver.office.set_faults(Faults::default());
    flow.place.once(NOW);
    let mut ids: Vec<_> = flow.new_letters().into_iter().map(|l| (l.message_id, l.envelope_to)).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), all), (2 + 2, 2 + 2));
}

/// Puts a registration into the mailbox and waits for its receipt.
fn arrives(flow: &Flow, mail: &str, sender: &str) {
    flow.dovecot.deliver([sample(mail).as_slice()]);
    flow.receiver.wait_until("the sender has an answer", |office| !office.mails(sender).is_empty());
}
