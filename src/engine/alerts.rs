//! Mails to staff when something needs a person (research R13, R15): one per cause and hour at most (per day where only
//! somebody has to decide), whatever goes wrong how often. They go to the accounts that have an address; without one there is nobody to tell, and `annai doctor` says so.
//! The one mechanism for this: who finds trouble calls [`Engine::alert`] as often as it likes.

use super::people::Account;
use super::records::{About, Subject};
use super::step::Step;
use super::{Context, Engine, EngineError, SYSTEM, codec};
use crate::domain::time::{DAY, HOUR};
use crate::domain::{MailAddress, Timestamp};
use crate::letters::Letter;
use crate::store::Table;
use crate::workflow::rights::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Lines of one alert; further ones are counted, not printed.
pub const LINES_MAX: usize = 20;

/// What needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    MailboxStopped,
    SendingStopped,
    MailsUnaccounted,
    JournalBroken,
    OutcomesUnknown,
    ReviewsWaiting,
    LettersLate,
    WaveStopped,
    RequestsWaiting,
    Bounces,
}

impl Cause {
    pub const ALL: [Self; 10] = [
        Self::MailboxStopped,
        Self::SendingStopped,
        Self::MailsUnaccounted,
        Self::JournalBroken,
        Self::OutcomesUnknown,
        Self::ReviewsWaiting,
        Self::LettersLate,
        Self::WaveStopped,
        Self::RequestsWaiting,
        Self::Bounces,
    ];

    /// The word in records and journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::MailboxStopped => "mailbox-stopped",
            Self::SendingStopped => "sending-stopped",
            Self::MailsUnaccounted => "mails-unaccounted",
            Self::JournalBroken => "journal-broken",
            Self::OutcomesUnknown => "outcomes-unknown",
            Self::ReviewsWaiting => "reviews-waiting",
            Self::LettersLate => "letters-late",
            Self::WaveStopped => "wave-stopped",
            Self::RequestsWaiting => "requests-waiting",
            Self::Bounces => "bounces",
        }
    }

    /// How long it is not told again, in seconds: what is broken, every hour; what waits for somebody, every day.
    pub fn quiet_seconds(self) -> i64 {
        match self {
            Self::MailboxStopped
            | Self::SendingStopped
            | Self::MailsUnaccounted
            | Self::JournalBroken
            | Self::LettersLate => HOUR,
            Self::OutcomesUnknown
            | Self::ReviewsWaiting
            | Self::WaveStopped
            | Self::RequestsWaiting
            | Self::Bounces => DAY,
        }
    }

    pub fn japanese(self) -> &'static str {
        match self {
            Self::MailboxStopped => "受信メールの読取りが止まっています",
            Self::SendingStopped => "メールを送信できません",
            Self::MailsUnaccounted => "処理されていない受信メールがあります",
            Self::JournalBroken => "監査証跡に異常があります",
            Self::OutcomesUnknown => "届いたかどうか分からない送信メールがあります",
            Self::ReviewsWaiting => "要確認のまま1営業日以上たったものがあります",
            Self::LettersLate => "送信予定を1時間以上過ぎたメールがあります",
            Self::WaveStopped => "一斉送信が停止しました",
            Self::RequestsWaiting => "承認待ちの申請があります",
            Self::Bounces => "配信不能が続いています",
        }
    }

    /// What to do, for the mail.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::MailboxStopped => "メールサーバー（IMAP）の状態と、annai doctor の結果を確認してください。",
            Self::SendingStopped => "送信サーバー（SMTP）の状態と、annai doctor の結果を確認してください。",
            Self::MailsUnaccounted => "annai status の受信箱の件数と、メールボックスの件数を比べてください。",
            Self::JournalBroken => {
                "annai audit verify を実行し、状態ディレクトリの写しを保存してください。発行と送信は停止しています。"
            }
            Self::OutcomesUnknown => "annai queue --state unknown で一覧し、再送または取消しを判断してください。",
            Self::ReviewsWaiting => "annai review で一覧し、古いものから判断してください。",
            Self::LettersLate => "annai queue で一覧し、送信サーバーの状態を確認してください。",
            Self::WaveStopped => "annai wave で状況を確認し、再開または取下げを判断してください。",
            Self::RequestsWaiting => "申請者とは別の方が、annai approval で一覧し、承認または却下してください。",
            Self::Bounces => "annai queue --state bounced で一覧し、宛先の受信サーバーと連絡先を確認してください。",
        }
    }
}

