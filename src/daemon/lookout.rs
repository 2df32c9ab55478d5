//! What a running daemon looks at by itself, once a minute: whether a report to the ministry is due, whether staff must be
//! told of something, how waves under way stand. Reconciles like the other loops: all it knows stands in the store and in
//! [`Health`], so a missed minute or a restart costs nothing.
//!
//! [`Health`]: crate::health::Health

use super::Daemon;
use crate::domain::Timestamp;
use crate::domain::time::{DAY, HOUR, MINUTE};
use crate::engine::Engine;
use crate::engine::alerts::Cause;
use crate::engine::survey::Figures;
use crate::engine::thread::Stopped;
use crate::letters::Period;
use crate::rules::Rules;
use crate::scheduler::{Rhythm, sleep_until};
use tokio::sync::watch;

/// Between two looks, in seconds of the clock; a fast clock is looked at every [`REAL_SECONDS_MIN`] at most.
const LOOK_SECONDS: i64 = MINUTE;
const REAL_SECONDS_MIN: i64 = 1;
/// A matter waits too long from here on, in seconds.
const REVIEW_SECONDS_MAX: i64 = DAY;
/// A letter is late from here on, in seconds.
const LATE_SECONDS_MAX: i64 = HOUR;
/// Trouble with a server younger than this is not told: it may be a restart.
const TROUBLE_SECONDS_MIN: i64 = 10 * MINUTE;

impl Daemon {
    /// Looks until told to end.
    pub(super) async fn watch(&self, mut told: watch::Receiver<bool>) -> Result<(), Stopped> {
        let pause = LOOK_SECONDS.max(REAL_SECONDS_MIN.saturating_mul(i64::from(self.clock.factor())));
        loop {
            self.look().await?;
            tokio::select! {
                _ended = told.wait_for(|now| *now) => return Ok(()),
                () = sleep_until(&self.clock, Some(self.clock.now().plus(pause))) => {}
            }
        }
    }

    /// One look.
    pub(super) async fn look(&self) -> Result<(), Stopped> {
        if let Err(fault) = self.handle.call(Engine::look_at_waves).await? {
            tracing::error!(%fault, "waves could not be looked at");
        }
        let rules = self.rules();
        for period in [Period::Daily, Period::Weekly] {
            self.report(period, &rules).await?;
        }
        self.alert().await
    }

    /// Writes the report of a rhythm if a beat has passed since the last.
    async fn report(&self, period: Period, rules: &std::sync::Arc<Rules>) -> Result<(), Stopped> {
        let rhythm = match period {
            Period::Daily => &rules.schedule.oversight.daily_report,
            Period::Weekly => &rules.schedule.oversight.weekly_report,
        };
        let Some(rhythm) = rhythm.as_ref().and_then(|rhythm| rhythm.parse::<Rhythm>().ok()) else { return Ok(()) };
        let now = self.clock.now();
        let Ok(last) = self.handle.call(move |engine| engine.reported(period)).await? else { return Ok(()) };
        if rhythm.next_after(last).is_none_or(|beat| beat > now) {
            return Ok(());
        }
        let (survey, rules) = (self.survey.clone(), std::sync::Arc::clone(rules));
        let gathered = tokio::task::spawn_blocking(move || survey.gather(last, now, &rules)).await;
        let Ok(Ok(gathered)) = gathered else {
            tracing::error!("the figures of a report could not be gathered; it is tried again in a minute");
            return Ok(());
        };
        if let Err(fault) = self.handle.call(move |engine| engine.report(period, &gathered)).await? {
            tracing::error!(%fault, "a report could not be written; it is tried again in a minute");
        }
        Ok(())
    }

    async fn alert(&self) -> Result<(), Stopped> {
        if !matches!(self.handle.call(|engine| engine.has_alert_recipients()).await?, Ok(true)) {
            return Ok(());
        }
        let now = self.clock.now();
        let mut causes = self.troubles(now);
        // As the board has counted them: what is new is taken in, nothing is walked over.
        let board = self.survey.board();
        if let Ok(Ok(Some(figures))) = tokio::task::spawn_blocking(move || board.figures(now)).await {
            causes.extend(found(&figures, now));
        }
        let waiting = self.handle.call(|engine| engine.waiting_for_people()).await?;
        causes.extend(waiting.unwrap_or_default());
        for (cause, lines) in causes {
            if let Err(fault) = self.handle.call(move |engine| engine.alert(cause, &lines)).await? {
                tracing::error!(%fault, "staff could not be told");
            }
        }
        Ok(())
    }

    /// What the edges know.
    fn troubles(&self, now: Timestamp) -> Vec<(Cause, Vec<String>)> {
        let vitals = self.health.vitals();
        let mut causes = Vec::new();
        let servers = [(Cause::MailboxStopped, vitals.imap_trouble), (Cause::SendingStopped, vitals.smtp_trouble)];
        for (cause, trouble) in servers {
            if let Some(trouble) = trouble.filter(|trouble| now.since(trouble.since) >= TROUBLE_SECONDS_MIN) {
                causes.push((cause, vec![format!("{}から：{}", trouble.since.staff(), trouble.what)]));
            }
        }
        if let Some(count) = vitals.mailbox.filter(|count| count.unaccounted() > 0) {
            let line = format!("メールボックス {}通のうち、処理済み {}通", count.in_mailbox, count.filed);
            causes.push((Cause::MailsUnaccounted, vec![line]));
        }
        causes
    }
}

/// What the figures say.
fn found(figures: &Figures, now: Timestamp) -> Vec<(Cause, Vec<String>)> {
    let mut causes = Vec::new();
    if !figures.journal_in_order {
        causes.push((Cause::JournalBroken, vec!["末尾の記録が連続していません".to_owned()]));
    }
    if figures.unknown_outcomes > 0 {
        causes.push((Cause::OutcomesUnknown, vec![format!("{}通", figures.unknown_outcomes)]));
    }
    if let Some(oldest) = figures.oldest_matter.filter(|oldest| now.since(*oldest) >= REVIEW_SECONDS_MAX) {
        let line = format!("確認待ち {}件、最も古いもの {}", figures.matters, oldest.staff());
        causes.push((Cause::ReviewsWaiting, vec![line]));
    }
    let late: Vec<String> = figures
        .lateness
        .iter()
        .filter(|(_, seconds)| **seconds >= LATE_SECONDS_MAX)
        .map(|(letter, seconds)| format!("{letter}：{}分", seconds / MINUTE))
        .collect();
    if !late.is_empty() {
        causes.push((Cause::LettersLate, late));
    }
    causes
}
