//! One decision of a person: a form becomes a [`Verb`], the engine takes it or says why not. A doubt that changed values
//! raise is shown before anything is done.

use super::Console;
use super::frame::{Said, told};
use super::visit::{Lang, Visit, local_path};
use crate::domain::{LgCode, MailAddress, MailNo, RowNo, TenantId};
use crate::engine::EngineError;
use crate::engine::approvals::{AskVerb, Done};
use crate::engine::people::PeopleVerb;
use crate::engine::records::{AskNo, WaveNo};
use crate::engine::staff::Verb;
use crate::engine::views::words;
use crate::engine::waves::WaveVerb;
use crate::letters::LetterKind;
use crate::reading::{Proposal, ProposedCentre, Reason};
use crate::workflow::{ReissueReason, RevocationReason};
use axum::Form;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The fields of a form, in their order.
#[derive(Debug, Clone)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.trim()).collect()
    }
}

/// What a verb is called once it is done, and what it is called on a button: code, Japanese, English.
const DONE: [(&str, &str, &str); 32] = [
    ("accept", "登録しました。差出人に受付通知を送ります。", "Registered. The sender gets a receipt."),
    ("write", "差出人への問い合わせを送信に入れました。", "Your letter to the sender is on its way."),
    ("reject", "見送りました。", "Put aside."),
    ("reread", "読み直しました。", "Read again."),
    ("close", "済みにしました。", "Settled."),
    ("hold", "保留にしました。", "On hold."),
    ("release", "保留を解きました。", "Released."),
    ("retry", "すぐに再送します。", "Will be sent again now."),
    ("withdraw", "送信を取り消しました。", "Withdrawn."),
    ("reissue", "再発行しました。以前のURLは無効です。", "Issued anew; the old address is dead."),
    ("cancel", "手続を取り消しました。", "Cancelled."),
    ("revoke", "失効しました。", "Revoked."),
    ("approve", "承認しました。実行されています。", "Approved; it is done."),
    ("refuse", "却下しました。", "Refused."),
    ("recall", "申請を取り下げました。", "Taken back."),
    ("plan", "一斉送信を作成しました。内容を確認してください。", "Planned; look at every letter."),
    ("tick", "対象を変更しました。", "Changed."),
    ("let-go", "送信を始めました。まず先行分だけが出ます。", "Under way; a few leave first."),
    ("halt", "停止しました。", "Halted."),
    (
        "take-back",
        "残りを取り下げました。次の一斉送信で送ることができます。",
        "Taken back; what had not left waits for the next wave.",
    ),
    ("end-session", "セッションを終了しました。", "Session ended."),
    ("user-add", "アカウントを登録しました。", "Account added."),
    ("user-role", "役割を変更しました。ログインし直しになります。", "Role changed; its sessions have ended."),
    ("user-mail", "通知先を変更しました。", "Address for alerts changed."),
    ("user-password", "パスワードを変更しました。", "Password changed; its sessions have ended."),
    (
        "user-certificate",
        "クライアント証明書の登録を変更しました。ログインし直しになります。",
        "Client certificate changed; the sessions have ended.",
    ),
    ("user-disable", "アカウントを停止しました。", "Account disabled."),
    ("user-enable", "アカウントを再開しました。", "Account enabled."),
    ("domain-approve", "確認済みドメインに加えました。", "Domain approved."),
    ("domain-forget", "確認済みドメインから外しました。", "Domain removed."),
    ("saved", "保存しました。", "Saved."),
    (
        "asked",
        "申請しました。別の担当者が承認すると実行されます。",
        "Asked for; it is done once another person approves.",
    ),
];

/// What stands on the page after an act; only words of ours.
pub(super) fn done(code: &str, lang: Lang) -> Option<&'static str> {
    DONE.iter().find(|(known, _, _)| *known == code).map(|(_, ja, en)| lang.pick(*ja, *en))
}

pub(super) const READ_ONLY: Said =
    ["操作できません", "この役割ではできない操作です。", "Not allowed", "Your role does not allow this."];
