//! 稼働: whether annai runs as it should, in plain words, with what to do about every red line.

use super::Console;
use super::frame::{Desk, show};
use super::visit::{Lang, Visit};
use crate::domain::{Timestamp, time};
use crate::engine::survey::Milestone;
use crate::web::health::POLL_AGE_MAX;
use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

/// A letter this late is a yellow line, in seconds of the programme's clock.
const LATE: i64 = 30 * time::MINUTE;
/// Journal entries looked at.
const JOURNAL_TAIL: u64 = 20;

/// How a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Light {
    Good,
    /// To be looked at when there is time.
    Look,
    /// To be mended now.
    Bad,
}

struct Sign {
    what: &'static str,
    light: Light,
    says: String,
    remedy: &'static str,
}

impl Sign {
    fn value(&self) -> Value {
        let light = match self.light {
            Light::Good => "good",
            Light::Look => "look",
            Light::Bad => "bad",
        };
        context! { what => self.what, light, says => self.says, remedy => self.remedy }
    }
}

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "health.html", |desk| {
        let counts = |counts: Vec<((&'static str, &'static str), u64)>| -> Vec<Value> {
            counts.into_iter().map(|(word, count)| context! { word => desk.lang.word(word), count }).collect()
        };
        let funnel: Vec<_> = Milestone::ALL
            .iter()
            .zip(desk.board.funnel())
            .map(|(step, count)| context! { word => desk.lang.pick(step.japanese(), step.english()), count })
            .collect();
        let head = desk.view.head();
        Ok(context! {
            signs => signs(desk), funnel, mails => counts(desk.board.mails_by_disposition()),
            letters => counts(desk.board.letters_by_state()), tenants => counts(desk.board.tenants_by_state()),
            entries => head.no, anchor => head.hash.to_string(),
        })
    })
    .await
}

/// Every line, also the good ones.
pub(super) fn signs(desk: &Desk<'_>) -> Vec<Value> {
    let mut signs = edges(desk.console, desk.lang, desk.now);
    signs.push(sending(desk));
    signs.push(unknown(desk));
    signs.push(waiting(desk));
    signs.push(journal(desk));
    signs.iter().map(Sign::value).collect()
}

/// Red lines that are known without looking into the store.
pub(super) fn red(console: &Console, now: Timestamp) -> usize {
    edges(console, Lang::Ja, now).iter().filter(|sign| sign.light == Light::Bad).count()
}

/// What the edges know: mailbox, servers, files.
fn edges(console: &Console, lang: Lang, now: Timestamp) -> Vec<Sign> {
    let vitals = console.source.health.vitals();
    let limit = POLL_AGE_MAX.saturating_mul(i64::from(console.source.clock.factor()));
    let mut signs = Vec::new();
    let (light, says) = match (&vitals.imap_trouble, vitals.polled) {
        (Some(trouble), _) => (Light::Bad, trouble.what.clone()),
        (None, None) => {
            (Light::Look, lang.pick("起動してからまだ読んでいません", "not read since the start").to_owned())
        }
        (None, Some(at)) => {
            let light = if now.since(at) > limit { Light::Bad } else { Light::Good };
            (light, lang.pick(format!("最終確認 {}", lang.moment(at)), format!("last read {}", lang.moment(at))))
        }
    };
    let remedy = lang.pick(
        "メールサーバー（IMAP）の稼働、パスワードの期限、ネットワークを確認してください。annai doctor が原因を調べます。",
        "Check the IMAP server, its password and the network; annai doctor looks for the cause.",
    );
    signs.push(Sign { what: lang.pick("受信", "Mailbox"), light, says, remedy });
    let (light, says) = match &vitals.smtp_trouble {
        Some(trouble) => (Light::Bad, trouble.what.clone()),
        None => (Light::Good, lang.pick("異常の記録はありません", "no trouble known").to_owned()),
    };
    let remedy = lang.pick(
        "送信サーバー（SMTP）の稼働と設定を確認してください。直ると、待っているメールは自動的に送信されます。",
        "Check the SMTP server; waiting letters leave by themselves once it works.",
    );
    signs.push(Sign { what: lang.pick("送信サーバー", "SMTP server"), light, says, remedy });
    let (light, says) = match vitals.mailbox {
        None => (Light::Good, lang.pick("未集計", "not counted yet").to_owned()),
        Some(count) if count.unaccounted() > 0 => (
            Light::Bad,
            lang.pick(
                format!("受信箱 {} 通に対し、取込み {} 通", count.in_mailbox, count.filed),
                format!("{} in the mailbox, {} filed", count.in_mailbox, count.filed),
            ),
        ),
        Some(count) => (
            Light::Good,
            lang.pick(
                format!("受信箱 {} 通、すべて取込み済み（{} 現在）", count.in_mailbox, lang.moment(count.at)),
                format!("{} in the mailbox, all of them filed (at {})", count.in_mailbox, lang.moment(count.at)),
            ),
        ),
    };
    let remedy = lang.pick(
        "受信箱に取り込まれていないメールがあります。次の受信確認を待ち、減らない場合はログを確認してください。",
        "Mails lie in the mailbox that were not filed. If the next round does not take them, look at the log.",
    );
    signs.push(Sign { what: lang.pick("照合", "Reconciliation"), light, says, remedy });
    if let Some(trouble) = vitals.reload_trouble {
        let remedy = lang.pick(
            "rules/ 又は templates/ の誤りを直し、もう一度読み込ませてください（systemctl reload annai）。それまでは以前の設定で動きます。",
            "Correct the file and reload; until then the former rules count.",
        );
        signs.push(Sign { what: lang.pick("設定の再読込", "Reload"), light: Light::Bad, says: trouble, remedy });
    }
    signs
}

