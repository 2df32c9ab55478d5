//! The invariants of the house as code (DESIGN §5): what must hold whenever a letter leaves, every day, and at the end.

use super::world::{TIMETABLES, World, code_in, password_in};
use annai::domain::time::{MINUTE, TimeOfDay, Weekday};
use annai::domain::{Date, Generation, TenantId, Timestamp};
use annai::engine::outbox::Lease;
use annai::engine::records::{About, Disposition, Grant, Row};
use annai::engine::replay;
use annai::letters::{LetterKind, Secrecy};
use annai::reading;
use annai::workflow::course::Course;
use annai::workflow::delivery::Delivery;
use annai::workflow::enrolment::State;
use annai::workflow::welcome::Welcome;
use std::collections::{BTreeMap, BTreeSet};

const OPENS: TimeOfDay = TimeOfDay(9 * 60);
const CLOSES: TimeOfDay = TimeOfDay(16 * 60 + 30);

fn is_business_day(world: &World, day: Date) -> bool {
    let year_end = [(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)].contains(&(day.month(), day.day()));
    let weekend = [Weekday::Sat, Weekday::Sun].contains(&day.weekday());
    !weekend && !year_end && world.setup.rules.holidays.name(day).is_none()
}

/// I3, I4, I6: may this letter leave now?
pub(crate) fn may_leave(world: &World, lease: &Lease) {
    let (now, row) = (world.now(), world.view().row(lease.row).unwrap());
    let Delivery::InFlight { attempt, since } = row.delivery else { panic!("leased, but {:?}", row.delivery) };
    assert!(since == now && row.to == lease.to, "{row:?}");
    let by_hand = world.pushed.contains(&row.no);
    if row.letter.windowed() && attempt == 1 && row.first_attempt == Some(now) && !by_hand {
        let time = now.time_of_day();
        let open = is_business_day(world, now.date()) && time >= OPENS && time < CLOSES;
        assert!(open, "{} left at {now}, outside the window", row.key());
    }
    if row.letter.secrecy() == Secrecy::Secret && !by_hand {
        let before = world.taken.iter().filter(|taken| taken.row == row.no).count();
        let returned = world.returned.get(&row.no).copied().unwrap_or(0);
        assert!(before <= returned, "{} left twice unasked", row.key());
    }
    let About::Tenant { tenant, generation, .. } = row.about else { return };
    let course = world.view().course(tenant).unwrap();
    if row.letter != LetterKind::Expired {
        assert_eq!(row.to, course.tenant.address, "{} to an address of yesterday", row.key());
    }
    state_allows(world, &row, &course, generation);
    if row.letter.secrecy() == Secrecy::Secret {
        address_is_proven(world, &row, tenant);
    }
    one_secret(world, lease, &row, (tenant, generation));
}

/// I6: what the course must look like for this letter.
fn state_allows(world: &World, row: &Row, course: &Course, generation: Generation) {
    let (now, key) = (world.now(), row.key());
    let state = course.enrolment(generation).map(|e| &e.state);
    let returned = world.returned.contains_key(&row.no);
    let taken =
        |letter| world.taken.iter().find(|t| t.letter == letter && t.tenant == Some((course.tenant.id, generation)));
    match row.letter {
        LetterKind::CertificateNotice => {
            let open = returned && state.is_some_and(|s| s.is_open(now));
            assert!(open || matches!(state, Some(State::NoticeQueued { .. })), "{key}: {state:?}");
            // A welcome letter that came back for now, after the notice was written, does not take that back.
            let stands = matches!(course.welcome, Welcome::Standing { .. }) || world.welcome_returned(course.tenant.id);
            assert!(stands, "{key}: {:?}", course.welcome);
        }
        LetterKind::PickupPassword => {
            assert!(state.is_some_and(|s| s.is_open(now)), "{key} at {now}: {state:?}");
            let notice = taken(LetterKind::CertificateNotice).expect("a password before its notice");
            let delay = TIMETABLES.iter().map(|t| t.1).min().unwrap();
            assert!(now >= notice.at.plus(i64::from(delay) * MINUTE), "{key} too soon after its notice");
        }
        LetterKind::Reminder => assert!(state.is_some_and(|s| s.is_open(now)), "{key} at {now}: {state:?}"),
        LetterKind::Expired => {
            let over = matches!(state, Some(State::Expired { .. } | State::Superseded { .. }));
            assert!(over, "{key}: {state:?}");
        }
        LetterKind::Credentials => {
            assert!(now >= world.setup.rules.schedule.credentials_from.start(), "{key} at {now}");
            let id = course.tenant.id;
            let password = |t: &super::world::Taken| {
                t.letter == LetterKind::PickupPassword && t.tenant.is_some_and(|(of, _)| of == id)
            };
            let after = world.taken.iter().any(password) || world.picked_up.iter().any(|(of, _)| *of == id);
            assert!(after, "{key}: credentials before the password");
        }
        LetterKind::CredentialsReady => panic!("{key}: credentials leave by mail here"),
        LetterKind::Welcome
        | LetterKind::Receipt
        | LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply
        | LetterKind::Report
        | LetterKind::Alert => {}
    }
}

