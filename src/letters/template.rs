//! The texts of the letters as files: `templates/mail/<kind>.txt`, minijinja in strict mode, one per [`LetterKind`].
//! Every fault is found before anything starts, all at once, with file, line and remedy: each template is rendered with
//! every sample of its letter ([`Letter::samples`]) and linted. What may stand in a template: templates/README.md.

use super::layout::{self, columns, fold, one_line};
use super::{Letter, LetterKind, lint, values};
use crate::domain::{Date, MailAddress};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Longest template file, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 100_000;
/// Faults looked for in one template with one sample before giving up.
const FAULTS_PER_RENDERING_MAX: usize = 20;
/// Letters whose subject other letters announce; it must be fixed text. Their key in the templates: `subjects.<key>`.
const ANNOUNCED: [(LetterKind, &str); 3] = [
    (LetterKind::CertificateNotice, "certificate_notice"),
    (LetterKind::PickupPassword, "pickup_password"),
    (LetterKind::Credentials, "credentials"),
];

/// The files of `templates/mail` by name (`receipt.txt` → its text).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFiles(pub BTreeMap<String, String>);

/// Who stands behind the letters: `desk` in the templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// 株式会社ビッグツリーテクノロジー＆コンサルティング
    pub contractor_name: String,
    /// The contact desk.
    pub contractor: MailAddress,
    pub ministry: MailAddress,
    /// The one sender of all letters.
    pub from: MailAddress,
}

/// A fault in a template, or a warning about one. Printed as `templates/mail/receipt.txt:3: fault; remedy`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {fault}; {remedy}")]
pub struct TemplateError {
    pub file: String,
    /// From 1; 1 where the whole file is meant.
    pub line: usize,
    pub fault: String,
    pub remedy: String,
}

/// A complete set of templates, every one of them proven on its samples.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    desk: Desk,
    subjects: BTreeMap<String, String>,
    warnings: Vec<TemplateError>,
}

/// A rendered letter: one line of subject, and lines of body that end in `\n`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) body: String,
}

impl LetterKind {
    /// `receipt.txt`.
    pub fn file(self) -> String {
        format!("{}.txt", self.name())
    }
}

impl TemplateFiles {
    /// The templates this binary was built with.
    pub fn embedded() -> Self {
        let text = |kind| match kind {
            LetterKind::Receipt => include_str!("../../templates/mail/receipt.txt"),
            LetterKind::UnderReview => include_str!("../../templates/mail/under-review.txt"),
            LetterKind::CorrectionRequest => include_str!("../../templates/mail/correction-request.txt"),
            LetterKind::AskAuthority => include_str!("../../templates/mail/ask-authority.txt"),
            LetterKind::AskResend => include_str!("../../templates/mail/ask-resend.txt"),
            LetterKind::AskConfirm => include_str!("../../templates/mail/ask-confirm.txt"),
            LetterKind::AskOrigin => include_str!("../../templates/mail/ask-origin.txt"),
            LetterKind::AskReply => include_str!("../../templates/mail/ask-reply.txt"),
            LetterKind::Welcome => include_str!("../../templates/mail/welcome.txt"),
            LetterKind::CertificateNotice => include_str!("../../templates/mail/certificate-notice.txt"),
            LetterKind::PickupPassword => include_str!("../../templates/mail/pickup-password.txt"),
            LetterKind::Reminder => include_str!("../../templates/mail/reminder.txt"),
            LetterKind::Expired => include_str!("../../templates/mail/expired.txt"),
            LetterKind::Credentials => include_str!("../../templates/mail/credentials.txt"),
            LetterKind::CredentialsReady => include_str!("../../templates/mail/credentials-ready.txt"),
            LetterKind::Report => include_str!("../../templates/mail/report.txt"),
            LetterKind::Alert => include_str!("../../templates/mail/alert.txt"),
        };
        Self(LetterKind::ALL.map(|kind| (kind.file(), text(kind).to_owned())).into())
    }
}

