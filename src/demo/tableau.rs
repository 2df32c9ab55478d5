//! The scene in the words of the page: plain values for the templates, no decisions.

use super::officer;
use super::scene::{BARS, Happening, Scene, Turn, Watcher, Who};
use crate::domain::{MailAddress, TenantKind, Timestamp};
use crate::engine::records::{OpenMatter, Subject};
use crate::engine::survey::Milestone;
use crate::engine::views::words::{self, Lang};
use crate::reading;
use crate::sandbox::StoredMail;
use crate::workflow::Matter;
use crate::workflow::course::{Course, Roster};
use crate::workflow::delivery::Delivery;
use crate::workflow::enrolment::State;
use crate::workflow::welcome::Welcome;
use minijinja::{Value, context};
use std::fmt::Write as _;

/// Happenings on the first page.
const LOG_SHOWN: usize = 7;
/// Rows on the queue's page.
const ROWS_SHOWN: usize = 400;
/// Size of the funnel's drawing.
const STEP: u64 = 100;
const HALF: u64 = 60;
/// Marks of the timeline: radius, distance.
const MARK_GAP: usize = 26;

/// What every page shows.
pub(super) fn frame(watcher: &Watcher, scene: &Scene) -> Value {
    context! {
        now => scene.now.staff(),
        date => scene.now.date().official(),
        day => scene.day.min(scene.days),
        days => scene.days,
        finished => scene.finished,
        counts => scene.counts,
        pickup => format!("http://{}/", watcher.pickup),
        console => format!("http://{}/", watcher.console),
        gate => format!("https://{}/", watcher.gate),
        waits => watcher.waits(),
    }
}

pub(super) fn overview(watcher: &Watcher, scene: &Scene, log: &[Happening]) -> Value {
    let most = scene.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    context! {
        bars => scene.bars,
        funnel => funnel(scene, most),
        plateaus => plateaus(scene, most),
        width => STEP * BARS as u64,
        yours => watcher.visitor.as_ref().and_then(|visitor| yours(watcher, scene, visitor)),
        log => log.iter().rev().take(LOG_SHOWN).map(happening).collect::<Vec<_>>(),
        matters => scene.matters.iter().map(|matter| self::matter(scene, matter)).collect::<Vec<_>>(),
        groups => groups(scene),
        desk => watcher.contact.as_str(),
    }
}

/// The certificate kept for the visitor, and what is to be done with it next.
fn yours(watcher: &Watcher, scene: &Scene, visitor: &MailAddress) -> Option<Value> {
    let (turn, name, mailbox) = (scene.turn(visitor), owner(scene, visitor.as_str()), visitor.as_str());
    let (word, found) = match turn {
        Turn::NotYet => return None,
        Turn::Take(tenant) => ("take", officer::found(watcher, visitor, tenant)),
        Turn::Show => ("show", None),
        Turn::Done => ("done", None),
    };
    let password = found.as_ref().map(|found| found.password.reveal().clone());
    Some(context! { turn => word, name, mailbox, url => found.map(|found| found.url), password })
}

fn happening(happening: &Happening) -> Value {
    let who = match happening.who {
        Who::Officer => "officer",
        Who::Staff => "staff",
        Who::Visitor => "visitor",
        Who::Annai => "annai",
    };
    let (at, ja, en) = (happening.at.staff(), &happening.ja, &happening.en);
    context! { at, who, word => happening.who.japanese(), ja, en }
}

/// The outline of the funnel: a plateau for each stage, mirrored, with slopes between.
fn funnel(scene: &Scene, most: u64) -> String {
    let mut top = String::new();
    let mut bottom: Vec<String> = Vec::new();
    for (place, bar) in (0_u64..).zip(&scene.bars) {
        let half = (bar.count * HALF / most).max(1);
        let (left, right) = (place * STEP + 8, place * STEP + STEP - 8);
        let _ = write!(top, "{left},{} {right},{} ", HALF - half, HALF - half);
        bottom.push(format!("{right},{} {left},{}", HALF + half, HALF + half));
    }
    bottom.reverse();
    top + &bottom.join(" ")
}

/// One block for each stage.
fn plateaus(scene: &Scene, most: u64) -> Vec<Value> {
    let block = |(place, count): (u64, u64)| {
        let half = (count * HALF / most).max(1);
        context! { x => place * STEP + 8, y => HALF - half, height => 2 * half }
    };
    (0..).zip(scene.bars.iter().map(|bar| bar.count)).map(block).collect()
}

// --- tenants ---------------------------------------------------------------------------------------------------------

/// Tenants by authority.
pub(super) fn groups(scene: &Scene) -> Vec<Value> {
    scene.rosters.iter().map(|roster| group(roster, scene.now)).collect()
}

fn group(roster: &Roster, now: Timestamp) -> Value {
    let tenants: Vec<_> = roster.courses.iter().map(|course| tenant(course, now)).collect();
    context! { name => roster.authority_name(), code => roster.code.as_str(), tenants }
}

