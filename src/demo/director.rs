//! Plays the people: sends the story's mails, lets officers pick up and staff decide, and tells what happens. It looks at
//! the scene again and again and does what is due; what annai itself does is only watched.

use super::mail::{Addressees, bytes};
use super::officer::{self, Installed};
use super::people;
use super::scene::{Happening, Scene, Turn, Watcher, Who};
use super::stage::Stage;
use super::story::{StaffAct, StaffVerb, Story, StoryMail};
use super::terminal::Terminal;
use super::{DemoError, Options};
use crate::crypto::sha256;
use crate::domain::time::DAY;
use crate::domain::{Digest, MailNo, TenantId, Timestamp};
use crate::engine::EngineError;
use crate::engine::records::{Disposition, Row, Subject};
use crate::engine::staff::Verb;
use crate::letters::LetterKind;
use crate::workflow::course::Course;
use crate::workflow::delivery::Delivery;
use crate::workflow::enrolment::{Enrolment, Password, State};
use crate::workflow::{Calendar, ReissueReason};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Looks per day of the story.
const LOOKS_PER_DAY: f64 = 16.0;
const LOOK_MIN: Duration = Duration::from_millis(4);
const LOOK_MAX: Duration = Duration::from_millis(125);
const WORKING_HOURS: Range<u16> = 9..17;
/// A picked-up certificate is used after so long, in seconds.
const USED_AFTER: i64 = DAY / 2;
/// The story goes on so long at most until the visitor's certificate is there, in seconds.
const VISITOR_WAITS: i64 = 14 * DAY;

pub(super) struct Director<'a> {
    stage: &'a Stage,
    story: Arc<Story>,
    watcher: Arc<Watcher>,
    pause: Duration,
    /// Mails of the story sent so far, with what they are filed by.
    sent: BTreeMap<String, Digest>,
    /// Acts of staff that are done, by their place in the story.
    done: BTreeSet<usize>,
    /// Letters told of, by row.
    told: BTreeSet<u64>,
    /// Incoming mails told of.
    told_mails: u64,
    /// Certificates officers have taken, in the stores of their terminals.
    installed: BTreeMap<TenantId, Installed>,
    /// The visitor has been told.
    invited: bool,
}

impl<'a> Director<'a> {
    pub(super) fn new(stage: &'a Stage, story: Arc<Story>, watcher: Arc<Watcher>, options: &Options) -> Self {
        let pause = Duration::from_secs_f64(options.seconds_per_day / LOOKS_PER_DAY).clamp(LOOK_MIN, LOOK_MAX);
        let (sent, done, told) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let installed = BTreeMap::new();
        Self { stage, story, watcher, pause, sent, done, told, told_mails: 0, installed, invited: false }
    }