pub(super) const REFUSED: Said = [
    "この操作はできませんでした",
    "何も変更していません。画面を読み直して、いまの状態をご確認ください。",
    "This was not possible",
    "Nothing has changed. Load the page again and look at the present state.",
];
pub(super) const INCOMPLETE: Said = [
    "入力をご確認ください",
    "必要な項目が空か、正しくありません。前の画面に戻って直してください。何も変更していません。",
    "Please check what you entered",
    "Something is missing or wrong. Go back and correct it; nothing has changed.",
];

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut fields = Fields(fields);
    if !visit.viewer.acts() {
        return told(&console, &visit, StatusCode::FORBIDDEN, READ_ONLY, "");
    }
    if let Err(why) = super::people::take_passwords(&mut fields).await {
        return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, INCOMPLETE, why);
    }
    let verb = match verb(&fields) {
        Ok(verb) => verb,
        Err(why) => return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, INCOMPLETE, why),
    };
    if let Some(doubts) = doubts(&console, &verb).await {
        return confirm(&console, &visit, &fields, &doubts);
    }
    match carry_out(&console, &visit, verb).await {
        Ok(Done::Done) => back(fields.get("back"), fields.get("verb")),
        Ok(Done::Asked(no)) => back(&format!("/approvals?no={}", no.0), "asked"),
        Err(fault) => refused(&console, &visit, &fault),
    }
}

/// A refusal of the engine as a page: 403 where the role does not allow it, else 409 with the sentence.
pub(super) fn refused(console: &Console, visit: &Visit, fault: &EngineError) -> Response {
    let forbidden = matches!(fault, EngineError::Forbidden { .. });
    let (status, said) = if forbidden { (StatusCode::FORBIDDEN, READ_ONLY) } else { (StatusCode::CONFLICT, REFUSED) };
    told(console, visit, status, said, &fault.to_string())
}

/// One step of the engine with the viewer as actor; the board has seen it when this returns.
pub(super) async fn carry_out(console: &Arc<Console>, visit: &Visit, verb: Verb) -> Result<Done, EngineError> {
    let who = visit.viewer.who();
    let done = console.source.handle.call(move |engine| engine.act(who, &verb)).await;
    console.catch_up().await;
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(fault)) => Err(fault),
        Err(stopped) => Err(EngineError::Record(stopped.to_string())),
    }
}

/// Back to where the form stood, saying what was done.
pub(super) fn back(path: &str, done: &str) -> Response {
    let path = local_path(path);
    let known = DONE.iter().any(|(code, _, _)| *code == done);
    let join = if path.contains('?') { '&' } else { '?' };
    let to = if known { format!("{path}{join}done={done}") } else { path.to_owned() };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The form as a verb; `Err`: what is missing.
pub(super) fn verb(fields: &Fields) -> Result<Verb, &'static str> {
    let reason =
        || Some(fields.get("reason").to_owned()).filter(|reason| !reason.is_empty()).ok_or("a reason is needed");
    let mail = || fields.get("mail").parse().map(MailNo).map_err(|_| "no mail is named");
    let row = || fields.get("row").parse().map(RowNo).map_err(|_| "no letter is named");
    let tenant = || fields.get("tenant").parse::<TenantId>().map_err(|_| "no tenant is named");
    let number = |name: &str| fields.get(name).parse::<u64>().map_err(|_| "no number is given");
    let wave = || number("wave").map(WaveNo);
    Ok(match fields.get("verb") {
        "accept" => accept(mail()?, fields)?,
        "write" => Verb::WriteToSender {
            mail: mail()?,
            subject: fields.get("subject").to_owned(),
            body: fields.get("body").replace("\r\n", "\n"),
        },
        "reject" => Verb::Reject { mail: mail()?, reason: reason()? },
        "reread" => Verb::Reread { mail: mail()? },
        "close" => {
            Verb::Close { matter: fields.get("matter").parse().map_err(|_| "no matter is named")?, reason: reason()? }
        }
        "hold" => Verb::Hold { row: row()?, reason: reason()? },
        "release" => Verb::Release { row: row()? },
        "retry" => Verb::Retry { row: row()? },
        "withdraw" => Verb::Withdraw { row: row()?, reason: reason()? },
        "reissue" => Verb::Reissue { tenant: tenant()?, reason: named::<ReissueReason>(fields.get("why"))? },
        "approve" => Verb::Ask(AskVerb::Approve { no: AskNo(number("ask")?) }),
        "refuse" => Verb::Ask(AskVerb::Refuse { no: AskNo(number("ask")?), reason: reason()? }),
        "recall" => Verb::Ask(AskVerb::Recall { no: AskNo(number("ask")?) }),
        "plan" => Verb::Wave(WaveVerb::Plan { letter: named::<LetterKind>(fields.get("letter"))? }),
        "tick" => Verb::Wave(WaveVerb::Tick { wave: wave()?, row: row()?, on: fields.get("on") == "1" }),
        "let-go" => {
            let revision = fields.get("revision").parse().map_err(|_| "the list that was looked at is not named")?;
            Verb::Wave(WaveVerb::Release { wave: wave()?, revision })
        }
        "halt" => Verb::Wave(WaveVerb::Halt { wave: wave()?, reason: reason()? }),
        "take-back" => Verb::Wave(WaveVerb::Withdraw { wave: wave()?, reason: reason()? }),
        of_people if of_people.starts_with("user-") => Verb::People(super::people::verb(of_people, fields)?),
        "domain-approve" | "domain-forget" => super::domains::verb(fields)?,
        "end-session" => Verb::People(PeopleVerb::EndSession { session: number("session")? }),
        "cancel" => Verb::Cancel { tenant: tenant()?, reason: reason()? },
        "revoke" => Verb::Revoke { tenant: tenant()?, reason: named::<RevocationReason>(fields.get("why"))? },
        _ => return Err("there is no such act"),
    })
}