fn sending(desk: &Desk<'_>) -> Sign {
    let lang = desk.lang;
    let late = desk.board.most_overdue(desk.now).map_or(0, |since| desk.now.since(since));
    let limit = LATE.saturating_mul(i64::from(desk.console.source.clock.factor().min(100)));
    let light = if late > limit { Light::Look } else { Light::Good };
    let says = match late {
        0 => lang.pick("遅れなし", "on time").to_owned(),
        late => {
            lang.pick(format!("最も遅れているもの {}", lang.age(late)), format!("the latest by {}", lang.age(late)))
        }
    };
    let remedy = lang.pick(
        "送信時間帯と送信数の上限（rules/schedule.toml）、受信側の混雑を「送信」の表で確認してください。",
        "Look at the table under Outbox: send window, limits, or one domain that puts us off.",
    );
    Sign { what: lang.pick("送信の遅れ", "Lateness"), light, says, remedy }
}

fn unknown(desk: &Desk<'_>) -> Sign {
    let lang = desk.lang;
    let count =
        desk.board.letters_by_state().iter().find(|(word, _)| word.0 == "unknown").map_or(0, |(_, count)| *count);
    let light = if count > 0 { Light::Look } else { Light::Good };
    let says = lang.pick(format!("{count} 通"), count.to_string());
    let remedy = lang.pick(
        "届いたか分からないメールです。「送信」で state:unknown を開き、相手に確認してから再送か取消しを選んでください。",
        "Nobody knows whether these arrived. Open state:unknown under Outbox and decide.",
    );
    Sign { what: lang.pick("結果不明", "Unknown outcomes"), light, says, remedy }
}

fn waiting(desk: &Desk<'_>) -> Sign {
    let lang = desk.lang;
    let oldest = desk.board.matters.values().map(|card| card.since).min().map_or(0, |since| desk.now.since(since));
    let count = desk.board.matters.len();
    let light = if oldest > 2 * time::DAY { Light::Look } else { Light::Good };
    let says = match count {
        0 => lang.pick("なし", "none").to_owned(),
        count => lang.pick(
            format!("{count} 件、最も古いもの {}", lang.age(oldest)),
            format!("{count}, the oldest for {}", lang.age(oldest)),
        ),
    };
    let remedy = lang.pick("「要確認」の古いものから処理してください。", "Take up the oldest under Review.");
    Sign { what: lang.pick("要確認", "Waiting for staff"), light, says, remedy }
}

fn journal(desk: &Desk<'_>) -> Sign {
    let lang = desk.lang;
    let proof = desk.view.journal_end_is_sound(JOURNAL_TAIL);
    let (light, says) = match proof {
        Ok(no) => (Light::Good, lang.pick(format!("{no} 件、末尾は正常"), format!("{no} entries, their end in order"))),
        Err(fault) => (Light::Bad, fault.to_string()),
    };
    let remedy = lang.pick(
        "発行と送信を止め、状態ディレクトリの写しを取り、最後のバックアップと比べてください（annai audit verify）。",
        "Stop issuing, keep a copy of the state directory, compare with the last backup (annai audit verify).",
    );
    Sign { what: lang.pick("監査証跡", "Journal"), light, says, remedy }
}