    /// To the end of the story; then the clock stands still.
    pub(super) async fn run(mut self, terminal: &mut Terminal) -> Result<(), DemoError> {
        loop {
            let mut told = self.send_mails()?;
            let watcher = Arc::clone(&self.watcher);
            let scene = tokio::task::spawn_blocking(move || watcher.scene()).await.map_err(std::io::Error::other)??;
            told.extend(self.visitor(&scene));
            if !self.watcher.waits() {
                told.extend(self.officers(&scene).await?);
                told.extend(self.staff(&scene).await?);
            }
            told.extend(self.news(&scene));
            terminal.show(&scene, &told)?;
            if scene.now >= self.story.end && Self::nothing_under_way(&scene) && self.visitor_is_served(&scene) {
                self.stage.clock.end_at(scene.now);
                self.watcher.finish();
                return Ok(terminal.end(&Scene { finished: true, ..scene })?);
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    fn send_mails(&mut self) -> Result<Vec<Happening>, DemoError> {
        let now = self.stage.clock.now();
        let story = Arc::clone(&self.story);
        let due = |mail: &&StoryMail| mail.at <= now && mail.at < story.end;
        let mut told = Vec::new();
        for mail in story.mail.iter().filter(due) {
            if self.sent.contains_key(&mail.id) {
                continue;
            }
            let to = Addressees { to: &self.stage.contact, cc: &self.stage.ministry };
            let Some(raw) = bytes(&story, mail, &to) else { continue };
            for address in [&self.stage.contact, &self.stage.ministry] {
                self.stage.office.deliver(address.as_str(), &raw).map_err(std::io::Error::other)?;
            }
            self.sent.insert(mail.id.clone(), sha256(&raw));
            told.push(self.watcher.tell(Who::Officer, &mail.ja, &mail.en));
        }
        Ok(told)
    }

    // --- officers ----------------------------------------------------------------------------------------------------

    async fn officers(&mut self, scene: &Scene) -> Result<Vec<Happening>, DemoError> {
        let mut told = Vec::new();
        for course in scene.rosters.iter().flat_map(|roster| &roster.courses) {
            let Some(current) = course.current() else { continue };
            let id = course.tenant.id;
            match &current.state {
                State::Open { password: Password::Relayed { at }, .. }
                    if self.is_due(course, current, *at, scene.now) =>
                {
                    if self.takes(course).await {
                        let name = &course.tenant.name;
                        told.push(self.watcher.tell(
                            Who::Officer,
                            &format!("{name}が証明書を取得（取得ページでの操作をデモが再現）"),
                            &format!("{id} takes its certificate by the real pages (played by the demo)"),
                        ));
                    }
                }
                State::Collected { at, .. } if self.at_work(scene.now) && scene.now >= at.plus(USED_AFTER) => {
                    self.shows(id).await;
                }
                State::Registered
                | State::NoticeQueued { .. }
                | State::Open { .. }
                | State::Collected { .. }
                | State::InUse { .. }
                | State::Undeliverable { .. }
                | State::Expired { .. }
                | State::Cancelled { .. }
                | State::Superseded { .. }
                | State::Revoked { .. } => {}
            }
        }
        Ok(told)
    }

    /// An officer goes through the pages. The clock stands still meanwhile: minutes of a day that takes a second are over
    /// before a page is there.
    async fn takes(&mut self, course: &Course) -> bool {
        let (watcher, tenant) = (&self.watcher, course.tenant.id);
        let Some(found) = officer::found(watcher, &course.tenant.address, tenant) else { return false };
        self.stage.clock.pause();
        let taken = officer::pick_up(self.stage.pickup, &found).await;
        // The visitor may have begun meanwhile.
        if !self.watcher.waits() {
            self.stage.clock.go_on();
        }
        match taken {
            Ok(installed) => {
                self.installed.insert(tenant, installed);
                true
            }
            Err(fault) => {
                tracing::warn!(%tenant, %fault, "an officer of the demo did not get through the pages");
                false
            }
        }
    }

    /// The terminal check, with the certificate this officer has taken; the visitor's is the visitor's.
    async fn shows(&self, tenant: TenantId) {
        let Some(installed) = self.installed.get(&tenant) else { return };
        if let Err(fault) = officer::show(self.stage.gate, &self.stage.gate_ca, installed).await {
            tracing::warn!(%tenant, %fault, "an officer of the demo did not see the terminal check");
        }
    }

    /// Says once that a certificate is there to be taken, and lets the story go on when that is done.
    fn visitor(&mut self, scene: &Scene) -> Option<Happening> {
        let turn = scene.turn(self.watcher.visitor.as_ref()?);
        match turn {
            Turn::Take(_) if !self.invited => {
                self.invited = true;
                let url = format!("http://{}/try", self.stage.viewer.address());
                Some(self.watcher.tell(
                    Who::Visitor,
                    &format!("1件の証明書は、あなたが取得できます → {url}"),
                    &format!("one certificate is yours to take: {url}"),
                ))
            }
            Turn::Done if self.watcher.waits() => {
                self.watcher.visitor_ends();
                Some(self.watcher.tell(
                    Who::Visitor,
                    "あなたの端末で利用できることを確認。物語を続けます",
                    "your terminal is in use; the story goes on",
                ))
            }
            Turn::NotYet => {
                self.invited = false;
                None
            }
            Turn::Take(_) | Turn::Show | Turn::Done => None,
        }
    }

    fn is_due(&self, course: &Course, enrolment: &Enrolment, password_sent: Timestamp, now: Timestamp) -> bool {
        let patience = self.story.patience(&course.tenant.address, enrolment.generation.0);
        let due = patience.is_some_and(|days| now >= password_sent.plus(i64::from(days) * DAY));
        due && self.at_work(now) && enrolment.state.is_open(now)
    }

    /// People work on business days, in the daytime.
    fn at_work(&self, now: Timestamp) -> bool {
        let hour = now.time_of_day().0 / 60;
        Calendar::of(&self.watcher.rules.holidays).is_business_day(now.date()) && WORKING_HOURS.contains(&hour)
    }

    // --- staff -------------------------------------------------------------------------------------------------------

    async fn staff(&mut self, scene: &Scene) -> Result<Vec<Happening>, DemoError> {
        let mut told = Vec::new();
        if self.at_work(scene.now)
            && let Ok(Some(letter)) = self.stage.daemon.handle.call(people::waves).await?
        {
            let name = letter.japanese();
            told.push(self.watcher.tell(
                Who::Staff,
                &format!("「{name}」の一斉送信を、2人で確認して開始"),
                &format!("two people look at the first {} letters and let them go", letter.name()),
            ));
        }
        let story = Arc::clone(&self.story);
        for (place, act) in story.staff.iter().enumerate() {
            if self.done.contains(&place) {
                continue;
            }
            let Some(verb) = self.verb(act, scene) else { continue };
            self.done.insert(place);
            let done = self.stage.daemon.handle.call(move |engine| people::decide(engine, &verb)).await?;
            if done.is_ok() {
                told.push(self.watcher.tell(Who::Staff, &act.ja, &act.en));
            }
            refused_is_fine(done)?;
        }
        Ok(told)
    }

    /// The act as a verb of the engine, once it is due.
    fn verb(&self, act: &StaffAct, scene: &Scene) -> Option<Verb> {
        let due =
            |since: Timestamp| self.at_work(scene.now) && scene.now >= since.plus(i64::from(act.after_days) * DAY);
        let reason = || "デモ：担当者役による処理".to_owned();
        if act.verb == StaffVerb::Reissue {
            let address = act.tenant.as_ref()?;
            let courses = scene.rosters.iter().flat_map(|roster| &roster.courses);
            let course = courses.into_iter().find(|course| course.tenant.address.same_mailbox(address))?;
            let State::Expired { at, .. } = course.current()?.state else { return None };
            let verb = Verb::Reissue { tenant: course.tenant.id, reason: ReissueReason::Expired };
            return due(at).then_some(verb);
        }
        let digest = self.sent.get(act.mail.as_ref()?)?;
        let item = scene.items.iter().find(|item| item.digest == *digest)?;
        if !due(item.filed) {
            return None;
        }
        match act.verb {
            StaffVerb::Accept => Some(Verb::Accept { mail: item.no, authority: None, shown: None }),
            StaffVerb::Reject => Some(Verb::Reject { mail: item.no, reason: reason() }),
            StaffVerb::Close => Some(Verb::Close { matter: inquiry(scene, item.no)?, reason: reason() }),
            StaffVerb::Reissue => None,
        }
    }

    // --- what annai did ----------------------------------------------------------------------------------------------

    /// Letters that left or came back since the last look, one line per kind.
    fn news(&mut self, scene: &Scene) -> Vec<Happening> {
        let mut left: BTreeMap<LetterKind, usize> = BTreeMap::new();
        let mut told = Vec::new();
        for row in &scene.rows {
            match &row.delivery {
                Delivery::Relayed { .. } if self.told.insert(row.no.0) => *left.entry(row.letter).or_default() += 1,
                Delivery::Bounced { .. } | Delivery::Refused { .. } if self.told.insert(RETURNED + row.no.0) => {
                    told.push(self.returned(row));
                }
                Delivery::Deferred { .. } if self.told.insert(PUT_OFF + row.no.0) => told.push(self.put_off(row)),
                Delivery::Planned { .. }
                | Delivery::InFlight { .. }
                | Delivery::Relayed { .. }
                | Delivery::Deferred { .. }
                | Delivery::Refused { .. }
                | Delivery::Bounced { .. }
                | Delivery::Unknown { .. }
                | Delivery::Held { .. }
                | Delivery::Withdrawn { .. } => {}
            }
        }
        for (letter, count) in left {
            let ja = format!("{}を{count}通送信", letter.japanese());
            told.push(self.watcher.tell(Who::Annai, &ja, &format!("{count} × {} sent", letter.name())));
        }
        for item in scene.items.iter().filter(|item| item.no.0 > self.told_mails) {
            if let Disposition::AutoReply = item.disposition {
                told.push(self.watcher.tell(
                    Who::Annai,
                    "不在の自動応答を受信（返信しません）",
                    "An out-of-office mail: never answered",
                ));
            }
        }
        self.told_mails = scene.items.last().map_or(self.told_mails, |item| item.no.0);
        told
    }

    fn returned(&self, row: &Row) -> Happening {
        let ja = format!("{}が届かず（{}）、担当者の確認へ", row.letter.japanese(), row.to.as_str());
        self.watcher.tell(Who::Annai, &ja, &format!("{} could not be delivered: staff are asked", row.letter.name()))
    }

    fn put_off(&self, row: &Row) -> Happening {
        let ja = format!("{}の受信側が混雑（{}）、あとで再送", row.letter.japanese(), row.to.as_str());
        self.watcher.tell(
            Who::Annai,
            &ja,
            &format!("{} was put off by the receiver and will be tried again", row.letter.name()),
        )
    }

    /// Whether the visitor's certificate can be taken. On a slow machine its letters come late; one that does not come at
    /// all is not waited for.
    fn visitor_is_served(&self, scene: &Scene) -> bool {
        let turn = self.watcher.visitor.as_ref().map(|visitor| scene.turn(visitor));
        turn != Some(Turn::NotYet) || scene.now >= self.story.end.plus(VISITOR_WAITS)
    }

    fn nothing_under_way(scene: &Scene) -> bool {
        let due = |row: &Row| match &row.delivery {
            Delivery::InFlight { .. } => true,
            Delivery::Planned { due } => *due <= scene.now,
            Delivery::Deferred { until, .. } => *until <= scene.now,
            Delivery::Relayed { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Held { .. }
            | Delivery::Withdrawn { .. } => false,
        };
        !scene.rows.iter().any(due)
    }
}

/// One set remembers three things about a row.
const RETURNED: u64 = 1 << 60;
const PUT_OFF: u64 = 1 << 61;

/// The matter an inquiry has opened.
fn inquiry(scene: &Scene, mail: MailNo) -> Option<u64> {
    let matter = scene.matters.iter().find(|matter| matter.subject == Subject::Inquiry { mail })?;
    Some(matter.no.0)
}

/// The course may have moved on between the look and the act.
fn refused_is_fine(done: Result<(), EngineError>) -> Result<(), EngineError> {
    match done {
        Err(EngineError::Refused(_)) => Ok(()),
        other => other,
    }
}