fn tenant(course: &Course, now: Timestamp) -> Value {
    let reached = Milestone::of(course);
    let marks: Vec<_> = Milestone::ALL
        .into_iter()
        .enumerate()
        .map(|(place, milestone)| {
            context! { x => 8 + place * MARK_GAP, done => milestone <= reached, word => milestone.japanese() }
        })
        .collect();
    let (tone, word, note) = standing(course, now);
    let kind = match course.tenant.kind {
        TenantKind::Authority => "自治体",
        TenantKind::HealthCentre => "保健所",
    };
    let reached_x = 8 + Milestone::ALL.iter().filter(|m| **m <= reached).count().saturating_sub(1) * MARK_GAP;
    context! {
        id => course.tenant.id.to_string(), kind, name => course.tenant.name, address => course.tenant.address.as_str(),
        generation => course.current().map(|e| e.generation.0), marks, reached_x, milestone => reached.japanese(), tone, word, note,
    }
}

/// Colour, word and date of where a tenant stands.
fn standing(course: &Course, now: Timestamp) -> (&'static str, &'static str, String) {
    if let Welcome::Undeliverable { at, .. } = course.welcome {
        return ("bad", "不達", format!("{} に返送", at.date().staff()));
    }
    let Some(current) = course.current() else { return ("wait", "登録", String::new()) };
    match &current.state {
        State::Registered => match course.welcome {
            Welcome::Standing { .. } => ("wait", "開始待ち", "疎通確認済み".to_owned()),
            Welcome::Waiting { .. } | Welcome::Queued { .. } | Welcome::Undeliverable { .. } => {
                ("wait", "登録", "疎通確認を送信".to_owned())
            }
        },
        State::NoticeQueued { .. } => ("wait", "通知準備", String::new()),
        State::Open { deadline, .. } => {
            let left = deadline.days_since(now.date());
            let day = deadline.staff();
            ("open", "未取得", format!("期限 {}（あと{left}日）", day.get(5..).unwrap_or(&day)))
        }
        State::Collected { at, .. } => ("done", "取得済み", at.date().staff()),
        State::InUse { at, .. } => ("done", "利用中", format!("{} から", at.date().staff())),
        State::Undeliverable { at, .. } => ("bad", "不達", format!("{} に返送", at.date().staff())),
        State::Expired { deadline, .. } => ("late", "期限切れ", format!("期限 {}", deadline.staff())),
        State::Cancelled { at, .. } => ("late", "取消", at.date().staff()),
        State::Superseded { at, .. } => ("late", "再発行", at.date().staff()),
        State::Revoked { at, .. } => ("bad", "失効", at.date().staff()),
    }
}

fn matter(scene: &Scene, matter: &OpenMatter) -> Value {
    let mail = |no: &crate::domain::MailNo| {
        let item = scene.items.iter().find(|item| item.no == *no);
        item.map_or_else(String::new, |item| format!("「{}」", item.subject))
    };
    let name = |id: &crate::domain::TenantId| {
        let mut courses = scene.rosters.iter().flat_map(|roster| &roster.courses);
        courses.find(|c| c.tenant.id == *id).map_or_else(|| id.to_string(), |c| c.tenant.name.clone())
    };
    let (ja, en) = match &matter.subject {
        Subject::Mail { mail: no, reasons } => {
            let reasons: Vec<_> = reasons.iter().map(|reason| reason.sentence()).collect();
            (format!("{} {}", mail(no), reasons.join("")), "a mail to decide on")
        }
        Subject::Inquiry { mail: no } => (format!("{} 返信が必要です。", mail(no)), "a question to answer"),
        Subject::Tenant { tenant, matter: Matter::Undeliverable { letter, .. } } => (
            format!("{}に「{}」が届きません。新しいアドレスが必要です。", name(tenant), letter.japanese()),
            "a new address is needed",
        ),
        Subject::Tenant { tenant, matter: Matter::NotPickedUp { .. } } => {
            (format!("{}は、期限までに証明書を取得しませんでした。", name(tenant)), "not picked up in time")
        }
        Subject::Tenant { tenant, matter: Matter::ReissueAsked { .. } } => {
            (format!("{}から証明書の再発行の依頼がありました。", name(tenant)), "another certificate is asked for")
        }
        Subject::Tenant { tenant, matter: Matter::WrongPasswords { .. } } => {
            (format!("{}の取得用パスワードが10回誤って入力されました。", name(tenant)), "ten wrong pick-up passwords")
        }
        Subject::Row { row, reason } => (format!("送信{row}：{}", reason.word()), "a letter to decide on"),
        Subject::AnswerUndeliverable { row, .. } => {
            (format!("送信{row}の返信が届きませんでした。"), "an answer did not arrive")
        }
        Subject::NotComposed { tenant, letter, .. } => (
            format!("{}への「{}」を作成できません。", name(tenant), letter.japanese()),
            "a letter could not be written",
        ),
        Subject::FailingTogether { .. } => {
            (words::subject(&matter.subject, Lang::Ja), "many fail at once: their mail server may be down")
        }
        Subject::UnknownBounce { mail: no, .. } => {
            (format!("{} どのメールの不達か不明です。", mail(no)), "a bounce of nothing known")
        }
    };
    context! { since => matter.since.staff(), ja, en }
}

