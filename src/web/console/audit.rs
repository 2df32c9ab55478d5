//! 監査: the journal, the newest first, by actor, kind and tenant; and its proof.

use super::frame::{Said, show, told};
use super::tenant::by_day;
use super::visit::Visit;
use super::{Console, PAGE};
use crate::domain::MailNo;
use crate::engine::views::board::{KINDS, TrailFilter};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Words of the kinds, in the order of [`KINDS`].
const WORDS: [(&str, &str); KINDS.len()] = [
    ("受信", "mail filed"),
    ("送信作成", "letter queued"),
    ("送信結果", "letter"),
    ("要確認の発生", "matter opened"),
    ("要確認の終了", "matter closed"),
    ("担当者の操作", "staff"),
    ("証明書の取得", "picked up"),
    ("証明書の利用", "seen in use"),
    ("失効の指示", "to be revoked"),
];

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "audit.html", |desk| {
        let text = |name: &str| desk.visit.param(name).map(str::to_owned);
        let filter = TrailFilter {
            actor: text("actor"),
            kind: text("kind"),
            tenant: desk.visit.param("tenant").and_then(|id| id.parse().ok()),
            mail: desk.visit.number("mail").map(MailNo),
        };
        let page = desk.board.entries(&filter, desk.visit.number("before"), PAGE);
        let numbers: Vec<u64> = page.items.iter().rev().map(|(no, _)| *no).collect();
        let lines = desk.view.entries(&numbers, desk.lang)?;
        let (read, of) = desk.board.trail.progress();
        let kinds: Vec<_> = KINDS
            .iter()
            .zip(WORDS)
            .map(|(code, (ja, en))| context! { code, word => desk.lang.pick(ja, en), current => filter.kind.as_deref() == Some(*code) })
            .collect();
        let head = desk.view.head();
        Ok(context! {
            days => by_day(desk, &lines), kinds, actor => filter.actor, tenant => text("tenant"), mail => text("mail"),
            next => page.next.map(|key| desk.visit.with("before", Some(&key))), head_no => head.no, anchor => head.hash.to_string(),
            reading => (read < of).then(|| super::chart::percent(read, of)), shown => page.items.len(),
        })
    })
    .await
}

/// One proof at a time: each reads the whole journal.
static PROVING: AtomicBool = AtomicBool::new(false);

const BUSY: Said =
    ["検証中です", "ほかの検証が終わるまでお待ちください。", "A proof is under way", "Wait until it is done."];
const SOUND: Said = [
    "監査証跡に改変・欠落はありません",
    "先頭から末尾まで連鎖を検証し、記録から作り直した名簿が現在の名簿と一致することを確認しました。",
    "Nothing was altered or removed",
    "The chain was walked from end to end, and the directory it gives is the directory there is.",
];
const UNSOUND: Said = [
    "監査証跡に問題があります",
    "発行と送信を止め、状態ディレクトリの写しを取り、最後のバックアップと比べてください。",
    "The journal is not in order",
    "Stop issuing, keep a copy of the state directory, and compare with the last backup.",
];

/// Proves the journal beside everything else; the page comes when it is done.
pub(super) async fn verify(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    if PROVING.swap(true, Ordering::AcqRel) {
        return told(&console, &visit, StatusCode::CONFLICT, BUSY, "");
    }
    let view = console.source.survey.view();
    let proof = tokio::task::spawn_blocking(move || view.audit(None)).await;
    PROVING.store(false, Ordering::Release);
    match proof {
        Ok(Ok(audit)) if audit.faults.is_empty() => {
            let why = format!(
                "{} / {} entries / {}",
                audit.anchor,
                audit.entries,
                visit.lang.moment(console.source.clock.now())
            );
            told(&console, &visit, StatusCode::OK, SOUND, &why)
        }
        Ok(Ok(audit)) => told(&console, &visit, StatusCode::OK, UNSOUND, &audit.faults.join("\n")),
        Ok(Err(fault)) => told(&console, &visit, StatusCode::INTERNAL_SERVER_ERROR, UNSOUND, &fault.to_string()),
        Err(_) => told(&console, &visit, StatusCode::INTERNAL_SERVER_ERROR, UNSOUND, ""),
    }
}
