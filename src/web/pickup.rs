//! The pick-up pages as far as they change nothing: typing the code, and how far the pick-up is (seed 4.3.3; research R2).
//!
//! Mail filters and previews open addresses: GET, HEAD, OPTIONS and a blank POST never change anything (invariant I5).
//! An unknown code gets one neutral text, whatever is wrong with it; no page names a tenant.

use super::look::{dress, page};
use super::{Contact, Source};
use crate::crypto::codes;
use crate::domain::Timestamp;
use crate::engine::pickup::{Pickup, Stage};
use axum::Form;
use axum::Router;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long a visitor waits for the engine at most.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Characters between two hyphens of a code.
const GROUP: usize = 4;

#[derive(Debug)]
struct Desk {
    source: Source,
    contact: Contact,
}

#[derive(Debug, Deserialize)]
struct Typed {
    code: Option<String>,
}

/// A page's words.
#[derive(Debug, Serialize)]
struct Words {
    /// Colour: `open`, `done`, `over`, `unknown`.
    tone: &'static str,
    state: &'static str,
    state_en: &'static str,
    /// What was when.
    date: Option<(&'static str, String)>,
    text: &'static str,
    next: &'static str,
    english: &'static str,
}

pub fn router(source: Source, contact: Contact) -> Router {
    let allow = || async { (StatusCode::NO_CONTENT, [(header::ALLOW, "GET, HEAD, POST, OPTIONS")]) };
    let router = Router::new()
        .route("/", get(asked).post(typed).options(allow))
        .route("/p/{code}", get(shown).post(shown).options(allow))
        .with_state(Arc::new(Desk { source, contact }));
    dress(router)
}

async fn asked(State(desk): State<Arc<Desk>>, query: Result<Query<Typed>, QueryRejection>) -> Response {
    match query {
        Ok(Query(Typed { code: None })) => desk.enter(StatusCode::OK, false),
        Ok(Query(Typed { code: Some(code) })) => desk.go(&code),
        Err(_) => desk.enter(StatusCode::BAD_REQUEST, true),
    }
}

async fn typed(State(desk): State<Arc<Desk>>, form: Result<Form<Typed>, FormRejection>) -> Response {
    match form {
        Ok(Form(Typed { code })) => desk.go(&code.unwrap_or_default()),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            desk.enter(StatusCode::PAYLOAD_TOO_LARGE, true)
        }
        Err(_) => desk.enter(StatusCode::OK, false),
    }
}

async fn shown(State(desk): State<Arc<Desk>>, code: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(code)) = code else { return desk.state(StatusCode::NOT_FOUND, &UNKNOWN) };
    let asked = desk.source.handle.call(move |engine| Ok((engine.pickup(&code)?, engine.now())));
    match tokio::time::timeout(ANSWER_LIMIT, asked).await {
        Ok(Ok(Ok((Some(Pickup { stage, .. }), now)))) => desk.state(StatusCode::OK, &words(stage, now)),
        Ok(Ok(Ok((None, _)))) => desk.state(StatusCode::NOT_FOUND, &UNKNOWN),
        Ok(Ok(Err(fault))) => {
            tracing::error!(error = %fault, "a pick-up page could not be made");
            desk.state(StatusCode::SERVICE_UNAVAILABLE, &UNAVAILABLE)
        }
        Ok(Err(_)) | Err(_) => desk.state(StatusCode::SERVICE_UNAVAILABLE, &UNAVAILABLE),
    }
}

impl Desk {
    fn enter(&self, status: StatusCode, again: bool) -> Response {
        page(status, "enter.html", minijinja::context! { again, desk => self.values() })
    }

    fn state(&self, status: StatusCode, words: &Words) -> Response {
        page(status, "pickup.html", minijinja::context! { words, desk => self.values() })
    }

    /// To the page of a code as it should look; what cannot be a code is not repeated back.
    fn go(&self, typed: &str) -> Response {
        match codes::canonical(typed) {
            None => self.enter(StatusCode::OK, !typed.trim().is_empty()),
            Some(bare) => {
                let chars: Vec<char> = bare.reveal().chars().collect();
                let groups: Vec<String> = chars.chunks(GROUP).map(|group| group.iter().collect()).collect();
                Redirect::to(&format!("/p/{}", groups.join("-"))).into_response()
            }
        }
    }