/// Nothing secret before the launch, nor before the welcome letter has stood for the shortest hold in force.
fn address_is_proven(world: &World, row: &Row, tenant: TenantId) {
    let now = world.now();
    assert!(now >= world.setup.rules.schedule.certificates_from.start(), "{} left at {now}", row.key());
    let welcomes = |t: &&super::world::Taken| {
        t.letter == LetterKind::Welcome && t.tenant.is_some_and(|(of, _)| of == tenant) && t.to == row.to
    };
    let first = world.taken.iter().find(welcomes).unwrap_or_else(|| panic!("{} before any welcome", row.key()));
    let next_day = (1..30).map(|n| first.at.date().plus_days(n)).find(|day| is_business_day(world, *day)).unwrap();
    assert!(now >= next_day.at(first.at.time_of_day()), "{} left at {now}, welcome at {}", row.key(), first.at);
}

/// I4: never two of URL, pick-up password and credentials in one message.
fn one_secret(world: &World, lease: &Lease, row: &Row, of: (TenantId, Generation)) {
    let body = reading::read(lease.bytes.reveal(), &world.setup.rules).body;
    assert!(body.contains("様"), "the body of {} was not read", row.key());
    assert_eq!(code_in(&body).is_some(), row.letter == LetterKind::CertificateNotice, "{}", row.key());
    // Whatever looks like a password: this letter may be the first that shows one.
    assert_eq!(password_in(&body).is_some(), row.letter == LetterKind::PickupPassword, "{}", row.key());
    let Some(held) = world.held.get(&of) else { return };
    if let Some(password) = &held.password {
        assert_eq!(body.contains(password), row.letter == LetterKind::PickupPassword, "{}", row.key());
    }
}

/// I5: a code opens something exactly while its generation is open.
pub(crate) fn code_opens(world: &World, tenant: TenantId, generation: Generation, opens: Option<Grant>) {
    let now = world.now();
    let course = world.view().course(tenant).unwrap();
    let open = course.enrolment(generation).is_some_and(|e| e.state.is_open(now));
    let expected = open.then_some(Grant { tenant, generation });
    assert_eq!(opens, expected, "{tenant}/{generation} at {now}");
}

/// What must hold at every moment between two steps.
pub(crate) fn always(world: &World) {
    let faults = world.view().index_faults().unwrap();
    assert!(faults.is_empty(), "I8 at {}: {faults:#?}", world.now());
}

/// What is looked at once a day, after everything due was done.
pub(crate) fn daily(world: &World) {
    always(world);
    letters(world);
    mails(world);
    courses(world);
    for ((tenant, generation), held) in &world.held {
        if let Some(code) = &held.code {
            code_opens(world, *tenant, *generation, world.view().opens(code).unwrap());
        }
    }
}

/// I3, I9: none twice; bytes of a secret are gone once it has left or never will; not more reminders than tiers.
fn letters(world: &World) {
    let rows = world.view().all_rows().unwrap();
    let keys: BTreeSet<_> = rows.iter().map(Row::key).collect();
    assert_eq!(keys.len(), rows.len(), "a letter twice");
    let with_content: BTreeSet<_> = world.view().rows_with_content().unwrap().into_iter().collect();
    let mut reminders: BTreeMap<(TenantId, Generation), usize> = BTreeMap::new();
    for row in &rows {
        if row.letter.secrecy() == Secrecy::Secret {
            assert_eq!(with_content.contains(&row.no), !row.delivery.has_ended(), "{}: {:?}", row.key(), row.delivery);
        }
        if let (About::Tenant { tenant, generation, .. }, LetterKind::Reminder) = (&row.about, row.letter) {
            *reminders.entry((*tenant, *generation)).or_default() += 1;
        }
    }
    // A reload may have brought other tiers: 14 7 3 1 and 10 5 make six at most.
    assert!(reminders.values().all(|count| *count <= 6), "{reminders:?}");
}

