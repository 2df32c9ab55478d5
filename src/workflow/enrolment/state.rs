//! Questions to a state: whether it is open, what of it is in use, when it wants to be woken.

use super::{Certificate, Password, State};
use crate::domain::{Date, Timestamp};
use crate::workflow::{Policy, earlier};

impl State {
    /// Whether the pick-up code opens something at this moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        match self {
            Self::Open { deadline, .. } => now <= deadline.end(),
            Self::Registered
            | Self::NoticeQueued { .. }
            | Self::Collected { .. }
            | Self::InUse { .. }
            | Self::Undeliverable { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. }
            | Self::Superseded { .. }
            | Self::Revoked { .. } => false,
        }
    }

    /// Whether the password letter has left (or is no longer needed): credentials come after it, never before.
    pub fn password_has_left(&self) -> bool {
        match self {
            Self::Open { password: Password::Relayed { .. }, .. } | Self::Collected { .. } | Self::InUse { .. } => true,
            Self::Open { password: Password::Waiting { .. } | Password::Queued, .. }
            | Self::Registered
            | Self::NoticeQueued { .. }
            | Self::Undeliverable { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. }
            | Self::Superseded { .. }
            | Self::Revoked { .. } => false,
        }
    }

    /// When the certificate in hand was picked up.
    pub fn collected_at(&self) -> Option<Timestamp> {
        self.in_hand().map(|(at, _)| at)
    }

    /// The certificate that terminals may use now.
    pub fn live_certificate(&self) -> Option<&Certificate> {
        self.in_hand().map(|(_, certificate)| certificate)
    }

    /// The certificate that was picked up and counts, and when.
    fn in_hand(&self) -> Option<(Timestamp, &Certificate)> {
        match self {
            Self::Collected { at, certificate, .. } | Self::InUse { at, certificate, .. } => Some((*at, certificate)),
            Self::Registered
            | Self::NoticeQueued { .. }
            | Self::Open { .. }
            | Self::Undeliverable { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. }
            | Self::Superseded { .. }
            | Self::Revoked { .. } => None,
        }
    }

    /// Whether another generation has taken this one's place, or nothing is left of it to replace.
    pub fn is_replaced(&self) -> bool {
        match self {
            Self::Superseded { .. } | Self::Revoked { .. } => true,
            Self::Registered
            | Self::NoticeQueued { .. }
            | Self::Open { .. }
            | Self::Collected { .. }
            | Self::InUse { .. }
            | Self::Undeliverable { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// When a wake will next do something here. A moment in the past means: now.
    pub fn next_wake(&self, secrets_from: Option<Timestamp>, policy: &Policy<'_>) -> Option<Timestamp> {
        match self {
            Self::Registered => notice_from(secrets_from, policy),
            Self::Open { notice_relayed, deadline, reminded, password } => {
                let password = match password {
                    Password::Waiting { from } => Some(*from),
                    Password::Queued | Password::Relayed { .. } => None,
                };
                let expiry = Some(deadline.end().plus(1));
                let reminder = tiers(*notice_relayed, *deadline, policy)
                    .filter(|(days, _)| secrets_from.is_some() && reminded.is_none_or(|sent| *days < sent))
                    .map(|(_, due)| due)
                    .min();
                earlier(earlier(password, expiry), reminder)
            }
            Self::NoticeQueued { .. }
            | Self::Collected { .. }
            | Self::InUse { .. }
            | Self::Undeliverable { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. }
            | Self::Superseded { .. }
            | Self::Revoked { .. } => None,
        }
    }
}

/// Nothing secret leaves before the launch day, nor before the address is proven.
pub(super) fn notice_from(secrets_from: Option<Timestamp>, policy: &Policy<'_>) -> Option<Timestamp> {
    secrets_from.map(|proven| proven.max(policy.rules.schedule.certificates_from.start()))
}

/// Reminder tiers of a course (days before the deadline, moment due): moved back to a business day, and only those that
/// fall after the day of the notice.
pub(super) fn tiers(
    notice_relayed: Timestamp,
    deadline: Date,
    policy: &Policy<'_>,
) -> impl Iterator<Item = (u32, Timestamp)> {
    let (calendar, opened) = (policy.calendar, notice_relayed.date());
    policy.rules.schedule.reminder_days_before.iter().filter_map(move |days| {
        let day = calendar.business_day_on_or_before(deadline.minus_days(*days));
        (day > opened).then(|| (*days, day.start()))
    })
}