    fn values(&self) -> minijinja::Value {
        let Contact { name, address, hours } = &self.contact;
        minijinja::context! { name, address => address.as_str(), hours }
    }
}

const UNKNOWN: Words = Words {
    tone: "unknown",
    state: "確認できませんでした",
    state_en: "Not found",
    date: None,
    text: "入力された証明書取得用コードでは、お手続きを確認できませんでした。",
    next: "メールに記載のURL（コード）と一致しているかご確認のうえ、もう一度入力してください。数字の0・1と英字のo・i・lは使われていません。",
    english: "This code could not be found. Please compare it with the one in your mail and type it again.",
};

const UNAVAILABLE: Words = Words {
    tone: "unknown",
    state: "ただいまご利用いただけません",
    state_en: "Unavailable",
    date: None,
    text: "ただいまシステムの状態を確認しています。お手続きの内容は失われていません。",
    next: "しばらくたってから、もう一度アクセスしてください。",
    english: "The system is being looked after. Nothing is lost; please try again later.",
};

fn words(stage: Stage, now: Timestamp) -> Words {
    match stage {
        Stage::Preparing => Words {
            tone: "unknown",
            state: "準備中",
            state_en: "In preparation",
            date: Some(("確認日時", now.official())),
            text: "クライアント証明書の発行通知メールを準備しています。",
            next: "発行通知メールが届くまで、そのままお待ちください。",
            english: "The certificate notice is being prepared. Please wait for the mail.",
        },
        Stage::Open { deadline } => Words {
            tone: "open",
            state: "未取得",
            state_en: "Not yet picked up",
            date: Some(("取得期限", deadline.official())),
            text: "クライアント証明書は、まだ取得されていません。",
            next: "このページを表示しただけでは、証明書の取得は始まりません。帰国者フォローアップシステムを利用する端末と、別のメールでお送りする証明書取得用パスワードをご用意ください。",
            english: "The certificate has not been picked up. Viewing this page changes nothing.",
        },
        Stage::Collected { at } => Words {
            tone: "done",
            state: "取得済み",
            state_en: "Picked up",
            date: Some(("取得日時", at.official())),
            text: "クライアント証明書は、取得されています。このURLから再び取得することはできません。",
            next: "お心当たりがない場合、または端末の交換や故障で証明書が必要な場合は、お問い合わせ先までご連絡ください。",
            english: "The certificate has been picked up; this address cannot be used again.",
        },
        Stage::Expired { deadline } => Words {
            tone: "over",
            state: "期限切れ",
            state_en: "Expired",
            date: Some(("取得期限", deadline.official())),
            text: "取得期限を過ぎたため、お申し込みは自動的にキャンセルされました。",
            next: "再発行をご希望の場合は、お問い合わせ先までご連絡ください。新しいURLをメールでお送りします。",
            english: "The pick-up period is over. Ask the contact desk for a new certificate.",
        },
        Stage::Reissued { at } => Words {
            tone: "over",
            state: "再発行済み",
            state_en: "Re-issued",
            date: Some(("再発行日時", at.official())),
            text: "証明書が再発行されたため、このURLは無効になりました。",
            next: "新しくお送りした発行通知メールに記載のURLから取得してください。届いていない場合は、お問い合わせ先までご連絡ください。",
            english: "A newer certificate has been issued. Please use the address in the newer mail.",
        },
        Stage::Void { at } => Words {
            tone: "over",
            state: "失効",
            state_en: "Void",
            date: Some(("失効日時", at.official())),
            text: "このURLによる証明書のお手続きは、失効しました。",
            next: "証明書が必要な場合は、お問い合わせ先までご連絡ください。",
            english: "This application is void. Ask the contact desk if you need a certificate.",
        },
        Stage::Suspended { at } => Words {
            tone: "over",
            state: "停止中",
            state_en: "Suspended",
            date: Some(("停止日時", at.official())),
            text: "ご登録のメールアドレスにメールが届かなかったため、お手続きを停止しています。",
            next: "正しいメールアドレスを、お問い合わせ先までご連絡ください。",
            english: "Mail to the registered address came back. Please tell the contact desk the right address.",
        },
    }
}
