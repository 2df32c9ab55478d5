//! What becomes of the mailbox: marks, moves, or nothing; and that nothing is filed twice whatever the server does.

use crate::support::flow::{Flow, Tls};
use crate::support::local::inbox;
use crate::support::place::sample;

const NOW: &str = "2020-04-20T10:00:00+09:00";
const LATER: &str = "2020-04-20T11:00:00+09:00";

fn deliver(flow: &Flow, names: &[&str]) {
    let mails: Vec<_> = names.iter().map(|name| sample(name)).collect();
    flow.dovecot.deliver(mails.iter().map(Vec::as_slice));
}

fn filed(flow: &Flow) -> usize {
    let store = annai::store::Store::open(&flow.place.file("state"), annai::store::Options::default()).unwrap();
    inbox(&store).len()
}

#[test]
fn a_keyword_and_a_new_uidvalidity() {
    let mut flow = Flow::start(Tls::Implicit, Tls::StartTls);
    deliver(&flow, &["sapporo.eml", "kochi.eml"]);
    assert_eq!(flow.dovecot.marked("", 'a'), 0);
    assert_eq!(flow.at(NOW).len(), 2 * 2 + 2 + 3, "receipts, copies, welcomes");
    assert_eq!((flow.dovecot.marked("", 'a'), filed(&flow)), (2, 2));

    // As after a restore: every mail has a new UID. Nothing is answered twice, a new mail is.
    flow.dovecot.forget_uids();
    deliver(&flow, &["nagoya.eml"]);
    let new = flow.at(LATER);
    assert!(new.iter().all(|letter| !letter.subject.contains("札幌市")), "{new:#?}");
    assert_eq!((new.len(), filed(&flow)), (2 + 2, 3));
    assert_eq!((flow.at(LATER).len(), flow.dovecot.marked("", 'a')), (0, 3));
}

#[test]
fn a_move_to_a_japanese_folder() {
    let mut flow = Flow::start(Tls::StartTls, Tls::StartTls);
    flow.place.set("imap", "after", "\"move:処理済み\"");
    deliver(&flow, &["sapporo.eml", "aichi.eml"]);
    assert_eq!(flow.at(NOW).len(), 2 * 2 + 2 + 4);
    // 処理済み in modified UTF-7 (RFC 3501 §5.1.3).
    let folder = ".&UeZ0Bm4IMH8-";
    let cur = |folder: &str| flow.dovecot.maildir().join(folder).join("cur").read_dir().unwrap().count();
    let new = |folder: &str| flow.dovecot.maildir().join(folder).join("new").read_dir().unwrap().count();
    assert_eq!((cur("") + new(""), cur(folder) + new(folder), filed(&flow)), (0, 2, 2));
    assert_eq!((flow.at(LATER).len(), filed(&flow)), (0, 2));
}

#[test]
fn a_mailbox_that_is_left_as_it_is() {
    let mut flow = Flow::start(Tls::Implicit, Tls::Implicit);
    flow.place.set("imap", "after", "\"nothing\"");
    deliver(&flow, &["sapporo.eml"]);
    assert_eq!(flow.at(NOW).len(), 2 + 2);
    assert_eq!(flow.dovecot.marked("", 'a') + flow.dovecot.marked("", 'S'), 0, "no keyword, not even read");
    // Only the cursor knows; it does.
    assert_eq!((flow.at(LATER).len(), filed(&flow)), (0, 1));
    deliver(&flow, &["sapporo.eml"]);
    assert_eq!((flow.at(LATER).len(), filed(&flow)), (0, 2), "the same bytes again: a duplicate");
}

/// A server whose certificate nobody vouches for gets neither the password nor a letter.
#[test]
fn a_foreign_authority_is_refused() {
    for tls in [Tls::Implicit, Tls::StartTls] {
        let flow = Flow::start(tls, tls);
        deliver(&flow, &["sapporo.eml"]);
        std::fs::copy(flow.dovecot.foreign_ca(), flow.place.file("imap-ca.pem")).unwrap();
        let said = flow.place.try_once(NOW);
        assert_eq!(
            (said.code, said.stderr.contains("the mailbox could not be read")),
            (Some(1), true),
            "{}",
            said.stderr
        );
        assert!(said.stderr.contains("ca_file"), "the remedy: {}", said.stderr);
        assert_eq!((flow.receiver.letters().len(), flow.dovecot.marked("", 'a')), (0, 0));

        std::fs::copy(flow.dovecot.ca(), flow.place.file("imap-ca.pem")).unwrap();
        std::fs::copy(flow.dovecot.foreign_ca(), flow.place.file("smtp-ca.pem")).unwrap();
        let said = flow.place.try_once(NOW);
        assert_eq!((said.code, said.stderr.contains("letters could not be handed over")), (Some(1), true));
        assert_eq!((flow.receiver.letters().len(), flow.dovecot.marked("", 'a'), filed(&flow)), (0, 1, 1));
    }
}
