//! A wave: many letters of one kind that leave together, watched (research R9, R15). Pure.
//!
//! | state \ event | Released | Looked | Halted | Withdrawn |
//! |---|---|---|---|---|
//! | Draft | Canaries¹ | same | – | Withdrawn⁴ |
//! | Canaries | – | Running², Stopped³, Done or same | Stopped³ | Withdrawn⁴ |
//! | Running | – | Done, Stopped³ or same² | Stopped³ | Withdrawn⁴ |
//! | Stopped | Canaries or Running¹ | same | – | Withdrawn⁴ |
//! | Done | – | same | – | – |
//! | Withdrawn | – | same | – | – |
//!
//! – is [`Refused`]. ¹ lets the first canaries go (after a stop: what had failed until then is forgiven). ² all canaries
//! have left and stood for the configured minutes; from then on at most [`BATCH`] letters are under way at once. ³ at the first canary that fails, later at the configured number of failures: the circuit breaker; what was
//! let go and has not left is kept back again. ⁴ what has not left goes
//! back to wait for the next wave, in which it is written anew.
//!
//! Who may release says [`super::rights`], and the second person [`super::approval`].

use super::Refused;
use crate::domain::Timestamp;
use crate::domain::time::MINUTE;
use crate::rules::WavePolicy;
use crate::workflow::delivery::{Delivery, HoldReason};
use serde::{Deserialize, Serialize};

/// Letters under way at once.
pub const BATCH: u32 = 20;
/// Most letters of one wave; more make a second one.
pub const LETTERS_MAX: usize = 2000;

/// Where a wave stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Wave {
    /// Being put together and looked at; nothing leaves.
    Draft,
    /// The first few are under way. `until`: they have all left, and are to stand until then.
    Canaries {
        since: Timestamp,
        until: Option<Timestamp>,
        forgiven: u32,
    },
    Running {
        since: Timestamp,
        forgiven: u32,
    },
    Stopped {
        at: Timestamp,
        why: String,
    },
    Done {
        at: Timestamp,
    },
    Withdrawn {
        at: Timestamp,
        why: String,
    },
}

/// Where one letter of a wave stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Member {
    /// Kept back until its turn.
    Waiting,
    /// Taken out of this wave by a person; kept back.
    Unticked,
    /// Let go; nothing is known yet.
    Out,
    /// Handed over to the mail server of its recipient.
    Left,
    /// Refused, returned, or nobody knows.
    Failed,
    /// Taken back with this wave; it waits for the next, or has left with it.
    Withdrawn,
}

/// How many letters of a wave stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    pub waiting: u32,
    pub unticked: u32,
    pub out: u32,
    pub left: u32,
    pub failed: u32,
    pub withdrawn: u32,
}

/// What happens to a wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaveEvent {
    /// As many persons as needed have said that it may leave, or go on.
    Released {
        tally: Tally,
    },
    /// Somebody looked how it goes: after each answer, and when time has passed.
    Looked {
        tally: Tally,
    },
    Halted {
        why: String,
    },
    Withdrawn {
        why: String,
    },
}

/// What is to be done with its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveEffect {
    /// Let so many of the waiting ones go, by number.
    LetGo(u32),
    /// Keep back again what was let go and has not left.
    KeepBack,
    /// All that has not left waits for the next wave.
    TakeBack,
}

impl Wave {
    /// Code and word for lists.
    pub fn word(&self) -> (&'static str, &'static str) {
        match self {
            Self::Draft => ("draft", "準備中"),
            Self::Canaries { .. } => ("canaries", "先行送信中"),
            Self::Running { .. } => ("running", "送信中"),
            Self::Stopped { .. } => ("stopped", "停止"),
            Self::Done { .. } => ("done", "完了"),
            Self::Withdrawn { .. } => ("withdrawn", "取下げ"),
        }
    }

    /// Whether looking at it can change anything.
    pub fn is_under_way(&self) -> bool {
        match self {
            Self::Canaries { .. } | Self::Running { .. } => true,
            Self::Draft | Self::Stopped { .. } | Self::Done { .. } | Self::Withdrawn { .. } => false,
        }
    }

    /// When time alone moves it on.
    pub fn next_look(&self) -> Option<Timestamp> {
        match self {
            Self::Canaries { until, .. } => *until,
            Self::Draft | Self::Running { .. } | Self::Stopped { .. } | Self::Done { .. } | Self::Withdrawn { .. } => {
                None
            }
        }
    }
}

