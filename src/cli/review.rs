//! `annai review`: what waits for a person, and their decision.

use super::args::{AcceptArgs, Part, ReviewArgs, ReviewVerb};
use super::ask::{Desk, items, labelled, more, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError, clean};
use crate::daemon::control::Request;
use crate::domain::{Digest, LgCode, MailAddress, MailNo};
use crate::engine::records::MatterNo;
use crate::engine::staff::Verb;
use crate::reading::{Proposal, ProposedCentre};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// Longest file of data or text taken, in octets; more is not read.
const TEXT_OCTETS_MAX: u64 = 256 * 1024;
/// Digits of the code that stands for what was shown; enough that no other reading of a mail has the same.
const SHOWN_DIGITS: usize = 12;
const FIRST: Part<u64> = Part { limit: 100, after: None };

pub(super) fn run(args: &ReviewArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    let done = |mail: &Value| format!("メール{}：{}", text(mail, "/no"), text(mail, "/disposition/disposition"));
    match &args.verb {
        None => list(&mut desk, &FIRST),
        Some(ReviewVerb::List { part }) => list(&mut desk, part),
        Some(ReviewVerb::Show { mail, authority }) => {
            desk.show(&Request::Mail { mail: MailNo(*mail), authority: *authority }, |view| human(view, *authority))
        }
        Some(ReviewVerb::Accept(args)) => {
            let act = accept(&mut desk, args)?;
            desk.act(act, done)
        }
        Some(ReviewVerb::Reject { mail, reason }) => {
            desk.act(Verb::Reject { mail: MailNo(*mail), reason: reason.clone() }, done)
        }
        Some(ReviewVerb::Draft { mail }) => desk.show(&Request::Draft { mail: MailNo(*mail) }, draft),
        Some(ReviewVerb::Ask { mail, text, subject }) => {
            let act = ask(&mut desk, MailNo(*mail), text.as_deref(), subject.as_deref())?;
            desk.act(act, done)
        }
        Some(ReviewVerb::Reread { mail }) => desk.act(Verb::Reread { mail: MailNo(*mail) }, done),
        Some(ReviewVerb::Close { matter, reason }) => desk
            .act(Verb::Close { matter: *matter, reason: reason.clone() }, |matter| {
                format!("要確認{}を済みとしました", text(matter, "/matter"))
            }),
    }
}

/// What is accepted: as read, or with the changes given; never anything else than what was looked at.
fn accept(desk: &mut Desk, args: &AcceptArgs) -> Result<Verb, CliError> {
    let mail = MailNo(args.mail);
    let usage = |why: &str| CliError::Usage(why.to_owned());
    let mut view = desk.ask(&Request::Mail { mail, authority: args.authority })?;
    let shown = seen(&view, args)?;
    if !args.is_edited() {
        return Ok(Verb::Accept { mail, authority: args.authority, shown });
    }
    let reason = args.reason.clone().ok_or_else(|| usage("say with --reason why the data are changed"))?;
    let mut proposal = basis(&mut view, args)?;
    for pair in &args.rename {
        let (old, new) = pair.split_once('=').ok_or_else(|| usage("write --rename OLD=NEW"))?;
        let known = proposal.centres.iter_mut().find(|centre| centre.name == old);
        let known = known.ok_or_else(|| {
            CliError::Usage(format!("there is no {old} in this mail; give a name as `review show` prints it"))
        })?;
        new.clone_into(&mut known.name);
    }
    for pair in &args.set {
        let (name, address) = pair.split_once('=').ok_or_else(|| usage("write --set NAME=ADDRESS"))?;
        set(&mut proposal, name, address)?;
    }
    proposal.authority = args.authority.or(proposal.authority);
    Ok(Verb::AcceptEdited { mail, proposal, reason, despite: args.despite.clone(), shown })
}

