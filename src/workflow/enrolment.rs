//! One certificate course of a tenant: one per generation (seed 4.3; DESIGN §4; research R5, R12, R16).
//!
//! | state | event | next | effects |
//! |---|---|---|---|
//! | Registered | Woke, launched and the address proven | NoticeQueued | queue the notice |
//! | NoticeQueued | Relayed(notice) | Open | |
//! | Open | Woke, delay over | Open, password queued | queue the password letter |
//! | Open | Relayed(password) | Open, password relayed | |
//! | Open | Woke, reminder tier reached | Open, reminded | queue one reminder (missed ones collapse) |
//! | Open | Woke, deadline over | Expired | withdraw, queue the expiry letter, ask staff |
//! | Open | PickedUp | Collected | withdraw |
//! | Collected | SeenInUse | InUse | |
//! | Open | Returned(notice), password not queued | NoticeQueued | |
//! | Open | Returned(password) | Open, password queued | |
//! | NoticeQueued, Open | Undeliverable(notice, password) | Undeliverable | withdraw, ask staff |
//! | Registered, NoticeQueued, Open, Undeliverable | Cancelled | Cancelled | withdraw |
//! | Collected, InUse | Revoked | Revoked | revoke the certificate |
//! | Registered … Undeliverable, Expired, Cancelled, Revoked | Superseded | Superseded | withdraw, revoke a certificate in use |
//!
//! Reminders go only to an address that is not known to be dead. The pick-up code opens something only in *Open* ([`State::is_open`]): leaving that state voids it.
//! Relayed and Undeliverable of letters that decide nothing (reminder, expiry letter) change nothing, except that a
//! reminder which cannot be delivered asks staff. A wake that comes early or twice does nothing. The rest is refused.

mod returned;
mod state;

use self::returned::returned;
use self::state::{notice_from, tiers};
use super::{Effect, Matter, Nonce, Policy, Refused, RevocationReason};
use crate::domain::{Date, Generation, Timestamp, time::MINUTE};
use crate::letters::CertificateLetter as L;
use crate::letters::LetterKind;
use serde::{Deserialize, Serialize};

/// Letters of a generation that are pointless once its code is void.
const LEADING_TO_PICKUP: &[LetterKind] =
    &[LetterKind::CertificateNotice, LetterKind::PickupPassword, LetterKind::Reminder];

/// One generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub generation: Generation,
    /// The pick-up code and password are derived from it.
    pub nonce: Nonce,
    /// Why this is not the first generation.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub cause: Cause,
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub state: State,
}

/// Why a generation was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    #[default]
    First,
    Reissue,
    Renewal,
}

/// See the table above.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    #[default]
    Registered,
    /// `stated`: the deadline the notice names if it leaves when it was planned to; later it names a later one
    /// ([`pick_up_until`]).
    NoticeQueued {
        stated: Date,
    },
    /// The certificate can be picked up until 23:59:59 JST of `deadline`.
    Open {
        notice_relayed: Timestamp,
        deadline: Date,
        reminded: Option<u32>,
        password: Password,
    },
    Collected {
        at: Timestamp,
        certificate: Certificate,
    },
    InUse {
        at: Timestamp,
        certificate: Certificate,
    },
    Undeliverable {
        at: Timestamp,
        letter: LetterKind,
        why: String,
    },
    Expired {
        at: Timestamp,
        deadline: Date,
    },
    Cancelled {
        at: Timestamp,
        reason: String,
    },
    Superseded {
        at: Timestamp,
        by: Generation,
    },
    Revoked {
        at: Timestamp,
        certificate: Certificate,
        reason: RevocationReason,
    },
}

/// Where the password letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "password")]
pub enum Password {
    Waiting { from: Timestamp },
    Queued,
    Relayed { at: Timestamp },
}

/// What was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Serial number, hexadecimal.
    pub serial: String,
    pub not_after: Timestamp,
}

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentEvent {
    /// `secrets_from`: from when on the tenant's address may be sent secrets ([`super::welcome::Welcome::secrets_from`]).
    Woke {
        secrets_from: Option<Timestamp>,
    },
    Relayed {
        letter: L,
    },
    /// A letter came back for now and will be sent once more.
    Returned {
        letter: L,
    },
    Undeliverable {
        letter: L,
        why: String,
    },
    PickedUp {
        certificate: Certificate,
    },
    SeenInUse,
    Cancelled {
        reason: String,
    },
    Revoked {
        reason: RevocationReason,
    },
    Superseded {
        by: Generation,
    },
}