impl Member {
    /// What the row of a letter says about it. Of a row kept back for its wave only the wave knows whether it is ticked.
    pub fn of(delivery: &Delivery) -> Self {
        match delivery {
            Delivery::Held { reason: HoldReason::Wave, .. } => Self::Waiting,
            Delivery::Held { reason: HoldReason::Staff, .. } => Self::Unticked,
            Delivery::Planned { .. } | Delivery::InFlight { .. } | Delivery::Deferred { .. } => Self::Out,
            Delivery::Relayed { .. } => Self::Left,
            Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Held {
                reason:
                    HoldReason::Frozen
                    | HoldReason::ServerRefuses
                    | HoldReason::ServerUnreachable
                    | HoldReason::LetterRefused
                    | HoldReason::OutcomeUnknown,
                ..
            } => Self::Failed,
            Delivery::Withdrawn { .. } => Self::Withdrawn,
        }
    }

    /// Code and word for lists.
    pub fn word(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("waiting", "待機中"),
            Self::Unticked => ("unticked", "対象外"),
            Self::Out => ("out", "送信中"),
            Self::Left => ("left", "送信済み"),
            Self::Failed => ("failed", "不達・不明"),
            Self::Withdrawn => ("withdrawn", "取下げ"),
        }
    }
}

impl Tally {
    pub fn count(&mut self, member: Member) {
        let number = match member {
            Member::Waiting => &mut self.waiting,
            Member::Unticked => &mut self.unticked,
            Member::Out => &mut self.out,
            Member::Left => &mut self.left,
            Member::Failed => &mut self.failed,
            Member::Withdrawn => &mut self.withdrawn,
        };
        *number = number.saturating_add(1);
    }

    /// Letters that were let go, whatever became of them.
    fn gone(&self) -> u32 {
        self.out.saturating_add(self.left).saturating_add(self.failed)
    }
}

/// Whether a letter of a kind that leaves in waves must wait for one: as long as no wave of its kind has been done, and
/// later whenever a day brings more of them than are let through singly.
pub fn must_wait(first_done: bool, queued_today: u32, policy: &WavePolicy) -> bool {
    !first_done || queued_today >= policy.free_per_day
}

/// One step of the table above.
pub fn step(
    state: &Wave,
    event: &WaveEvent,
    now: Timestamp,
    policy: &WavePolicy,
) -> Result<(Wave, Vec<WaveEffect>), Refused> {
    use {Wave as S, WaveEvent as E};
    match (state, event) {
        (S::Draft | S::Stopped { .. }, E::Released { tally }) => released(tally, now, policy),
        (S::Canaries { .. } | S::Running { .. }, E::Released { .. }) => Err(Refused("this wave is under way")),
        (S::Canaries { since, until, forgiven }, E::Looked { tally }) => {
            Ok(canaries(*since, *until, *forgiven, tally, now, policy))
        }
        (S::Running { since, forgiven }, E::Looked { tally }) => Ok(running(*since, *forgiven, tally, now, policy)),
        (S::Draft | S::Stopped { .. } | S::Done { .. } | S::Withdrawn { .. }, E::Looked { .. }) => {
            Ok((state.clone(), Vec::new()))
        }
        (S::Canaries { .. } | S::Running { .. }, E::Halted { why }) => Ok(stopped(now, why)),
        (S::Draft | S::Stopped { .. }, E::Halted { .. }) => Err(Refused("this wave is not under way")),
        (S::Draft | S::Canaries { .. } | S::Running { .. } | S::Stopped { .. }, E::Withdrawn { why }) => {
            Ok((S::Withdrawn { at: now, why: why.clone() }, vec![WaveEffect::TakeBack]))
        }
        (S::Done { .. } | S::Withdrawn { .. }, E::Released { .. } | E::Halted { .. } | E::Withdrawn { .. }) => {
            Err(Refused("this wave is over"))
        }
    }
}

fn released(tally: &Tally, now: Timestamp, policy: &WavePolicy) -> Result<(Wave, Vec<WaveEffect>), Refused> {
    if tally.waiting == 0 {
        return Err(Refused("no letter of this wave is waiting to leave"));
    }
    let forgiven = tally.failed;
    // A canary that failed has told nothing good: the next waiting one takes its place.
    let lacking = policy.canaries.saturating_sub(tally.left);
    if lacking == 0 {
        return Ok((Wave::Running { since: now, forgiven }, vec![WaveEffect::LetGo(BATCH)]));
    }
    Ok((Wave::Canaries { since: now, until: None, forgiven }, vec![WaveEffect::LetGo(lacking)]))
}

fn canaries(
    since: Timestamp,
    until: Option<Timestamp>,
    forgiven: u32,
    tally: &Tally,
    now: Timestamp,
    policy: &WavePolicy,
) -> (Wave, Vec<WaveEffect>) {
    if tally.failed > forgiven {
        return stopped(now, "先行送信のメールが届きませんでした");
    }
    let lacking = policy.canaries.saturating_sub(tally.gone().saturating_sub(forgiven)).min(tally.waiting);
    match until {
        // A canary was taken back meanwhile.
        _ if lacking > 0 => (Wave::Canaries { since, until: None, forgiven }, vec![WaveEffect::LetGo(lacking)]),
        _ if tally.out > 0 => (Wave::Canaries { since, until: None, forgiven }, Vec::new()),
        None => {
            let until = now.plus(i64::from(policy.canary_minutes) * MINUTE);
            canaries_stand(since, until, forgiven, tally, now)
        }
        Some(until) => canaries_stand(since, until, forgiven, tally, now),
    }
}