// --- mail ------------------------------------------------------------------------------------------------------------

/// Whose mailbox it is, if it is anybody's we know.
pub(super) fn owner(scene: &Scene, address: &str) -> String {
    let mut courses = scene.rosters.iter().flat_map(|roster| &roster.courses);
    let course = courses.find(|c| c.tenant.address.as_str().eq_ignore_ascii_case(address));
    course.map_or_else(String::new, |course| course.tenant.name.clone())
}

pub(super) fn mailboxes(watcher: &Watcher, scene: &Scene) -> Vec<Value> {
    let line = |address: String| {
        let mails = watcher.office.mails(&address);
        let newest = mails.last().map(|mail| mail_line(watcher, mail));
        let ours = [watcher.contact.as_str(), watcher.ministry.as_str()];
        let owner = match ours.iter().position(|own| *own == address) {
            Some(0) => "お問い合わせ窓口（annai が読む受信箱）".to_owned(),
            Some(_) => "厚生労働省（写し）".to_owned(),
            None => owner(scene, &address),
        };
        let rank = if ours.contains(&address.as_str()) { 0 } else { 1 + u8::from(owner.is_empty()) };
        (rank, context! { address, owner, count => mails.len(), newest })
    };
    let mut lines: Vec<_> = watcher.office.mailboxes().into_iter().map(line).collect();
    lines.sort_by_key(|(rank, _)| *rank);
    lines.into_iter().map(|(_, line)| line).collect()
}

pub(super) fn mail_line(watcher: &Watcher, mail: &StoredMail) -> Value {
    let head = reading::read_safely(&mail.raw, &watcher.rules).head;
    let from = head.from.map_or_else(String::new, |from| from.as_str().to_owned());
    context! { uid => mail.uid, at => mail.received_at.staff(), subject => head.subject, from, from_name => head.from_name }
}

/// A mail as its reader sees it.
pub(super) fn mail(watcher: &Watcher, mail: &StoredMail) -> Value {
    let read = reading::read_safely(&mail.raw, &watcher.rules);
    let list = |addresses: &[crate::domain::MailAddress]| {
        addresses.iter().map(|address| address.as_str().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let lines: Vec<_> =
        read.body.lines().map(|line| context! { text => line, link => is_ours(watcher, line) }).collect();
    context! {
        at => mail.received_at.staff(), subject => read.head.subject, from => read.head.from.as_ref().map(|a| a.as_str().to_owned()),
        from_name => read.head.from_name, to => list(&read.head.to), cc => list(&read.head.cc), lines,
        attachments => read.attachments, envelope_from => mail.envelope_from, envelope_to => mail.envelope_to,
        octets => mail.raw.len(), message_id => read.head.message_id, marked => mail.has_flag("$AnnaiProcessed"),
    }
}

/// Whether a line is an address of the demo's own pick-up page: only such lines become links.
fn is_ours(watcher: &Watcher, line: &str) -> bool {
    line.strip_prefix(&format!("http://{}/p/", watcher.pickup)).is_some_and(|code| !code.contains(char::is_whitespace))
}

// --- queue -----------------------------------------------------------------------------------------------------------

/// Outgoing mails, newest first.
pub(super) fn rows(scene: &Scene) -> Vec<Value> {
    let row = |row: &crate::engine::records::Row| {
        let (tone, word, at) = delivery(&row.delivery);
        context! {
            no => row.no.0, letter => row.letter.japanese(), to => row.to.as_str(), subject => row.subject, tone, word,
            at => at.map(Timestamp::staff),
        }
    };
    scene.rows.iter().rev().take(ROWS_SHOWN).map(row).collect()
}

/// Incoming mails, newest first.
pub(super) fn items(scene: &Scene) -> Vec<Value> {
    let item = |item: &crate::engine::records::InboxItem| {
        let from = item.from.as_ref().map(|from| from.as_str().to_owned());
        context! { no => item.no.0, at => item.filed.staff(), from, subject => item.subject, word => item.disposition.japanese() }
    };
    scene.items.iter().rev().map(item).collect()
}

fn delivery(delivery: &Delivery) -> (&'static str, &'static str, Option<Timestamp>) {
    match delivery {
        Delivery::Planned { due } => ("wait", "送信待ち", Some(*due)),
        Delivery::InFlight { since, .. } => ("open", "送信中", Some(*since)),
        Delivery::Relayed { at, .. } => ("done", "送信済み", Some(*at)),
        Delivery::Deferred { until, .. } => ("late", "再送待ち", Some(*until)),
        Delivery::Refused { at, .. } => ("bad", "受信拒否", Some(*at)),
        Delivery::Bounced { at, .. } => ("bad", "不達", Some(*at)),
        Delivery::Unknown { since, .. } => ("late", "到達不明", Some(*since)),
        Delivery::Held { due, .. } => ("late", "保留", Some(*due)),
        Delivery::Withdrawn { at, .. } => ("wait", "取消", Some(*at)),
    }
}
