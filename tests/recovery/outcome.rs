//! What stands at the end: mails, tenants and letters, without what may differ between two runs (numbers, moments,
//! nonces and what is made of them).

use crate::support::local::{Local, inbox, outbox, records};
use annai::crypto::sha256;
use annai::engine::replay::audit;
use annai::store::Table;
use annai::workflow::delivery::Delivery;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One line for each mail, tenant, letter and matter.
pub(crate) struct Outcome(BTreeMap<String, usize>);

impl Outcome {
    pub(crate) fn of(local: &Local) -> Self {
        let store = local.store();
        let mails = inbox(&store).into_iter().map(|item| format!("mail {} {}", item.disposition.name(), item.subject));
        let courses = records::<Value>(&store, Table::Roster)
            .into_iter()
            .flat_map(|record| record["roster"]["courses"].as_array().cloned().expect("courses"));
        let tenants = courses.map(|course| format!("tenant {}", without_chance(&course)));
        let mut known = BTreeSet::new();
        let letters = local.receiver.letters().into_iter().filter_map(|letter| {
            let line = format!("letter {} {}", letter.envelope_to, letter.subject);
            known.insert((letter.message_id, letter.envelope_to)).then_some(line)
        });
        let matters = records::<Value>(&store, Table::Review);
        let matters = matters.into_iter().map(|matter| format!("matter {}", without_chance(&matter["subject"])));
        let mut lines = BTreeMap::new();
        for line in mails.chain(tenants).chain(letters).chain(matters) {
            *lines.entry(line).or_default() += 1;
        }
        Self(lines)
    }

    /// Distinct lines of one kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.0.keys().filter(|line| line.starts_with(kind)).count()
    }

    /// Lines that only one of two runs has, or has more often.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let lines: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let count = |of: &Self, line: &String| of.0.get(line).copied().unwrap_or(0);
        let counts = lines.into_iter().map(|line| (line, count(self, line), count(other, line)));
        counts.filter(|(_, here, there)| here != there).map(|(line, a, b)| format!("{a}, {b}: {line}")).collect()
    }

    /// What must hold by itself: nothing lost, nothing twice, journal and directory agree.
    pub(crate) fn is_whole(local: &Local) {
        let store = local.store();
        assert_eq!(audit(&store).unwrap().faults, Vec::<String>::new());
        let mailbox = local.mailbox();
        let places: BTreeSet<u32> = inbox(&store).iter().map(|item| item.uid).collect();
        assert_eq!((places.len(), inbox(&store).len()), (mailbox.len(), mailbox.len()), "every mail filed once");
        assert!(mailbox.iter().all(|mail| mail.has_flag("$AnnaiProcessed")), "every mail marked");

        let mut bytes = BTreeMap::new();
        for letter in local.receiver.letters() {
            let key = (letter.message_id.clone(), letter.envelope_to.clone());
            let first = bytes.entry(key).or_insert_with(|| letter.raw.clone());
            assert!(*first == letter.raw, "{} came twice with other bytes", letter.message_id);
        }
        let rows = outbox(&store);
        let keys: BTreeSet<String> = rows.iter().map(annai::engine::records::Row::key).collect();
        assert_eq!(keys.len(), rows.len(), "no letter is queued twice");
        for row in rows.iter().filter(|row| matches!(row.delivery, Delivery::Relayed { .. })) {
            let key = (row.message_id.0.clone(), row.to.as_str().to_owned());
            assert!(bytes.contains_key(&key), "row {} counts as relayed and never arrived", row.no);
        }
    }
}

/// What must hold at any moment: a mark on a mail means it is filed, a letter out there means its attempt is recorded.
pub(crate) fn check_after_kill(local: &Local) {
    let mailbox = local.mailbox();
    let letters = local.receiver.letters();
    let (_copy, store) = local.store_copy();
    for mail in mailbox.iter().filter(|mail| mail.has_flag("$AnnaiProcessed")) {
        let no = store.get(Table::ByDigest, &sha256(&mail.raw).0).unwrap().expect("a marked mail is filed");
        let raw = store.get(Table::Raw, &no).unwrap().expect("with its bytes");
        assert!(*raw == *mail.raw, "the bytes of uid {} are another mail's", mail.uid);
    }
    let rows: BTreeMap<_, _> =
        outbox(&store).into_iter().map(|row| ((row.message_id.0.clone(), row.to.as_str().to_owned()), row)).collect();
    for letter in letters {
        let row = rows.get(&(letter.message_id.clone(), letter.envelope_to.clone())).expect("a letter has a row");
        let attempted = row.first_attempt.is_some() && !matches!(row.delivery, Delivery::Planned { .. });
        assert!(attempted, "row {} has left without a recorded attempt", row.no);
    }
    assert_eq!(audit(&store).unwrap().faults, Vec::<String>::new());
}

/// A course without nonces, moments and numbers of mails.
fn without_chance(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| {
                !["nonce", "at", "from", "since", "notice_relayed", "provenance", "mail", "row"]
                    .contains(&name.as_str())
            });
            Value::Object(kept.map(|(name, value)| (name.clone(), without_chance(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_chance).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