/// One step of the table above.
pub fn step(
    generation: Generation,
    state: &State,
    event: &EnrolmentEvent,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<(State, Vec<Effect>), Refused> {
    use {EnrolmentEvent as E, State as S};
    let close = |letters| vec![Effect::WithdrawUnsent { generation, letters }];
    Ok(match (state, event) {
        (_, E::Woke { secrets_from }) => woke(generation, state, *secrets_from, now, policy),
        (_, E::Relayed { letter }) => relayed(state, *letter, now, policy),
        (_, E::Returned { letter }) => returned(state, *letter),
        (_, E::Undeliverable { letter, why }) => undeliverable(generation, state, *letter, why, now),
        (S::Open { deadline, .. }, E::PickedUp { certificate }) if now <= deadline.end() => {
            (S::Collected { at: now, certificate: certificate.clone() }, close(LEADING_TO_PICKUP))
        }
        (S::Collected { certificate, .. }, E::SeenInUse) => {
            (S::InUse { at: now, certificate: certificate.clone() }, Vec::new())
        }
        (S::InUse { .. }, E::SeenInUse) => (state.clone(), Vec::new()),
        (
            S::Registered | S::NoticeQueued { .. } | S::Open { .. } | S::Undeliverable { .. },
            E::Cancelled { reason },
        ) => (S::Cancelled { at: now, reason: reason.clone() }, close(LEADING_TO_PICKUP)),
        (S::Collected { certificate, .. } | S::InUse { certificate, .. }, E::Revoked { reason }) => {
            let revoke = Effect::Revoke { serial: certificate.serial.clone(), reason: *reason };
            (S::Revoked { at: now, certificate: certificate.clone(), reason: *reason }, vec![revoke])
        }
        (S::Collected { certificate, .. } | S::InUse { certificate, .. }, E::Superseded { by }) => {
            let reason = RevocationReason::Superseded;
            let revoke = Effect::Revoke { serial: certificate.serial.clone(), reason };
            (S::Superseded { at: now, by: *by }, vec![revoke])
        }
        (
            S::Registered
            | S::NoticeQueued { .. }
            | S::Open { .. }
            | S::Undeliverable { .. }
            | S::Expired { .. }
            | S::Cancelled { .. }
            | S::Revoked { .. },
            E::Superseded { by },
        ) => (S::Superseded { at: now, by: *by }, close(LEADING_TO_PICKUP)),
        (S::Superseded { .. }, E::Superseded { .. }) => {
            return Err(Refused("this generation has already been replaced by another"));
        }
        (S::Open { .. }, E::PickedUp { .. }) => return Err(Refused("the pick-up window is over")),
        (
            S::Registered
            | S::NoticeQueued { .. }
            | S::Collected { .. }
            | S::InUse { .. }
            | S::Undeliverable { .. }
            | S::Expired { .. }
            | S::Cancelled { .. }
            | S::Superseded { .. }
            | S::Revoked { .. },
            E::PickedUp { .. },
        ) => return Err(Refused("no certificate is waiting to be picked up")),
        (
            S::Registered
            | S::NoticeQueued { .. }
            | S::Open { .. }
            | S::Undeliverable { .. }
            | S::Expired { .. }
            | S::Cancelled { .. }
            | S::Superseded { .. }
            | S::Revoked { .. },
            E::SeenInUse | E::Revoked { .. },
        ) => return Err(Refused("no certificate of this generation is in use")),
        (
            S::Collected { .. }
            | S::InUse { .. }
            | S::Expired { .. }
            | S::Cancelled { .. }
            | S::Superseded { .. }
            | S::Revoked { .. },
            E::Cancelled { .. },
        ) => return Err(Refused("this course is over; a certificate in use is revoked, not cancelled")),
    })
}

fn woke(
    generation: Generation,
    state: &State,
    secrets_from: Option<Timestamp>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> (State, Vec<Effect>) {
    let queue = |letter, ordinal| Effect::Queue { letter, generation, ordinal, not_before: now };
    match state {
        State::Registered if notice_from(secrets_from, policy).is_some_and(|from| now >= from) => {
            let leaves = policy.calendar.next_open(&policy.rules.schedule.send_window, now);
            let stated = leaves.date().plus_days(policy.rules.schedule.window_days);
            (State::NoticeQueued { stated }, vec![queue(LetterKind::CertificateNotice, 1)])
        }
        State::Open { deadline, .. } if now > deadline.end() => {
            let effects = vec![
                Effect::WithdrawUnsent { generation, letters: LEADING_TO_PICKUP },
                queue(LetterKind::Expired, 1),
                Effect::AskStaff(Matter::NotPickedUp { generation }),
            ];
            (State::Expired { at: now, deadline: *deadline }, effects)
        }
        State::Open { notice_relayed, deadline, reminded, password } => {
            let mut effects = Vec::new();
            let mut password = *password;
            if matches!(password, Password::Waiting { from } if now >= from) {
                password = Password::Queued;
                effects.push(queue(LetterKind::PickupPassword, 1));
            }
            // Of all tiers reached and not yet used only the last is sent: after an outage one mail, not four.
            // An address that has turned out to be dead is not written to any more.
            let due = tiers(*notice_relayed, *deadline, policy)
                .filter(|_| secrets_from.is_some())
                .filter(|(days, from)| now >= *from && reminded.is_none_or(|sent| *days < sent))
                .map(|(days, _)| days)
                .min();
            if let Some(days) = due {
                effects.push(queue(LetterKind::Reminder, days));
            }
            let (notice_relayed, deadline, reminded) = (*notice_relayed, *deadline, due.or(*reminded));
            (State::Open { notice_relayed, deadline, reminded, password }, effects)
        }
        State::Registered
        | State::NoticeQueued { .. }
        | State::Collected { .. }
        | State::InUse { .. }
        | State::Undeliverable { .. }
        | State::Expired { .. }
        | State::Cancelled { .. }
        | State::Superseded { .. }
        | State::Revoked { .. } => (state.clone(), Vec::new()),
    }
}

/// The last day of a pick-up window that begins on `day`: [`window_days`](crate::rules::Schedule::window_days) later, or the
/// day the notice was first planned to name if that is later (docs/decisions/0005). The notice names it, counted from the
/// day it is handed over; the window keeps it, counted from the day it was relayed.
pub fn pick_up_until(day: Date, stated: Date, policy: &Policy<'_>) -> Date {
    day.plus_days(policy.rules.schedule.window_days).max(stated)
}

/// Whether a notice written for `written` (`None`: for the day it was planned to leave) names another deadline than the one it
/// has if it leaves on `day`.
pub fn is_outdated(written: Option<Date>, stated: Date, day: Date, policy: &Policy<'_>) -> bool {
    let named = written.map_or(stated, |written| pick_up_until(written, stated, policy));
    named != pick_up_until(day, stated, policy)
}

fn relayed(state: &State, letter: L, now: Timestamp, policy: &Policy<'_>) -> (State, Vec<Effect>) {
    let schedule = &policy.rules.schedule;
    match (state, letter) {
        (State::NoticeQueued { stated }, L::Notice) => {
            // The window runs from the day of relay; what the notice promises is kept if that is later.
            let deadline = pick_up_until(now.date(), *stated, policy);
            let from = now.plus(i64::from(schedule.password_delay_minutes) * MINUTE);
            let password = Password::Waiting { from };
            (State::Open { notice_relayed: now, deadline, reminded: None, password }, Vec::new())
        }
        (State::Open { notice_relayed, deadline, reminded, password: Password::Queued }, L::Password) => {
            let password = Password::Relayed { at: now };
            let (notice_relayed, deadline, reminded) = (*notice_relayed, *deadline, *reminded);
            (State::Open { notice_relayed, deadline, reminded, password }, Vec::new())
        }
        // A letter that was on its way when the course moved on: known from its outbox row, no news for the course.
        (_, L::Notice | L::Password | L::Reminder | L::Expired) => (state.clone(), Vec::new()),
    }
}

fn undeliverable(generation: Generation, state: &State, letter: L, why: &str, now: Timestamp) -> (State, Vec<Effect>) {
    let ask = Effect::AskStaff(Matter::Undeliverable { letter: letter.into(), why: why.to_owned() });
    match (state, letter) {
        (State::NoticeQueued { .. } | State::Open { .. }, L::Notice | L::Password) => {
            let effects = vec![Effect::WithdrawUnsent { generation, letters: LEADING_TO_PICKUP }, ask];
            (State::Undeliverable { at: now, letter: letter.into(), why: why.to_owned() }, effects)
        }
        (_, L::Notice | L::Password | L::Reminder | L::Expired) => (state.clone(), vec![ask]),
    }
}
