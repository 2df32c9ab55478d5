//! Fixed letters of every kind and variant. Templates are rendered with them before anything starts, and the goldens
//! under tests/data/letters are made from them. The people, addresses and secrets in them do not exist.

use super::{Addressee, Again, Fault, Letter, LetterKind, Period, Question, Report, Understood, ZipMethod};
use crate::domain::time::DAY;
use crate::domain::{Date, Digest, MailAddress, Secret, TenantKind, Timestamp, sheet};

impl Letter {
    /// The day the samples are made as of.
    pub(super) fn sample_day() -> Date {
        day(2020, 5, 1)
    }

    /// At least one letter for every branch a template can take.
    pub fn samples(kind: LetterKind) -> Vec<Self> {
        match kind {
            LetterKind::Receipt => receipts(),
            LetterKind::UnderReview => vec![Self::UnderReview { received: received(), subject: subject() }],
            LetterKind::CorrectionRequest => corrections(),
            LetterKind::AskAuthority => asks(Question::Authority),
            LetterKind::AskResend => asks(Question::Resend),
            LetterKind::AskConfirm => asks(Question::Confirm),
            LetterKind::AskOrigin => asks(Question::Origin),
            LetterKind::AskReply => asks(Question::Reply),
            LetterKind::Welcome => {
                [ward(), centre()].map(|to| Self::Welcome { to, certificates_from: day(2020, 5, 1) }).into()
            }
            LetterKind::CertificateNotice => [None, Some(Again::Reissue), Some(Again::Renewal)]
                .map(|again| Self::CertificateNotice {
                    to: if again.is_none() { centre() } else { ward() },
                    url: Secret::new("https://cert.followup.example.jp/p/k7m2-q9xr-4tzw-hn3v".into()),
                    deadline: deadline(),
                    again,
                })
                .into(),
            LetterKind::PickupPassword => vec![Self::PickupPassword {
                to: centre(),
                password: Secret::new("nq7w-3kfz-x9mt".into()),
                deadline: deadline(),
            }],
            LetterKind::Reminder => [(14, false), (1, true), (0, true)]
                .map(|(days_left, last)| Self::Reminder {
                    to: centre(),
                    notice_sent: day(2020, 5, 1),
                    deadline: deadline(),
                    days_left,
                    last,
                })
                .into(),
            LetterKind::Expired => vec![Self::Expired { to: centre(), deadline: deadline() }],
            LetterKind::Credentials => [(centre(), ZipMethod::ZipCrypto), (ward(), ZipMethod::Aes256)]
                .map(|(to, method)| Self::Credentials {
                    to,
                    user_id: "minato-hc01".into(),
                    password: Secret::new("Vr8t-mK2p-xq5N".into()),
                    unzip_password: Secret::new("sampleZIP2020".into()),
                    method,
                })
                .into(),
            LetterKind::CredentialsReady => vec![
                Self::CredentialsReady { to: centre(), gate: Some("https://check.followup.example.jp".into()) },
                Self::CredentialsReady { to: ward(), gate: None },
            ],
            LetterKind::Report => [Period::Daily, Period::Weekly].map(|period| Self::Report(report(period))).into(),
            LetterKind::Alert => vec![Self::Alert {
                cause: "受信メールの読取りが止まっています".into(),
                lines: vec!["最後に読み終えたのは 2020-05-01 (金) 08:10 です".into()],
                remedy: "メールサーバーの状態と、annai doctor の結果を確認してください。".into(),
            }],
        }
    }
}

fn report(period: Period) -> Report {
    let until = received();
    let days = match period {
        Period::Daily => 1,
        Period::Weekly => 7,
    };
    let figure = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    let cells = [["団体コード", "自治体"], ["131032", "港区"], ["012033", "小樽市"]];
    Report {
        period,
        from: until.plus(-days * DAY),
        until,
        figures: vec![figure("登録した自治体", "2／155"), figure("結果不明の送信", "0件")],
        anchor: (42, Digest([7; 32])),
        csv: format!("{}{}", sheet::BOM, cells.map(sheet::line).concat()),
    }
}