/// Every mail of the mailbox has exactly one disposition, and they add up (DESIGN §4).
fn mails(world: &World) {
    let items = world.view().all_items().unwrap();
    let here: Vec<_> = items.iter().filter(|item| item.uid_validity == world.uid_validity).collect();
    let places: BTreeSet<_> = here.iter().map(|item| item.uid).collect();
    let expected: BTreeSet<_> = (1..=u32::try_from(world.mailbox.len()).unwrap()).collect();
    assert!(places == expected && here.len() == places.len(), "{} mails, {} filed", world.mailbox.len(), here.len());
    assert_eq!(world.view().filed().unwrap(), u64::try_from(world.mailbox.len()).unwrap());
    let names: usize =
        Disposition::WORDS.iter().map(|(n, _)| items.iter().filter(|i| i.disposition.name() == *n).count()).sum();
    assert_eq!(names, items.len());
}

/// Deadlines, one open generation at most, and nobody sleeps who wants to be woken.
fn courses(world: &World) {
    let (now, policy) = (world.now(), annai::workflow::Policy::of(&world.setup.rules));
    for course in world.view().all_rosters().unwrap().iter().flat_map(|r| &r.courses) {
        let id = course.tenant.id;
        let open = course.enrolments.iter().filter(|e| e.state.is_open(now)).count();
        let live = course.enrolments.iter().filter(|e| e.state.live_certificate().is_some()).count();
        assert!(open <= 1 && live <= 1, "{id}: {open} open, {live} in use");
        assert!(course.next_wake(&policy).is_none_or(|at| at > now), "{id} was not woken");
        for enrolment in &course.enrolments {
            if let State::Open { notice_relayed, deadline, .. } = enrolment.state {
                let days = deadline.days_since(notice_relayed.date());
                assert!(days >= 30 && now <= deadline.end(), "{id}: {days} days, {deadline} at {now}");
            }
            let replaced = enrolment.generation != course.current().unwrap().generation;
            let state = &enrolment.state;
            let ended = !matches!(
                state,
                State::Registered | State::NoticeQueued { .. } | State::Open { .. } | State::Undeliverable { .. }
            );
            assert!(!replaced || ended, "{id}: an earlier generation is {state:?}");
        }
    }
}

/// I7: the journal verifies and replays to the directory.
pub(crate) fn audit(world: &World) {
    let audit = replay::audit(world.store.as_ref().unwrap()).unwrap();
    assert!(audit.faults.is_empty(), "{:#?}", audit.faults);
}

/// I4, I9: no code and no password stands readable in the journal or anywhere in the store's files.
pub(crate) fn no_secret_at_rest(world: &World) {
    let mut journal = Vec::new();
    world.store.as_ref().unwrap().export_journal(&mut journal).unwrap();
    let mut all = String::from_utf8_lossy(&journal).into_owned();
    for file in walk(&world.state()) {
        all.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
    let windows: BTreeSet<&str> = all.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let secrets = world.held.values().flat_map(|held| held.code.iter().chain(&held.password));
    let mut count = 0;
    for secret in secrets {
        count += 1;
        assert!(!windows.contains(secret.as_str()), "a secret stands readable in the store");
    }
    assert!(count > 20, "only {count} secrets were handed out");
    assert!(windows.contains("letter-queued"), "the journal was searched as it should");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// The simulation is worth something only if things did happen in it.
pub(crate) fn something_happened(world: &World) -> String {
    let rosters = world.view().all_rosters().unwrap();
    let courses: Vec<_> = rosters.iter().flat_map(|r| &r.courses).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |name| *seen.entry(name).or_default() += 1;
    for row in world.view().all_rows().unwrap() {
        count(row.letter.name());
    }
    for item in world.view().all_items().unwrap() {
        count(item.disposition.name());
    }
    for state in courses.iter().flat_map(|c| &c.enrolments).map(|e| &e.state) {
        count(match state {
            State::Collected { .. } | State::InUse { .. } => "in-use",
            State::Expired { .. } => "expired*",
            State::Superseded { .. } => "superseded",
            State::Revoked { .. } => "revoked",
            State::Cancelled { .. } => "cancelled",
            State::Undeliverable { .. } => "undeliverable",
            State::Registered | State::NoticeQueued { .. } | State::Open { .. } => "under-way",
        });
    }
    let needed = ["welcome", "certificate-notice", "pickup-password", "reminder", "expired", "credentials", "receipt"];
    for name in needed.into_iter().chain(["registered", "revision", "bounce", "in-use", "superseded"]) {
        assert!(seen.contains_key(name), "no {name}: {seen:?}");
    }
    assert!(courses.len() > 60, "{} tenants", courses.len());
    format!("{} tenants, {seen:?}", courses.len())
}

/// Used by the driver to say where it is.
pub(crate) fn place(seed: u64, now: Timestamp) -> String {
    format!("seed {seed} at {now}; replay with ANNAI_TEST_SEED={seed}")
}