/// The digest of what is shown now, if that is what the code was given for. A mail that waits for nobody is the engine's to
/// refuse.
fn seen(view: &Value, args: &AcceptArgs) -> Result<Option<Digest>, CliError> {
    let now = text(view, "/shown");
    let show = || {
        let authority = args.authority.map_or_else(String::new, |code| format!(" --authority {code}"));
        format!("annai review show {}{authority}", args.mail)
    };
    match &args.shown {
        Some(given) if now.starts_with(given.as_str()) => Ok(now.parse().ok()),
        _ if !waits(view) => Ok(None),
        Some(_) => Err(CliError::Failed(format!(
            "this mail reads differently than what was shown, or would change something else; look again: {}",
            show()
        ))),
        None => Err(CliError::Usage(format!(
            "look at it first: {}; it ends with the command that registers what it shows",
            show()
        ))),
    }
}

/// Whether a mail can be taken over.
fn waits(mail: &Value) -> bool {
    matches!(text(mail, "/disposition/disposition").as_str(), "review" | "unreadable" | "inquiry")
}

/// What the changes start from: the file given, or what was read.
fn basis(view: &mut Value, args: &AcceptArgs) -> Result<Proposal, CliError> {
    if let Some(file) = &args.edit {
        return serde_json::from_str(&text_of(file)?).map_err(|fault| {
            let file = file.display();
            CliError::Usage(format!("{file}: {fault}; give the proposal of `annai review show` with changes"))
        });
    }
    let read = view.get_mut("proposal").map(Value::take).unwrap_or_default();
    serde_json::from_value(read).map_err(|fault| CliError::Failed(format!("the daemon answers oddly ({fault})")))
}

/// Changes, adds or takes out one address.
fn set(proposal: &mut Proposal, name: &str, address: &str) -> Result<(), CliError> {
    let wrong = |fault| CliError::Usage(format!("{address}: {fault}; give a mail address"));
    let address: Option<MailAddress> =
        Some(address.trim()).filter(|a| !a.is_empty()).map(str::parse).transpose().map_err(wrong)?;
    match proposal.centres.iter_mut().find(|centre| centre.name == name) {
        _ if name == "authority" => proposal.address = address,
        Some(known) => known.address = address,
        None => proposal.centres.push(ProposedCentre { name: name.to_owned(), address }),
    }
    Ok(())
}

/// The draft as it is, or the text given.
fn ask(desk: &mut Desk, mail: MailNo, file: Option<&Path>, subject: Option<&str>) -> Result<Verb, CliError> {
    let Some(file) = file else { return Ok(Verb::AskSender { mail }) };
    let subject = match subject {
        Some(given) => given.to_owned(),
        None => text(&desk.ask(&Request::Draft { mail })?, "/subject"),
    };
    Ok(Verb::WriteToSender { mail, subject, body: text_of(file)? })
}

/// A file staff give; `-` is standard input.
fn text_of(file: &Path) -> Result<String, CliError> {
    let mut found = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(TEXT_OCTETS_MAX).read_to_string(&mut found)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(TEXT_OCTETS_MAX).read_to_string(&mut found))
    };
    let fault =
        |fault| CliError::Usage(format!("{} cannot be read ({fault}); give a text file in UTF-8", file.display()));
    read.map_err(fault)?;
    Ok(found)
}

fn draft(draft: &Value) -> String {
    let mut out = labelled([
        ("種類", text(draft, "/letter_name")),
        ("宛先", text(draft, "/to")),
        ("件名", text(draft, "/subject")),
    ]);
    out.push('\n');
    for line in draft.get("body").and_then(Value::as_str).into_iter().flat_map(str::lines) {
        let _ = writeln!(out, "{}", clean(line));
    }
    if draft.get("unfinished").and_then(Value::as_bool) == Some(true) {
        out.push_str("\n（このままでは送信できません。回答を記入し、--text で送信してください）\n");
    }
    out
}

fn list(desk: &mut Desk, part: &Part<u64>) -> Result<ExitCode, CliError> {
    let list = desk.list(part.limit, part.after.map(|no| no.to_string()), |after, limit| Request::Matters {
        after: after.and_then(|no| no.parse().ok()).map(MatterNo),
        limit,
    })?;
    desk.print(&list, |list| matters(list, "/items") + &more(list))
}