impl Templates {
    /// Checks the whole set. The error holds every fault found, in the order of files and lines.
    pub fn parse(files: &TemplateFiles, desk: &Desk) -> Result<Self, Vec<TemplateError>> {
        let mut faults = strangers(files);
        let mut templates =
            Self { environment: environment(), desk: desk.clone(), subjects: subjects(files), warnings: Vec::new() };
        for kind in LetterKind::ALL {
            let name = kind.file();
            let Some(source) = files.0.get(&name) else {
                faults.insert(error(kind, 1, "this file is missing", "copy it from the delivered templates"));
                continue;
            };
            // Line ends of any editor, a byte order mark of Notepad.
            let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n");
            faults.extend(lint::faults(kind, &source));
            faults.extend(templates.faults_in_samples(kind, &source));
            templates.warnings.extend(lint::warnings(kind, &source));
            if faults.is_empty() {
                faults.extend(templates.environment.add_template_owned(name, source).err().map(|e| explain(kind, &e)));
            }
        }
        if faults.is_empty() { Ok(templates) } else { Err(faults.into_iter().collect()) }
    }

    /// What is allowed but unwise: characters that force UTF-8 on receivers that want ISO-2022-JP.
    pub fn warnings(&self) -> &[TemplateError] {
        &self.warnings
    }

    /// The letter's text as of the day `sent`.
    pub(super) fn render(&self, letter: &Letter, sent: Date) -> Result<Rendered, TemplateError> {
        let kind = letter.kind();
        if let Letter::Written { subject, body, .. } = letter {
            return split(&format!("{}{subject}\n\n{}", lint::SUBJECT, layout::text_lines(body)))
                .ok_or_else(|| no_subject(kind));
        }
        let template = self.environment.get_template(&kind.file()).map_err(|e| explain(kind, &e))?;
        let text = template.render(self.values(letter, sent)).map_err(|e| {
            // Only the kind of fault: its details may quote a value, and here values are real.
            error(kind, e.line().unwrap_or(1), e.kind().to_string(), "correct the line and reload the templates")
        })?;
        split(&text).ok_or_else(|| no_subject(kind))
    }

    /// A letter as it would read, to be looked at and changed before it is sent: its subject and its text. Never of a
    /// letter with a secret.
    pub fn draft(&self, letter: &Letter, sent: Date) -> Result<(String, String), TemplateError> {
        let Rendered { subject, body } = self.render(letter, sent)?;
        Ok((subject, body))
    }

    fn values(&self, letter: &Letter, sent: Date) -> Value {
        values::values(letter, sent, &self.desk, &self.subjects)
    }

    fn faults_in_samples(&self, kind: LetterKind, source: &str) -> BTreeSet<TemplateError> {
        let mut faults = BTreeSet::new();
        for letter in Letter::samples(kind) {
            let values = self.values(&letter, Letter::sample_day());
            match render_all(&self.environment, kind, source, &values) {
                Ok(text) => faults.extend(lint::rendered_faults(kind, &letter, split(&text).as_ref())),
                Err(found) => faults.extend(found),
            }
        }
        faults
    }
}

/// Files that belong to no letter.
fn strangers(files: &TemplateFiles) -> BTreeSet<TemplateError> {
    let known = LetterKind::ALL.map(LetterKind::file);
    let stranger = |name: &String| TemplateError {
        file: format!("templates/mail/{name}"),
        line: 1,
        fault: "no letter has this name".into(),
        remedy: format!("remove the file or give it one of the names {}", known.join(", ")),
    };
    files.0.keys().filter(|name| !known.contains(name)).map(stranger).collect()
}

fn subjects(files: &TemplateFiles) -> BTreeMap<String, String> {
    let subject = |kind: LetterKind| {
        let first = files.0.get(&kind.file()).and_then(|text| text.lines().next()).unwrap_or_default();
        first.trim_start_matches('\u{feff}').strip_prefix(lint::SUBJECT).unwrap_or_default().trim().to_owned()
    };
    ANNOUNCED.into_iter().map(|(kind, key)| (key.to_owned(), subject(kind))).collect()
}