fn receipts() -> Vec<Letter> {
    let full = vec![
        row(TenantKind::Authority, "港区", "minato-kansen@city.minato.example.jp"),
        row(TenantKind::HealthCentre, "みなと保健所", "hokenjo@city.minato.example.jp"),
        row(
            TenantKind::HealthCentre,
            "港区高輪地区総合支所併設保健センター分室",
            "takanawa-hokenjo-kansensho-taisaku-tantou@section.city.minato.example.jp",
        ),
    ];
    let notes = vec![
        "みなと保健所に2つのメールアドレスが記載されていたため、最初のものを登録しました。".into(),
        "件名が案内と異なっていましたが、登録のご連絡として受け付けました。".into(),
    ];
    let plain = vec![row(TenantKind::Authority, "小樽市", "hoken@city.otaru.example.jp")];
    vec![
        Letter::Receipt { authority: "港区".into(), received: received(), rows: full, notes },
        Letter::Receipt { authority: "小樽市".into(), received: received(), rows: plain, notes: Vec::new() },
    ]
}

fn corrections() -> Vec<Letter> {
    let fault =
        |quoted: Option<&str>, sentence: &str| Fault { quoted: quoted.map(Into::into), sentence: sentence.into() };
    let faults = vec![
        fault(Some("みなと保健所　hokenjo@city.minato"), "メールアドレスの「@」より後ろが正しくありません。"),
        fault(None, "＜保健所＞の欄が見つかりませんでした。"),
    ];
    vec![Letter::CorrectionRequest { received: received(), subject: subject(), faults }]
}

/// With everything a draft can print, and with as little as it can be made of.
fn asks(about: Question) -> Vec<Letter> {
    let faults = vec![
        Fault {
            quoted: Some("みなと保健所　hokenjo@city.minato.example.jp（5月から変更予定）".into()),
            sentence: "メールアドレスの変更日についての記載がありました。".into(),
        },
        Fault {
            quoted: None, sentence: "記載された保健所の数が、本文にある数と異なっていました。".into()
        },
    ];
    let rows = vec![
        row(TenantKind::Authority, "港区", "minato-kansen@city.minato.example.jp"),
        row(TenantKind::HealthCentre, "みなと保健所", "hokenjo@city.minato.example.jp"),
    ];
    let ask = |faults, rows| Letter::Ask { about, received: received(), subject: subject(), faults, rows };
    match about {
        Question::Authority | Question::Resend | Question::Origin => vec![ask(faults, rows)],
        Question::Confirm => vec![ask(faults.clone(), rows), ask(faults, Vec::new())],
        Question::Reply => vec![ask(faults, rows), ask(Vec::new(), Vec::new())],
    }
}

fn ward() -> Addressee {
    Addressee { id: "131032-00".into(), kind: TenantKind::Authority, name: "港区".into(), authority: "港区".into() }
}

fn centre() -> Addressee {
    Addressee {
        id: "131032-01".into(),
        kind: TenantKind::HealthCentre,
        name: "みなと保健所".into(),
        authority: "港区".into(),
    }
}

fn subject() -> String {
    "自治体・保健所メールアドレスの連絡（港区）".into()
}

fn received() -> Timestamp {
    Timestamp::from_unix(1_588_032_900) // 2020-04-28T09:15:00+09:00
}

fn deadline() -> Date {
    day(2020, 5, 31)
}

#[expect(clippy::expect_used, reason = "called with the literals of this file only; a test renders them all")]
fn day(year: i32, month: u32, day: u32) -> Date {
    Date::new(year, month, day).expect("a day of the calendar")
}

#[expect(clippy::expect_used, reason = "called with the literals of this file only; a test renders them all")]
fn row(kind: TenantKind, name: &str, address: &str) -> Understood {
    let address: MailAddress = address.parse().expect("an address");
    Understood { kind, name: name.into(), address }
}