/// A value by the name it has in records.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> Result<T, &'static str> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).map_err(|_| "a reason must be chosen")
}

/// Taken over as the form says. The code may stand alone or before the name: `131032 港区`.
fn accept(mail: MailNo, fields: &Fields) -> Result<Verb, &'static str> {
    let code = fields.get("authority").split_whitespace().next().unwrap_or_default();
    let authority: LgCode = code.parse().map_err(|_| "the authority's code of six digits is missing or wrong")?;
    let address = |text: &str| -> Result<Option<MailAddress>, &'static str> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| "an address is not valid") }
    };
    let mut centres = Vec::new();
    for (name, given) in fields.all("name").into_iter().zip(fields.all("address")) {
        match (name.is_empty(), given.is_empty()) {
            (true, true) => {}
            (true, false) => return Err("an address stands without a name"),
            (false, _) => centres.push(ProposedCentre { name: name.to_owned(), address: address(given)? }),
        }
    }
    let proposal = Proposal { authority: Some(authority), address: address(fields.get("own"))?, centres };
    let despite = fields.all("despite").into_iter().filter_map(|code| named::<Reason>(code).ok()).collect();
    let reason =
        Some(fields.get("reason")).filter(|reason| !reason.is_empty()).unwrap_or("内容を確認しました").to_owned();
    // A form without it is none of ours: whoever registers has seen what is registered.
    let shown = Some(fields.get("shown").parse().map_err(|_| "what was shown is not named; load the page again")?);
    Ok(Verb::AcceptEdited { mail, proposal, reason, despite, shown })
}

/// Doubts that changed values raise and nobody has confirmed; `None`: go on.
async fn doubts(console: &Arc<Console>, verb: &Verb) -> Option<Vec<Reason>> {
    let Verb::AcceptEdited { mail, proposal, despite, .. } = verb else { return None };
    let (mail, proposal, despite) = (*mail, proposal.clone(), despite.clone());
    let view = console.source.survey.view();
    let found = tokio::task::spawn_blocking(move || {
        let reading = view.read_aside(&view.item(mail)?)?;
        let Ok(authority) = proposal.check(view.rules()) else { return Ok(BTreeSet::new()) };
        let read = Proposal::of(&reading);
        let mut doubts = proposal.doubts(&read, authority, reading.head.from.as_ref(), view.rules());
        doubts.retain(|doubt| !despite.contains(doubt));
        Ok::<_, EngineError>(doubts)
    });
    // What goes wrong here goes wrong in the step as well, and is told there.
    let found: BTreeSet<Reason> = found.await.ok()?.ok()?;
    (!found.is_empty()).then(|| found.into_iter().collect())
}

/// Asks whether it is meant, with everything that was entered.
fn confirm(console: &Console, visit: &Visit, fields: &Fields, doubts: &[Reason]) -> Response {
    let kept: Vec<_> =
        fields.0.iter().filter(|(name, _)| name != "csrf").map(|(name, value)| context! { name, value }).collect();
    let doubts: Vec<_> =
        doubts.iter().map(|d| context! { code => d.code(), text => words::sentence(*d, visit.lang) }).collect();
    let values = context! { kept, doubts, back => local_path(fields.get("back")) };
    super::frame::bare(console, visit, StatusCode::OK, "reason.html", values)
}
