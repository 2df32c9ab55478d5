//! The post of a test: every letter that is due leaves, and its reader finds in it what an officer would.

use annai::engine::Engine;
use annai::engine::outbox::Lease;
use annai::reading;
use annai::workflow::delivery::{Outcome, Reply};

/// Wakes and sends until nothing is due; the server takes every letter, and `read` sees each with its text.
pub(crate) fn deliver(engine: &mut Engine, mut read: impl FnMut(&Engine, &Lease, &str)) {
    loop {
        let woken = engine.wake(100).unwrap();
        let leases = engine.lease(32).unwrap();
        if woken == 0 && leases.is_empty() {
            return engine.commit().unwrap();
        }
        for lease in leases {
            let body = reading::read(lease.bytes.reveal(), &engine.setup().rules).body;
            read(engine, &lease, &body);
            let reply = Reply { code: 250, enhanced: None, text: "ok".to_owned() };
            engine.answered(lease.row, &Outcome::Relayed { reply }).unwrap();
        }
    }
}

/// The pick-up code of a notice.
pub(crate) fn code_in(body: &str) -> Option<String> {
    let (_, code) = body.split_once("/p/")?;
    Some(first_line(code))
}

/// The pick-up password of its letter.
pub(crate) fn password_in(body: &str) -> Option<String> {
    let (_, password) = body.split_once("◆証明書取得用パスワード\n\n")?;
    Some(first_line(password))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap().trim().to_owned()
}