pub(super) fn announced(kind: LetterKind) -> bool {
    ANNOUNCED.iter().any(|(announced, _)| *announced == kind)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.add_filter("columns", |text: String| columns(&text));
    environment.add_filter("pad", |text: String, wide: usize| pad(&text, wide));
    environment
}

/// Blanks after the text until it is so many columns wide.
fn pad(text: &str, wide: usize) -> String {
    let blanks = wide.saturating_sub(columns(text)).min(layout::COLUMNS_MAX);
    format!("{text}{}{}", "　".repeat(blanks / 2), " ".repeat(blanks % 2))
}

/// Renders; if that fails, empties the faulty line and goes on, so that one run names all faults.
fn render_all(
    environment: &Environment<'_>,
    kind: LetterKind,
    source: &str,
    values: &Value,
) -> Result<String, Vec<TemplateError>> {
    let mut lines: Vec<&str> = source.split('\n').collect();
    let mut faults = Vec::new();
    for _ in 0..FAULTS_PER_RENDERING_MAX {
        let source = lines.join("\n");
        let fault = match environment.template_from_str(&source).and_then(|template| template.render(values)) {
            Ok(text) if faults.is_empty() => return Ok(text),
            Ok(_) => break,
            Err(fault) => fault,
        };
        let mut named = explain(kind, &fault);
        if fault.kind() == ErrorKind::UndefinedError {
            named.fault = format!("{} is no value of this letter", undefined_name(&fault, &source));
            named.remedy = format!("use one of: {}", names(values).join(", "));
        }
        faults.push(named);
        match fault.line().and_then(|line| lines.get_mut(line.saturating_sub(1))) {
            Some(line) if !line.contains("{%") && !line.is_empty() => *line = "",
            _ => break,
        }
    }
    Err(faults)
}

/// The expression a fault is about, or the line's text where the position is unknown.
fn undefined_name(fault: &Error, source: &str) -> String {
    let expression = fault.range().and_then(|range| source.get(range));
    let line = fault.line().and_then(|line| source.lines().nth(line.saturating_sub(1)));
    format!("`{}`", one_line(expression.or(line).unwrap_or("something"), layout::NAME_CHARS_MAX))
}

/// The names a template of this letter may use.
fn names(values: &Value) -> Vec<String> {
    let mut names: Vec<String> = values.try_iter().into_iter().flatten().map(|name| name.to_string()).collect();
    names.sort();
    names
}

/// Subject line, empty line, body.
fn split(text: &str) -> Option<Rendered> {
    let (first, rest) = text.split_once('\n')?;
    let subject = first.strip_prefix(lint::SUBJECT)?;
    let body = rest.strip_prefix('\n')?;
    let rendered = Rendered {
        // No "=?": it would read as an encoded word (RFC 2047 §2).
        subject: one_line(subject, layout::TEXT_CHARS_MAX).replace("=?", "= ?"),
        body: fold(body.trim_start_matches('\n')),
    };
    Some(rendered).filter(|r| !r.subject.is_empty() && !r.body.trim().is_empty())
}

pub(super) fn no_subject(kind: LetterKind) -> TemplateError {
    let remedy = "begin with `Subject: ` and a text, then an empty line, then the letter";
    error(kind, 1, "subject or letter is empty", remedy)
}

pub(super) fn error(
    kind: LetterKind,
    line: usize,
    fault: impl Into<String>,
    remedy: impl Into<String>,
) -> TemplateError {
    TemplateError { file: format!("templates/mail/{}", kind.file()), line, fault: fault.into(), remedy: remedy.into() }
}

/// Says what minijinja found without its debug information, which would print the values.
fn explain(kind: LetterKind, fault: &Error) -> TemplateError {
    let detail =
        fault.detail().map_or_else(|| fault.kind().to_string(), |detail| format!("{}: {detail}", fault.kind()));
    error(kind, fault.line().unwrap_or(1), detail, "correct the line; templates/README.md lists what may stand there")
}
