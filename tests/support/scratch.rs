//! A store in a directory that cleans up after itself, and entries of its journal.

use annai::domain::Timestamp;
use annai::store::{Batch, Draft, Options, Store, Table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(crate) struct Scratch {
    _keep: tempfile::TempDir,
    pub(crate) dir: PathBuf,
}

pub(crate) fn scratch() -> Scratch {
    let keep = tempfile::tempdir().unwrap();
    let dir = keep.path().join("state");
    Scratch { _keep: keep, dir }
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, Options::default()).unwrap()
}

pub(crate) fn draft(n: u64, changes: Value) -> Draft {
    Draft {
        at: Timestamp::from_unix(1_588_291_200 + i64::try_from(n).unwrap()),
        actor: "staff:山田".into(),
        subject: format!("tenant:131032-{n:02}"),
        event: json!({ "registered": { "name": "港区みなと保健所", "mail": n } }),
        changes: serde_json::value::to_raw_value(&changes).unwrap(),
    }
}

pub(crate) fn lines(store: &Store, count: u64) {
    for n in 1..=count {
        let mut batch = Batch::new();
        batch.put(Table::Roster, n.to_be_bytes(), format!("tenant {n}"));
        batch.journal(draft(n, json!([{ "put": n }])));
        store.apply(batch).unwrap();
    }
}
