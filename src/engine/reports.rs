//! Reports to the ministry (research R19): where everything stands, by authority, and the end of the journal's chain. When
//! they are due is a rhythm of the rules; here stands since when none was written, so that a missed beat is made up for
//! once, however many were missed.
//!
//! Gathering walks the store beside the engine's thread ([`Survey::gather`]); writing is one step.

use super::records::About;
use super::survey::{Figures, Survey};
use super::{Engine, EngineError, SYSTEM};
use crate::domain::time::MINUTE;
use crate::domain::{LgCode, RowNo, Timestamp, sheet};
use crate::letters::{Letter, Period, Report};
use crate::rules::Rules;
use crate::store::Table;
use crate::workflow::course::Roster;
use crate::workflow::delivery::Delivery;
use crate::workflow::enrolment::State;
use serde_json::json;
use std::collections::BTreeMap;

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Gathered {
    figures: Vec<(String, String)>,
    csv: String,
}

/// Tenants of one authority by how far they are.
#[derive(Default)]
struct Line {
    tenants: u32,
    waiting: u32,
    open: u32,
    done: u32,
    undeliverable: u32,
    over: u32,
}

impl Period {
    fn key(self) -> &'static str {
        match self {
            Self::Daily => "report/daily",
            Self::Weekly => "report/weekly",
        }
    }
}

impl Engine {
    /// A new state reports from its first moment on.
    pub(super) fn begin_reports(&mut self) -> Result<(), EngineError> {
        for period in [Period::Daily, Period::Weekly] {
            if self.context.store.get(Table::Meta, period.key().as_bytes())?.is_none() {
                self.step(SYSTEM, |step| step.put(Table::Meta, period.key(), &step.now.clone()))?;
            }
        }
        Ok(())
    }

    /// Until when the last report of this rhythm told.
    pub fn reported(&self, period: Period) -> Result<Timestamp, EngineError> {
        Ok(self.context.load(Table::Meta, period.key().as_bytes())?.unwrap_or_else(|| self.now()))
    }

    /// Writes a report to the ministry.
    pub fn report(&mut self, period: Period, gathered: &Gathered) -> Result<RowNo, EngineError> {
        let head = self.context.store.head();
        let from = self.reported(period)?;
        self.step(SYSTEM, |step| {
            let until = step.now;
            let anchor = (head.no, head.hash);
            let Gathered { figures, csv } = gathered.clone();
            let letter = Letter::Report(Report { period, from, until, figures, anchor, csv });
            let no = step.next_number(|counters| &mut counters.reports);
            step.note(json!({"event": "report", "no": no, "period": period, "anchor": head.hash, "entries": head.no}));
            step.put(Table::Meta, period.key(), &until)?;
            let ministry = step.context.setup.post.ministry.clone();
            step.queue_letter(About::Report { no, to: 0 }, &ministry, Vec::new(), None, &letter, until)
        })
    }
}

impl Survey {
    /// Counts everything for a report about the time since `from`.
    pub fn gather(&self, from: Timestamp, now: Timestamp, rules: &Rules) -> Result<Gathered, EngineError> {
        let figures = self.figures(now)?;
        let rosters: BTreeMap<LgCode, Roster> = self.rosters()?.into_iter().map(|r| (r.code, r)).collect();
        let bounced = self.rows()?.iter().filter(|row| came_back(&row.delivery, from)).count();
        let known = rules.authorities.all();
        let registered = known.iter().filter(|authority| rosters.contains_key(&authority.code)).count();
        Ok(Gathered { figures: told(&figures, now, registered, known.len(), bounced), csv: list(rules, &rosters) })
    }
}

fn came_back(delivery: &Delivery, from: Timestamp) -> bool {
    match delivery {
        Delivery::Refused { at, .. } | Delivery::Bounced { at, .. } => *at >= from,
        Delivery::Planned { .. }
        | Delivery::InFlight { .. }
        | Delivery::Relayed { .. }
        | Delivery::Deferred { .. }
        | Delivery::Unknown { .. }
        | Delivery::Held { .. }
        | Delivery::Withdrawn { .. } => false,
    }
}

fn told(figures: &Figures, now: Timestamp, registered: usize, known: usize, bounced: usize) -> Vec<(String, String)> {
    let state = |name: &str| figures.tenants.get(name).copied().unwrap_or_default();
    let late = figures.lateness.values().copied().max().unwrap_or_default().max(0) / MINUTE;
    let oldest = figures.oldest_matter.map_or_else(String::new, |since| format!("（最も古いもの {}）", since.staff()));
    let mails: u64 = figures.mails.values().sum();
    let all: u64 = figures.tenants.values().sum();
    let figure = |label: &str, value: String| (label.to_owned(), value);
    vec![
        figure("登録した自治体", format!("{registered}／{known}")),
        figure("利用機関", format!("{all}機関")),
        figure("証明書を取得済み", format!("{}機関", state("collected") + state("in-use"))),
        figure("未取得（期限内）", format!("{}機関", state("open"))),
        figure("期限切れ", format!("{}機関", state("expired"))),
        figure("配信不能", format!("{}機関", state("undeliverable"))),
        figure("受信したメール", format!("{mails}通（すべて分類済み）")),
        figure("期間中に返送された送信", format!("{bounced}通")),
        figure("結果不明の送信", format!("{}通", figures.unknown_outcomes)),
        figure("送信の遅れ（最大）", if late == 0 { "なし".to_owned() } else { format!("{late}分") }),
        figure("確認待ち", format!("{}件{oldest}（{}現在）", figures.matters, now.staff())),
    ]
}

/// One line for each authority of the rules, registered or not.
fn list(rules: &Rules, rosters: &BTreeMap<LgCode, Roster>) -> String {
    let head = [
        "団体コード",
        "都道府県",
        "自治体",
        "登録",
        "利用機関",
        "準備中",
        "未取得",
        "取得済み",
        "配信不能",
        "期限切れ等",
    ];
    let mut out = format!("{}{}", sheet::BOM, sheet::line(head));
    for authority in rules.authorities.all() {
        let roster = rosters.get(&authority.code);
        let mut line = Line::default();
        for course in roster.iter().flat_map(|roster| &roster.courses) {
            line.tenants += 1;
            *line.place(course.current().map(|current| &current.state)) += 1;
        }
        let registered = if roster.is_some() { "済" } else { "未" };
        let numbers = [line.tenants, line.waiting, line.open, line.done, line.undeliverable, line.over];
        let texts =
            [authority.code.to_string(), authority.prefecture.clone(), authority.name.clone(), registered.to_owned()];
        out.push_str(&sheet::line(texts.into_iter().chain(numbers.map(|number| number.to_string()))));
    }
    out
}

impl Line {
    fn place(&mut self, state: Option<&State>) -> &mut u32 {
        match state {
            None | Some(State::Registered | State::NoticeQueued { .. }) => &mut self.waiting,
            Some(State::Open { .. }) => &mut self.open,
            Some(State::Collected { .. } | State::InUse { .. }) => &mut self.done,
            Some(State::Undeliverable { .. }) => &mut self.undeliverable,
            Some(
                State::Expired { .. } | State::Cancelled { .. } | State::Superseded { .. } | State::Revoked { .. },
            ) => &mut self.over,
        }
    }
}
