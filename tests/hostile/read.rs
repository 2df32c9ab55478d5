//! What the reading makes of each hostile mail: no panic, nothing taken over by itself but what is true, and no control
//! character in what it understood.

use super::mails::{self, AUTHORITY, CENTRE, Hostile, May};
use super::{RULES, seed, worst};
use annai::domain::MailAddress;
use annai::reading::{Kind, Reading, limits};

/// Would this be taken over without a person?
fn by_itself(reading: &Reading) -> bool {
    matches!(reading.kind, Kind::Registration | Kind::Correction) && !reading.needs_review()
}

/// Control characters, line ends that are none of ours, and marks that turn the direction of writing.
pub(crate) fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn faults(mail: &Hostile, reading: &Reading) -> Vec<String> {
    let mut faults = Vec::new();
    let taken = |address: &Option<MailAddress>| address.as_ref().map(|a| a.as_str().to_ascii_lowercase());
    if by_itself(reading) && mail.may != May::Anything {
        let authority = reading.authority.as_ref();
        let code = authority.and_then(|a| a.code).map(|c| c.to_string());
        if code.as_deref() != Some("131032") {
            faults.push(format!("taken over for {code:?}"));
        }
        if authority.and_then(|a| taken(&a.address)).as_deref() != Some(AUTHORITY) {
            faults.push(format!("the authority's address is {:?}", authority.map(|a| taken(&a.address))));
        }
        let centres: Vec<_> = reading.centres.iter().map(|c| taken(&c.address)).collect();
        if centres != [Some(CENTRE.to_owned())] {
            faults.push(format!("the centres' addresses are {centres:?}"));
        }
    }
    if by_itself(reading) && mail.may == May::Never {
        faults.push("taken over by itself".to_owned());
    }
    let names = reading.centres.iter().map(|c| &c.name).chain(reading.authority.iter().map(|a| &a.name));
    let head = &reading.head;
    let shown = names.chain(&head.from_name).chain(&head.subject).chain(&head.message_id).chain(&head.machine_sign);
    let reported = reading.recipients.iter().flat_map(|r| r.status.iter().chain(&r.reason));
    for text in shown.chain(&reading.attachments).chain(reported).chain(&reading.failed_message_id) {
        if text.chars().any(harmful) || text.chars().count() > limits::LINE_BYTES_MAX {
            faults.push(format!("shown as it came: {:?}", text.chars().take(80).collect::<String>()));
        }
    }
    if reading.body.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        faults.push("control characters in the text".to_owned());
    }
    faults
}

#[test]
fn nothing_is_taken_over_that_should_not_be() {
    let all = mails::all(seed());
    assert!(all.len() >= 900, "{} mails", all.len());
    if let Ok(dir) = std::env::var("ANNAI_HOSTILE_OUT") {
        for (no, mail) in all.iter().enumerate() {
            std::fs::write(format!("{dir}/{no:04}.eml"), &mail.raw).unwrap();
        }
    }
    let mut found = Vec::new();
    let mut taken = 0;
    for mail in &all {
        // Not `read_safely`: a panic that is caught would be a fault as well.
        let reading = annai::reading::read(&mail.raw, &RULES);
        taken += usize::from(by_itself(&reading) && mail.may == May::Register);
        found.extend(faults(mail, &reading).into_iter().map(|fault| format!("{}: {fault}", mail.name)));
    }
    assert!(found.is_empty(), "{} faults\n{}", found.len(), found.join("\n"));
    // The checks above would hold if nothing were ever taken over.
    assert!(taken > 200, "only {taken} were taken over");
}

#[test]
fn every_proper_dress_is_taken_over() {
    for (dress, raw) in mails::proper() {
        let reading = annai::reading::read(&raw, &RULES);
        assert!(by_itself(&reading), "{dress}: {:?} {:?}", reading.kind, reading.reasons);
    }
}

/// Reading is a function: the same bytes, the same answer, whatever was read before.
#[test]
fn reading_remembers_nothing() {
    let all = mails::all(seed());
    let some: Vec<_> = all.iter().step_by(7).collect();
    let forth: Vec<_> = some.iter().map(|m| annai::reading::read(&m.raw, &RULES)).collect();
    let back: Vec<_> = some.iter().rev().map(|m| annai::reading::read(&m.raw, &RULES)).collect();
    assert!(forth.iter().eq(back.iter().rev()));
}

/// What a mail can make of itself is bounded by its size and the limits. (Time is measured in `benches/reading.rs`.)
#[test]
fn nothing_grows_beyond_its_mail() {
    for (name, make) in worst::CASES {
        let raw = make(60_000);
        let reading = annai::reading::read(&raw, &RULES);
        let names: usize = reading.centres.iter().map(|c| c.name.len()).sum();
        assert!(reading.body.len() <= raw.len() * 3, "{name}: body");
        assert!(names <= raw.len() * 3 && reading.centres.len() <= limits::LINES_MAX, "{name}: centres");
        assert!(reading.attachments.len() <= limits::PARTS_MAX, "{name}: attachments");
        assert!(reading.warnings.len() <= limits::LINES_MAX, "{name}: warnings");
    }
}