fn matters(value: &Value, pointer: &str) -> String {
    let mut table = Table::new(&[
        ("対象", Align::Left),
        ("日時", Align::Left),
        ("差出人", Align::Left),
        ("件名", Align::Left),
        ("内容", Align::Left),
        ("要確認番号", Align::Right),
    ]);
    for matter in items(value, pointer) {
        let about = [("メール", "/mail"), ("送信", "/row"), ("", "/tenant")];
        let about = about.map(|(label, pointer)| (label, text(matter, pointer)));
        let about = about.iter().find(|(_, no)| !no.is_empty()).map(|(label, no)| format!("{label}{no}"));
        let about = about.unwrap_or_default();
        let (from, subject) = (text(matter, "/from"), text(matter, "/subject"));
        table.row([about, when(matter, "/since"), from, subject, text(matter, "/text"), text(matter, "/matter")]);
    }
    table.to_string()
}

fn human(mail: &Value, authority: Option<LgCode>) -> String {
    let reasons: Vec<_> = items(mail, "/reasons").map(reason).collect();
    let attachments: Vec<_> = items(mail, "/attachments").map(|name| text(name, "")).collect();
    let mut out = labelled([
        ("メール", text(mail, "/no")),
        ("受信", when(mail, "/filed")),
        ("差出人", text(mail, "/from")),
        ("件名", text(mail, "/subject")),
        ("扱い", text(mail, "/disposition_name")),
        ("自治体", format!("{} {}", text(mail, "/authority_name"), text(mail, "/authority")).trim().to_owned()),
        ("添付", attachments.join("、")),
        ("確認の理由", reasons.join(" ")),
    ]);
    let mut evidence = Table::new(&[("評価", Align::Left), ("裏付け", Align::Left), ("内容", Align::Left)]);
    for piece in items(mail, "/evidence") {
        evidence.row(["/mark", "/name", "/text"].map(|part| text(piece, part)));
    }
    let _ = write!(out, "\n{evidence}");
    let mut table = Table::new(&[("行", Align::Right), ("本文", Align::Left), ("読み取り", Align::Left)]);
    for line in items(mail, "/lines") {
        let understood: Vec<_> = items(line, "/understood").map(|note| text(note, "")).collect();
        table.row([text(line, "/no"), text(line, "/text"), understood.join(" ／ ")]);
    }
    let _ = writeln!(out, "\n{table}\n登録した場合の変更");
    let changes = items(mail, "/changes").map(change);
    let changes: Vec<String> = changes.collect();
    if changes.is_empty() {
        let known = mail.get("authority").is_some_and(Value::is_string);
        let none = if known {
            "ありません"
        } else {
            "自治体が決まらないため示せません（--authority CODE で示します）"
        };
        let _ = writeln!(out, "  {none}");
    }
    for change in &changes {
        let _ = writeln!(out, "  {change}");
    }
    if mail.pointer("/matters/0").is_some() {
        let _ = write!(out, "\n{}", matters(mail, "/matters"));
    }
    if waits(mail) && !changes.is_empty() {
        let (no, shown) = (text(mail, "/no"), text(mail, "/shown"));
        let code = shown.get(..SHOWN_DIGITS).unwrap_or_default();
        let authority = authority.map_or_else(String::new, |code| format!(" --authority {code}"));
        let _ = writeln!(out, "\nこの内容で登録する場合\n  annai review accept {no}{authority} --shown {code}");
    }
    out
}

/// A reason with the lines it comes from: 記載の内容に食い違いがあります。（3、5行目）
fn reason(reason: &Value) -> String {
    let lines: Vec<_> = items(reason, "/lines").map(|line| text(line, "")).collect();
    let place = if lines.is_empty() { String::new() } else { format!("（{}行目）", lines.join("、")) };
    format!("{} [{}]{place}", text(reason, "/text"), text(reason, "/code"))
}

fn change(change: &Value) -> String {
    let name = text(change, "/name");
    match text(change, "/change").as_str() {
        "added" => format!("追加　{name} {}", text(change, "/address")),
        _ => format!("変更　{} {name} {} → {}", text(change, "/tenant"), text(change, "/from"), text(change, "/to")),
    }
}