impl Engine {
    /// Tells staff, unless the same cause was told within the hour or nobody has an address. `lines`: numbers, ids and
    /// masked addresses only. Returns how many were written to.
    pub fn alert(&mut self, cause: Cause, lines: &[String]) -> Result<usize, EngineError> {
        self.step(SYSTEM, |step| alert(step, cause, lines))
    }
}

impl Engine {
    /// Whether anybody would get an alert.
    pub fn has_alert_recipients(&self) -> Result<bool, EngineError> {
        Ok(!recipients(&self.context)?.is_empty())
    }

    /// Requests, stopped waves and tenants failing together that wait for somebody, as alerts.
    pub fn waiting_for_people(&self) -> Result<Vec<(Cause, Vec<String>)>, EngineError> {
        let asks = self.asks(true, None, LINES_MAX)?.items;
        let asks: Vec<String> = asks.iter().map(|ask| format!("申請{}：{}", ask.no.0, ask.text)).collect();
        let stopped = self.stopped_waves()?;
        let stopped: Vec<String> = stopped.iter().map(|(no, letter)| format!("一斉送信{}：{letter}", no.0)).collect();
        let matters = self.matters(super::views::PAGE_MAX)?;
        let failing = matters.iter().filter(|matter| matches!(matter.subject, Subject::FailingTogether { .. }));
        let failing: Vec<String> = failing
            .map(|matter| super::views::words::subject(&matter.subject, super::views::words::Lang::Ja))
            .collect();
        let causes = [(Cause::RequestsWaiting, asks), (Cause::WaveStopped, stopped), (Cause::Bounces, failing)];
        Ok(causes.into_iter().filter(|(_, lines)| !lines.is_empty()).collect())
    }
}

/// The same inside a step.
pub(super) fn alert(step: &mut Step<'_>, cause: Cause, lines: &[String]) -> Result<usize, EngineError> {
    let key = format!("alert/{}", cause.name());
    let told: Option<Timestamp> = step.context.load(Table::Tally, key.as_bytes())?;
    let recipients = recipients(step.context)?;
    if recipients.is_empty() || told.is_some_and(|told| step.now.since(told) < cause.quiet_seconds()) {
        return Ok(0);
    }
    let mut shown: Vec<String> = lines.iter().take(LINES_MAX).cloned().collect();
    if let Some(rest) = lines.len().checked_sub(LINES_MAX).filter(|rest| *rest > 0) {
        shown.push(format!("ほか{rest}件"));
    }
    let letter = Letter::Alert { cause: cause.japanese().to_owned(), lines: shown, remedy: cause.remedy().to_owned() };
    let no = step.next_number(|counters| &mut counters.reports);
    step.note(json!({"event": "alert", "no": no, "cause": cause.name(), "lines": lines.len()}));
    let now = step.now;
    for (to, address) in (0..).zip(&recipients) {
        step.queue_letter(About::Report { no, to }, address, Vec::new(), None, &letter, now)?;
    }
    step.put(Table::Tally, key, &now)?;
    Ok(recipients.len())
}

fn recipients(context: &Context) -> Result<Vec<MailAddress>, EngineError> {
    let rows = context.store.rows(Table::Account)?;
    let accounts: Vec<Account> = rows.map(|row| codec::decode(&row?.1)).collect::<Result<_, EngineError>>()?;
    let active = accounts.into_iter().filter(|account| account.disabled.is_none() && account.role != Role::Auditor);
    Ok(active.filter_map(|account| account.mail).collect())
}
