//! Mails of a given size that cost most: one for each place where a careless reader becomes quadratic. The benchmark
//! `reading` times them at 1 MB, `tests/hostile.rs` reads them at every run.

/// `(name, mail of about this many bytes)`.
pub(crate) type Case = (&'static str, fn(usize) -> Vec<u8>);

const FORM: &str = "<自治体（保健所設置主体）>\n港区 a@city.minato.lg.jp\n<保健所>\n";

fn mail(kind: &str, head: &str, body: &str) -> Vec<u8> {
    format!(
        "From: tanto@city.minato.lg.jp\r\nTo: covid19@bigtreetc.com\r\nSubject: 自治体・保健所メールアドレスの連絡（港区）\r\n\
         {head}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn plain(size: usize, piece: &str) -> Vec<u8> {
    mail("text/plain; charset=utf-8", "", &(FORM.to_owned() + &fill(size, piece)))
}

fn html(size: usize, piece: &str) -> Vec<u8> {
    mail("text/html; charset=utf-8", "", &fill(size, piece))
}

/// A text and a page that both hold `piece` again and again: the two are compared.
fn both(size: usize, piece: &str) -> Vec<u8> {
    let half = fill(size / 2, piece);
    let body = format!(
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{FORM}{half}\r\n--b\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{half}\r\n--b--\r\n"
    );
    mail("multipart/alternative; boundary=b", "", &body)
}

fn head(size: usize, start: &str, piece: &str) -> Vec<u8> {
    mail("text/plain", &format!("{start}{}\r\n", fill(size, piece)), FORM)
}

fn raw(size: usize, label: &str, piece: &[u8]) -> Vec<u8> {
    let mut out = mail(&format!("text/plain; charset={label}"), "", "");
    while out.len() < size {
        out.extend(piece);
    }
    out
}

fn fill(size: usize, piece: &str) -> String {
    piece.repeat(size / piece.len() + 1)
}

fn numbered(size: usize, piece: impl Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(size + 100);
    let mut n = 0;
    while out.len() < size {
        out.push_str(&piece(n));
        n += 1;
    }
    out
}

fn parts(size: usize) -> Vec<u8> {
    mail("multipart/mixed; boundary=b", "", &fill(size, "--b\r\n\r\n\r\n"))
}

fn typed_parts(size: usize, kind: &str) -> Vec<u8> {
    mail("multipart/mixed; boundary=b", "", &fill(size, &format!("--b\r\nContent-Type: {kind}\r\n\r\nx\r\n")))
}

fn nested(size: usize, same: bool) -> Vec<u8> {
    let body = numbered(size, |n| {
        let (outer, inner) = if same { (0, 0) } else { (n, n + 1) };
        format!("--b{outer}\r\nContent-Type: multipart/mixed; boundary=b{inner}\r\n\r\n")
    });
    mail("multipart/mixed; boundary=b0", "", &body)
}

fn absent_boundaries(size: usize) -> Vec<u8> {
    mail(
        "multipart/mixed; boundary=b",
        "",
        &fill(size, "--b\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\nx\r\n"),
    )
}

fn dashes(size: usize) -> Vec<u8> {
    let boundary = "-".repeat(60) + "x";
    mail(&format!("multipart/mixed; boundary={boundary}"), "", &format!("--{boundary}\r\n\r\n{}", fill(size, "-")))
}

fn reports(size: usize) -> Vec<u8> {
    let report = "--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@x.jp\r\nAction: failed\r\n\
                  Status: 5.1.1\r\n\r\nFinal-Recipient: rfc822; b@x.jp\r\nStatus: 4.1.1\r\n\r\n";
    mail("multipart/report; report-type=delivery-status; boundary=b", "", &fill(size, report))
}

fn bounce(size: usize, piece: &str) -> Vec<u8> {
    let body = fill(size, piece);
    format!("From: MAILER-DAEMON@mx.example.jp\r\nSubject: Undelivered Mail\r\nReturn-Path: <>\r\n\r\nfailed:\n{body}")
        .into_bytes()
}

fn continuations(size: usize) -> Vec<u8> {
    let pieces = numbered(size, |n| format!(";\r\n filename*{n}*=%61"));
    mail("text/plain", &format!("Content-Disposition: attachment{pieces}\r\n"), FORM)
}

fn continued_parts(size: usize) -> Vec<u8> {
    let pieces = numbered(31_000, |n| format!("; filename*{n}*=%61"));
    let part = format!("--b\r\nContent-Disposition: attachment{pieces}\r\n\r\nx\r\n");
    mail("multipart/mixed; boundary=b", "", &fill(size, &part))
}

fn continued_type(size: usize) -> Vec<u8> {
    mail(&format!("text/plain{}", numbered(size, |n| format!(";\r\n name*{n}*=%61"))), "", FORM)
}

/// A part of this type; its bytes are written as they are, which costs the least letters.
fn binary(kind: &str, data: &[u8]) -> Vec<u8> {
    let mut out = mail(kind, "Content-Transfer-Encoding: binary\r\n", "");
    out.extend(data);
    out
}

/// winmail.dat with one attribute again and again.
fn winmail(size: usize, id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let one = [&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat();
    let head = [&0x223e_9f78_u32.to_le_bytes()[..], &[1, 0]].concat();
    binary("application/ms-tnef", &[head, one.repeat(size / one.len() + 1)].concat())
}

/// The properties of a message: one of this type and number, again and again.
fn properties(size: usize, kind: u16, id: u16, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let one = [&kind.to_le_bytes()[..], &id.to_le_bytes(), &[1, 0, 0, 0], &length.to_le_bytes(), data].concat();
    winmail(size, 0x0006_9003, &[&[0xff; 4][..], &one.repeat((size / one.len()).max(1))].concat())
}

/// RTF, packed or not.
fn rich(size: usize, form: &[u8; 4], piece: &[u8]) -> Vec<u8> {
    properties(size, 0x102, 0x1009, &[&[0; 8][..], form, &[0; 4], &piece.repeat(size / piece.len())].concat())
}

/// A signed mail whose content is made of these elements.
fn signed(size: usize, content: &[u8]) -> Vec<u8> {
    let open = [0x30, 0x80];
    let id = |last| [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last];
    let front =
        [&open[..], &id(2), &[0xa0, 0x80], &open, &[2, 1, 1, 0x31, 0], &open, &id(1), &[0xa0, 0x80, 0x24, 0x80]];
    binary("application/pkcs7-mime", &[front.concat(), content.repeat(size / content.len())].concat())
}

/// All of them.
pub(crate) const CASES: &[Case] = &[
    ("one line of a", |n| plain(n, "a")),
    ("one line of kanji", |n| plain(n, "保健所")),
    ("one line of addresses", |n| plain(n, "a@x.jp,")),
    ("one line of different addresses", |n| {
        mail("text/plain; charset=utf-8", "", &(FORM.to_owned() + &numbered(n, |i| format!("h{i}@x.jp "))))
    }),
    ("short lines of addresses", |n| plain(n, "a@x.jp\n")),
    ("lines of many addresses", |n| {
        let line = numbered(1_900, |i| format!("h{i}@x.jp→"));
        plain(n, &format!("港保健所 {line}\n"))
    }),
    ("different centres", |n| {
        let lines = numbered(n, |i| format!("第{i}見本保健所 h{i}@city.minato.lg.jp\n"));
        mail("text/plain; charset=utf-8", "", &(FORM.to_owned() + &lines))
    }),
    ("centres without address", |n| {
        let lines = numbered(n, |i| format!("第{i}保健所\n"));
        mail("text/plain; charset=utf-8", "", &(FORM.to_owned() + &lines))
    }),
    ("at signs", |n| plain(n, "@")),
    ("dots and at signs", |n| plain(n, ".@.")),
    ("empty lines", |n| plain(n, "\n")),
    ("lone carriage returns", |n| plain(n, "\r")),
    ("quote marks", |n| plain(n, "> ")),
    ("quoted lines", |n| plain(n, ">> 港保健所 a@x.lg.jp\n")),
    ("header blocks", |n| plain(n, "差出人: a\n件名: b\n")),
    ("from lines", |n| plain(n, "From: a\n")),
    ("attributions", |n| plain(n, "a@x.jp wrote:\n> a\n")),
    ("rules", |n| plain(n, "----------\n")),
    ("headings", |n| plain(n, "<保健所>\n")),
    ("brackets", |n| plain(n, "【")),
    ("numbering", |n| plain(n, "(1) ")),
    ("labels", |n| plain(n, "メールアドレス")),
    ("arrows of a correction", |n| plain(n, "誤:a@x.lg.jp→正:b@x.lg.jp ")),
    ("dates", |n| plain(n, "5月1日から変更 ")),
    ("sentences", |n| plain(n, "よろしくお願いいたします。ご教示ください。後日連絡します。\n")),
    ("clauses that say nothing", |n| {
        plain(n, "平素はお世話になり、以下のとおり、自治体、保健所、連絡先、情報、一覧、名簿を連絡します。\n")
    }),
    ("counted sentences", |n| plain(n, "管内の保健所は12か所です。登録の変更をお願いします。\n")),
    ("almost words", |n| plain(n, "登録の登録の保健所の保健所のアドレスアドレスアド")),
    ("names of authorities", |n| plain(n, "東京都港区と大阪府、")),
    ("kana and kanji in turn", |n| plain(n, "あ区")),
    ("ligatures that expand", |n| plain(n, "\u{fdfa}")),
    ("combining marks", |n| plain(n, "か\u{3099}\u{0301}\u{0316}\u{0327}")),
    ("combining marks without a base", |n| plain(n, "\u{0316}\u{0301}")),
    ("full width", |n| plain(n, "ａ＠ｘ．ｊｐ，")),
    ("zero width", |n| plain(n, "\u{200b}")),
    ("links", |n| plain(n, "http://a/ ")),
    ("page of angles", |n| html(n, "<")),
    ("page of open tags", |n| html(n, "<a ")),
    ("page of open quotes", |n| html(n, "<a \"")),
    ("page of comments", |n| html(n, "<!--")),
    ("page of styles", |n| html(n, "<style>")),
    ("page of script ends", |n| html(n, "<script></scrip")),
    ("page of ampersands", |n| html(n, "&")),
    ("page of references", |n| html(n, "&#x4e9c;")),
    ("page of divs", |n| html(n, "<div>")),
    ("page of struck text", |n| html(n, "<s><del>a")),
    ("page of quotations", |n| html(n, "<blockquote type=cite>a")),
    ("page of tables", |n| html(n, "<table><tr><td>")),
    ("page of cells", |n| html(n, "<td>a@x.jp</td>")),
    ("page of links", |n| html(n, "<a href=mailto:a@x.jp>")),
    ("page of blanks", |n| html(n, "<pre> \t<p>")),
    ("page of one long tag", |n| html(n, "<ax=display : none ")),
    ("text and page of addresses", |n| both(n, "a@x.jp,")),
    ("text and page of different addresses", |n| both(n, &numbered(n / 2, |i| format!("h{i}@x.jp,")))),
    ("text and page of address lines", |n| both(n, "港保健所 a@x.lg.jp<br>\n")),
    ("parts", parts),
    ("attachments", |n| typed_parts(n, "application/x-a; name=a")),
    ("text parts", |n| typed_parts(n, "text/plain; charset=iso-2022-jp")),
    ("page parts", |n| typed_parts(n, "text/html")),
    ("mails inside", |n| typed_parts(n, "message/rfc822")),
    ("nested parts", |n| nested(n, false)),
    ("nested parts of one boundary", |n| nested(n, true)),
    ("nested mails", |n| fill(n, "Content-Type: message/rfc822\r\n\r\n").into_bytes()),
    ("boundary all over", |n| mail("multipart/mixed; boundary=\"-\"", "", &fill(n, "--"))),
    ("boundaries that never come", absent_boundaries),
    ("boundary of dashes", dashes),
    ("boundary never", |n| mail("multipart/mixed; boundary=b", "", &fill(n, "\r\n--a"))),
    ("reports", reports),
    ("bounce of one line", |n| bounce(n, "a@x.jp 550 5.1.1 ")),
    ("bounce of lines", |n| bounce(n, "<a@x.jp>: 550 5.1.1 gone\n")),
    ("bounce of digits", |n| bounce(n, "550 ")),
    ("header fields", |n| fill(n, "A: b\r\n").into_bytes()),
    ("senders", |n| fill(n, "From: a@x.jp\r\n").into_bytes()),
    ("lines without colon", |n| fill(n, "aaaaaaa\r\n").into_bytes()),
    ("header without end", |n| fill(n, "a").into_bytes()),
    ("folds", |n| head(n, "X: ", "\r\n ")),
    ("encoded words", |n| head(n, "Subject: ", "=?UTF-8?B?5riv?= ")),
    ("encoded words begun", |n| head(n, "Subject: ", "=?")),
    ("encoded words not ended", |n| head(n, "Subject: ", "=?a?Q?x")),
    ("senders with words not ended", |n| {
        let field = format!("From: {} <a@x.jp>\r\n", fill(31_000, "=?a?Q?x"));
        fill(n, &field).into_bytes()
    }),
    ("recipients", |n| head(n, "Cc: ", "a@x.jp, ")),
    ("comments in an address", |n| head(n, "Cc: ", "(")),
    ("quotes in an address", |n| head(n, "From: ", "\"\\")),
    ("long subject", |n| head(n, "Subject: ", "自治体・保健所メールアドレスの連絡（")),
    ("subjects", |n| head(n, "", "Subject: 自治体・保健所メールアドレスの連絡（港区）\r\n")),
    ("long message id", |n| head(n, "Message-ID: <", "a")),
    ("long date", |n| head(n, "Date: ", "Mon, 27 ")),
    ("continuations of a file name", continuations),
    ("parts with continuations", continued_parts),
    ("continuations of a type", continued_type),
    ("different parameters", |n| mail(&format!("text/plain{}", numbered(n, |i| format!(";a{i}*1=b"))), "", FORM)),
    ("languages of parameters", |n| mail(&format!("text/plain{}", numbered(n, |i| format!(";a{i}*=b'c'd"))), "", FORM)),
    ("fields with parameters", |n| {
        let field = format!("Content-Type: a/b{}\r\n", numbered(340, |i| format!(";a{i}*1=b")));
        fill(n, &field).into_bytes()
    }),
    ("names of fields", |n| plain(n, "\ncontent-type")),
    ("long boundary", |n| mail(&format!("multipart/mixed; boundary=\"{}\"", fill(n, "b")), "", FORM)),
    ("escapes of ISO-2022-JP", |n| raw(n, "iso-2022-jp", b"\x1b$B9A\x1b(B")),
    ("line ends in ISO-2022-JP", |n| raw(n, "iso-2022-jp", b"\x1b$B\n\n9A6h\n")),
    ("Shift_JIS without label", |n| raw(n, "us-ascii", b"\x8d\x60\x8b\xe6")),
    ("EUC-JP without label", |n| raw(n, "x", b"\xb9\xc1\xb6\xe8")),
    ("Shift_JIS as UTF-8", |n| raw(n, "utf-8", b"\x8d\x60\x8b\xe6\n")),
    ("bytes of nothing", |n| raw(n, "utf-8", b"\xff\x80\xfe")),
    ("bytes of nothing in lines", |n| raw(n, "shift_jis", b"\xfd\xff\x80a\n")),
    ("GB 2312", |n| raw(n, "gb2312", b"\xc4\xe3\xba\xc3")),
    ("zero bytes", |n| raw(n, "utf-8", b"\0")),
    ("base64", |n| mail("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64", "", &fill(n, "5riv5Yy6"))),
    ("base64 of lines", |n| mail("text/plain\r\nContent-Transfer-Encoding: base64", "", &fill(n, "CgoKCgoK\r\n"))),
    ("quoted-printable", |n| {
        mail("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable", "", &fill(n, "=E6=B8=AF"))
    }),
    ("quoted-printable of soft ends", |n| {
        mail("text/plain\r\nContent-Transfer-Encoding: quoted-printable", "", &fill(n, "=\r\n="))
    }),
    ("winmail of attributes", |n| winmail(n, 0x0006_9002, &[])),
    ("winmail of properties", |n| properties(n, 0x1e, 0x1000, b"\x8d\x60\x8b\xe6")),
    ("winmail of many properties", |n| winmail(n, 0x0006_9003, &properties(5_000, 0x1003, 1, b"aaaa"))),
    ("winmail of packed texts", |n| properties(n, 0x102, 0x1009, b"\0\0\0\0\0\0\0\0LZFu\0\0\0\0\xff\x00\x00\x00")),
    ("packed text", |n| rich(n, b"LZFu", b"\xff\x00\x0f\x01\x0f\x02\x0f\x03\x0f\x04\x0f\x05\x0f\x06\x0f\x07\x0f")),
    ("groups of a rich text", |n| rich(n, b"MELA", b"{")),
    ("words of a rich text", |n| rich(n, b"MELA", b"\\u-1 \\par")),
    ("page in a rich text", |n| rich(n, b"MELA", b"\\fromhtml1{\\*\\htmltag <s>}a")),
    ("signed in pieces", |n| signed(n, b"\x04\x01a")),
    ("signed in nests", |n| signed(n, b"\x24\x80")),
    ("digests in nests", |n| {
        let open = [0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80, 0x30, 0x80, 2, 1, 1];
        binary("application/pkcs7-mime", &[&open[..], &[0x31, 0x80].repeat(n / 2)].concat())
    }),
    ("flowed", |n| mail("text/plain; format=flowed; delsp=yes; charset=utf-8", "", &fill(n, "港 \n"))),
];
