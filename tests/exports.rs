//! Some three hundred further hostile mails (`tests/exports/mails.rs`) on their way out: console pages, files for
//! spreadsheets, the terminal, and the daemon's own run over the sandbox with all the letters it writes.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "exports/alive.rs"]
mod alive;
#[path = "exports/lists.rs"]
mod lists;
#[path = "exports/mails.rs"]
mod mails;
#[path = "console/site.rs"]
#[expect(dead_code, reason = "of the console's tests")]
mod site;
mod support;
#[path = "people/world.rs"]
#[expect(dead_code, reason = "the world of tests/people.rs, of which not all is needed here")]
mod world;

use alive::{assert_clean, assert_dead, assert_no_formula};
use annai::engine::Engine;
use annai::engine::filing::Arrived;
use annai::reading::read_safely;
use annai::workflow::cursor::Cursor;
use mails::{Mail, TRUE};
use std::collections::BTreeSet;
use support::local::{Local, inbox, outbox};
use support::place::said;

const NOW: &str = "2020-04-27T10:00:00+09:00";
/// Mails of the world before.
const BEFORE: u32 = 1;

fn file(engine: &mut Engine, mails: &[Mail]) {
    let rules = engine.setup().rules.clone();
    let first = BEFORE + 1;
    let arrived = mails.iter().zip(first..).map(|(mail, uid)| Arrived {
        uid,
        raw: mail.raw.clone(),
        truncated: false,
        reading: read_safely(&mail.raw, &rules),
    });
    let arrived: Vec<_> = arrived.collect();
    let uid_next = first + u32::try_from(arrived.len()).unwrap();
    engine.file(Cursor { uid_validity: 1, uid_next }, arrived).unwrap();
    engine.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_and_no_file_is_alive() {
    let mails = mails::all();
    assert!(mails.len() >= 300, "{} mails", mails.len());
    let mut world = world::world(2);
    world.everybody();
    file(&mut world.engine, &mails);
    world.deliver(|_| world::relayed());
    let before: BTreeSet<String> =
        ["head", "hoken", "kurayoshi", "yonago"].map(|l| format!("{l}@pref.tottori-mihon.lg.jp")).into();
    for roster in world.engine.all_rosters().unwrap() {
        for course in roster.courses {
            let address = course.tenant.address.as_str().to_ascii_lowercase();
            assert!(TRUE.contains(&address.as_str()) || before.contains(&address), "{address} was taken over");
        }
    }
    let rows = world.engine.all_rows().unwrap().len();
    let site = site::over(world).await;
    let op = site.log_in("op").await;
    let letters = (1..=rows).map(|no| format!("/outbox/{no}"));
    let shown = (1..=mails.len() + 1).map(|no| format!("/mail/{no}"));
    let views = [
        "/",
        "/review",
        "/inbox",
        "/inbox?q=zq7",
        "/outbox?show=all",
        "/tenants",
        "/search?q=zq7",
        "/audit",
        "/health",
    ];
    let mut seen = 0;
    for path in letters.chain(shown).chain(views.map(str::to_owned)) {
        let page = site.get(&op, &path).await;
        assert_eq!(page.status, 200, "{path}");
        seen += usize::from(page.body.contains(mails::MARK));
        assert_dead(&path, &page.body);
    }
    assert!(seen > mails.len() / 2, "the payloads stand in {seen} pages only");
    for (list, least) in [("inbox", mails.len() + 1), ("outbox", rows), ("tenants", 3), ("missing", 100)] {
        let file = site.get(&op, &format!("/export/{list}.csv?show=all")).await;
        assert_eq!(file.status, 200, "{list}");
        let lines = assert_no_formula(list, &file.body);
        assert!(lines >= least, "{list} has {lines} lines");
    }
}

/// From the mailbox to the last letter: one record each, nothing to strangers of the directory that acts on them.
#[test]
fn the_daemon_takes_them_all_and_writes_nothing_alive() {
    let mails = mails::all();
    let local = Local::start();
    mails.iter().for_each(|mail| local.deliver(&mail.raw));
    for now in [NOW, "2020-04-27T10:30:00+09:00"] {
        let run = said(local.place.command(now, &["serve", "--once"]).env("ANNAI_LOG", "debug"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_clean("log", &(run.stdout + &run.stderr));
    }
    let store = local.store();
    let (items, rows) = (inbox(&store), outbox(&store));
    drop(store);
    assert_eq!(items.len(), mails.len(), "one record each");
    for (item, mail) in items.iter().zip(&mails) {
        assert_clean(&mail.name, &item.subject);
    }
    for letter in local.receiver.letters() {
        assert_clean(&letter.subject, &letter.subject);
        assert!(!letter.envelope_to.contains("zq7.example"), "a letter to {}", letter.envelope_to);
    }
    assert!(!rows.is_empty());
    for args in [&["review", "list", "--limit", "2000"][..], &["queue", "list", "--all"], &["tenant", "list"]] {
        for json in [&[][..], &["--json"]] {
            let said = said(local.place.command(NOW, args).args(json));
            assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
            assert_clean(&format!("{args:?}"), &said.stdout);
        }
    }
}

/// Each of them read in a terminal and by a program: one answer each, nothing that acts.
#[test]
fn read_shows_them_and_stays_calm() {
    let mails = mails::all();
    let scratch = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..mails.len()).map(|no| scratch.path().join(format!("{no:04}.eml"))).collect();
    mails.iter().zip(&paths).for_each(|(mail, path)| std::fs::write(path, &mail.raw).unwrap());
    for json in [&["read"][..], &["read", "--json"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_annai"));
        let said = said(command.current_dir(scratch.path()).args(json).args(&paths));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert_clean("read", &said.stdout);
        if json.len() == 2 {
            assert_eq!(
                said.stdout.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(),
                mails.len()
            );
        }
    }
}
