//! The same with Postfix's smtp-sink as the relay: what it stores is counted and its envelopes looked at.

use crate::postfix::Sink;
use crate::support::flow::{Flow, Tls};
use crate::support::place::sample;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn every_letter_is_one_transaction_with_one_recipient() {
    let flow = Flow::start(Tls::Implicit, Tls::StartTls);
    let dir = tempfile::tempdir().unwrap();
    // The sink may run as another user.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let template = format!("{}/mail.", dir.path().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sink = runtime.block_on(Sink::start(&["-d", &template]));
    flow.place.set("smtp", "tls", "\"none\"");
    flow.place.set("smtp", "host", "\"127.0.0.1\"");
    flow.place.set("smtp", "port", &sink.port.to_string());
    flow.place.edit("annai.toml", |text| {
        text.replace("user = \"annai\"\n", "").replace("password_file = \"secrets/smtp-password\"\n", "")
    });
    let mails = ["sapporo.eml", "aichi.eml", "nagoya.eml"].map(sample);
    flow.dovecot.deliver(mails.iter().map(Vec::as_slice));
    flow.place.once("2020-04-20T10:00:00+09:00");

    let mut recipients = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let dump = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let args =
            |name: &str| dump.lines().filter_map(|l| l.strip_prefix(name).map(str::to_owned)).collect::<Vec<_>>();
        let (from, to) = (args("X-Mail-Args: "), args("X-Rcpt-Args: "));
        assert_eq!((from.len(), to.len()), (1, 1), "{dump}");
        assert!(from[0].starts_with("<bounce+") && from[0].contains("@followup.mhlw.go.jp>"), "{}", from[0]);
        recipients.push(to[0].clone());
    }
    recipients.sort_unstable();
    let copies = recipients.iter().filter(|to| to.contains("follow-up@mhlw.go.jp")).count();
    assert_eq!((recipients.len(), copies), (3 + 3 + 2 + 4 + 2, 3), "receipts, copies, welcomes: {recipients:?}");
}