fn canaries_stand(
    since: Timestamp,
    until: Timestamp,
    forgiven: u32,
    tally: &Tally,
    now: Timestamp,
) -> (Wave, Vec<WaveEffect>) {
    if tally.waiting == 0 {
        (Wave::Done { at: now }, Vec::new())
    } else if now >= until {
        (Wave::Running { since: now, forgiven }, vec![WaveEffect::LetGo(BATCH)])
    } else {
        (Wave::Canaries { since, until: Some(until), forgiven }, Vec::new())
    }
}

fn running(
    since: Timestamp,
    forgiven: u32,
    tally: &Tally,
    now: Timestamp,
    policy: &WavePolicy,
) -> (Wave, Vec<WaveEffect>) {
    if tally.failed.saturating_sub(forgiven) >= policy.stop_at {
        return stopped(now, "届かないメールが続いたため、自動で停止しました");
    }
    let room = BATCH.saturating_sub(tally.out).min(tally.waiting);
    match (tally.out, room) {
        (0, 0) => (Wave::Done { at: now }, Vec::new()),
        (_, 0) => (Wave::Running { since, forgiven }, Vec::new()),
        (_, room) => (Wave::Running { since, forgiven }, vec![WaveEffect::LetGo(room)]),
    }
}

fn stopped(now: Timestamp, why: &str) -> (Wave, Vec<WaveEffect>) {
    (Wave::Stopped { at: now, why: why.to_owned() }, vec![WaveEffect::KeepBack])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    const NOW: Timestamp = Timestamp::from_unix(1_588_291_200);
    const POLICY: WavePolicy = WavePolicy { canaries: 2, canary_minutes: 10, stop_at: 3, free_per_day: 20 };

    fn kind(of: &impl std::fmt::Debug) -> String {
        format!("{of:?}").split([' ', '{']).next().unwrap().to_owned()
    }

    /// Every state, with the moments that matter to it.
    fn states() -> Vec<Wave> {
        let (since, why) = (NOW.plus(-MINUTE), "x".to_owned());
        let canaries = |until| Wave::Canaries { since, until, forgiven: 0 };
        vec![
            Wave::Draft,
            canaries(None),
            canaries(Some(NOW)),
            canaries(Some(NOW.plus(1))),
            Wave::Running { since, forgiven: 0 },
            Wave::Stopped { at: NOW, why: why.clone() },
            Wave::Done { at: NOW },
            Wave::Withdrawn { at: NOW, why },
        ]
    }

    /// Every event with every small tally; before the first letter has left, none has.
    fn events(state: &Wave) -> Vec<WaveEvent> {
        let mut events = vec![WaveEvent::Halted { why: "x".into() }, WaveEvent::Withdrawn { why: "x".into() }];
        let most = if *state == Wave::Draft { 0 } else { 4 };
        for waiting in 0..2 {
            for (out, left, failed) in
                (0..=most).flat_map(|o| (0..=most).flat_map(move |l| (0..=most).map(move |f| (o, l, f))))
            {
                let tally = Tally { waiting, out, left, failed, ..Tally::default() };
                events.push(WaveEvent::Looked { tally });
                // That nothing waits refuses a release whatever the state; the table tells the rest.
                events.extend((waiting > 0).then_some(WaveEvent::Released { tally }));
            }
        }
        events
    }

    /// The table of the header, read as data, says exactly what can happen.
    #[test]
    fn the_table_in_the_header_is_the_code() {
        let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for state in states() {
            for event in events(&state) {
                let then = match step(&state, &event, NOW, &POLICY) {
                    Err(_) => "–".to_owned(),
                    Ok((next, _)) if kind(&next) == kind(&state) => "same".to_owned(),
                    Ok((next, _)) => kind(&next),
                };
                found.entry((kind(&state), kind(&event))).or_default().insert(then);
            }
        }
        let mut rows = include_str!("wave.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
        let events: Vec<&str> = rows.next().unwrap().trim_end_matches(" |").split(" | ").skip(1).collect();
        let mut told = BTreeMap::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
            for (event, cell) in events.iter().zip(&cells[1..]) {
                let plain = cell.replace(['¹', '²', '³', '⁴'], "").replace(" or ", ", ");
                let thens: BTreeSet<String> = plain.split(", ").map(str::to_owned).collect();
                told.insert((cells[0].to_owned(), (*event).to_owned()), thens);
            }
        }
        assert_eq!(found, told);
    }
}
