//! The walk over the sender's lines: headings open sections, lines in them are entries, greetings, notes and signatures
//! are not. Collects what the form states and what stands where it should not; judges nothing.

use super::correction;
use super::entry::{self, Stated};
use super::facts::{Entry, Form};
use super::marks;
use super::names::{centre_in, is_body_name, is_centre_name, name};
use super::normalise::Line;
use super::origin::Rule;
use super::sections::{self, Heading, Section};
use crate::domain::MailAddress;
use crate::rules::Rules;
use crate::rules::labels::Labels;

/// Walks over `lines`. `known` are addresses that are no data wherever they stand outside a section: the sender's own,
/// ours, the ministry's. Headings in
/// quoted lines open a section for the own lines below them, if the sender wrote no heading.
pub(super) fn walk(lines: &[&Line<'_>], depth: usize, known: &[MailAddress], rules: &Rules) -> Form {
    let mut walker = Walker {
        rules,
        known,
        form: Form::default(),
        state: State::Before,
        pending: None,
        right: None,
        candidate: None,
        signed: false,
        fresh: false,
    };
    let own_headings =
        lines.iter().any(|l| l.depth == depth && matches!(heading(&l.text, rules), Some(Heading::Opens(..))));
    for (index, line) in lines.iter().enumerate() {
        if line.text.is_empty() {
            continue;
        }
        if line.depth > depth {
            if !own_headings && let Some(Heading::Opens(section, _)) = heading(&line.text, rules) {
                // Answers written between quoted lines; without an answer the heading is not the sender's.
                walker.close();
                walker.state = State::In(section);
            } else if own_headings {
                walker.close();
            }
            continue;
        }
        if line.depth < depth {
            continue;
        }
        let raw = line.raw.trim_end_matches('\r');
        if raw == "-- " || raw == "--" {
            walker.close();
            walker.state = State::Signature;
            continue;
        }
        if walker.state == State::Signature {
            continue;
        }
        let first =
            index.checked_sub(1).and_then(|i| lines.get(i)).is_none_or(|l| l.text.is_empty() && l.depth == depth);
        if first && walker.has_entries() && walker.signature(lines.get(index..).unwrap_or_default()) {
            walker.close();
            (walker.state, walker.signed) = (State::Tail, true);
        }
        walker.line(line);
    }
    walker.close();
    walker.form
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    Before,
    In(Section),
    /// After the closing words or a ruled line: signature, unless a heading opens a section again.
    Tail,
    /// After the signature mark.
    Signature,
}

pub(super) struct Walker<'r> {
    pub(super) rules: &'r Rules,
    pub(super) known: &'r [MailAddress],
    pub(super) form: Form,
    pub(super) state: State,
    /// A name that waits for its address, and its line.
    pub(super) pending: Option<(String, usize)>,
    /// Of several addresses in a row of a table of corrections, which is right.
    pub(super) right: Option<usize>,
    /// Outside sections: the health centre the line before names.
    pub(super) candidate: Option<String>,
    /// After the closing words: the signature has begun.
    pub(super) signed: bool,
    /// A heading has just opened a section and nothing stands in it yet.
    pub(super) fresh: bool,
}

impl<'r> Walker<'r> {
    pub(super) fn labels(&self) -> &'r Labels {
        &self.rules.registration.labels
    }

    fn has_entries(&self) -> bool {
        !self.form.authority.is_empty() || !self.form.centres.is_empty()
    }

    fn signature(&self, lines: &[&Line<'_>]) -> bool {
        if self.pending.is_some() || self.fresh {
            return false;
        }
        let own = self.known.first().map(|a| a.as_str().to_ascii_lowercase()).unwrap_or_default();
        marks::signature(lines, &own, &self.form.words, self.labels(), |name| self.lists(name))
    }

    /// Is the health centre in this name (札幌市保健所 感染症係) among those stated?
    pub(super) fn lists(&self, name: &str) -> bool {
        let wanted = centre_in(name);
        !wanted.is_empty() && self.form.centres.iter().any(|e| centre_in(&e.name) == wanted)
    }

    fn open(&mut self, section: Section) {
        self.close();
        self.heading(section);
        (self.state, self.fresh) = (State::In(section), true);
    }

    fn heading(&mut self, section: Section) {
        match section {
            Section::Authority => self.form.authority_heading = true,
            Section::Centres => self.form.centre_heading = true,
        }
    }

    /// Ends what is open: a name still waiting is a tenant without address, or no name.
    pub(super) fn close(&mut self) {
        if let Some((name, line)) = self.pending.take() {
            if is_body_name(&name) || is_centre_name(&name) {
                self.push(Entry { name, line, ..Entry::default() });
            } else {
                // No name after all: what else the sender says.
                self.form.say(&name, line);
            }
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.fresh = false;
        match self.state {
            State::In(section) => {
                self.heading(section);
                match section {
                    Section::Authority => self.form.authority.push(entry),
                    Section::Centres => self.form.centres.push(entry),
                }
            }
            State::Before | State::Tail | State::Signature => self.form.loose.push(entry),
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        if marks::is_rule(&line.text) {
            self.signed |= self.state == State::Tail;
            if self.has_entries() {
                self.close();
                (self.state, self.signed) = (State::Tail, true);
            }
            return;
        }
        if marks::is_table_head(&line.text, self.labels()) {
            // Below the authority's part the head of a table of health centres begins theirs: No. 保健所名 アドレス.
            let opens = |section| {
                let mut cells = line.text.split(['\t', ' ', '|']).filter(|cell| !cell.is_empty());
                cells.any(|cell| heading(cell, self.rules) == Some(Heading::Opens(section, "")))
            };
            if self.state == State::In(Section::Authority) && opens(Section::Centres) && !opens(Section::Authority) {
                self.open(Section::Centres);
            }
            return;
        }
        match heading(&line.text, self.rules) {
            Some(Heading::Opens(section, rest)) => {
                if section == Section::Centres {
                    self.form.counts.push(sections::counted(line.text.split('@').next().unwrap_or_default()));
                }
                let same = self.state == State::In(section);
                // 自治体名：港区, 自治体アドレス：a@…: the second goes on with the first.
                let goes_on =
                    || rest.is_empty() || rest.contains('@') && entry::read(rest, self.labels()).name.is_empty();
                if !(same && self.pending.is_some() && goes_on()) {
                    self.open(section);
                }
                if !rest.is_empty() {
                    self.content(rest, line.number);
                }
                return;
            }
            Some(Heading::Contact) if self.has_entries() && self.pending.is_none() => {
                (self.state, self.signed) = (State::Tail, true);
                return;
            }
            Some(Heading::Contact) | None => {}
        }
        if let Some((section, row)) = sections::row_of(&line.text, &self.rules.registration) {
            if self.state != State::In(section) {
                self.open(section);
            }
            self.content(&row, line.number);
            return;
        }
        match self.state {
            State::Before | State::Tail => self.outside(line),
            State::In(_) => self.content(&line.text, line.number),
            State::Signature => {}
        }
    }

    /// A line outside any section.
    fn outside(&mut self, line: &Line<'_>) {
        if correction::is_column_head(&line.text) {
            self.form.corrective = true;
            self.right = Some(1);
            return;
        }
        if !line.text.contains('@') {
            let prose = marks::is_prose(&line.text);
            self.signed |= self.state == State::Tail && !prose && marks::is_contact(&line.text);
            if self.state == State::Before || !self.signed && marks::is_spoken(&line.text) {
                self.form.say(&line.text, line.number);
            }
            let name = name(&line.text, self.labels());
            self.candidate = (!prose && is_centre_name(&name) && !self.lists(&name)).then_some(name);
            if self.state == State::Before && !self.form.loose.is_empty() && marks::is_closing(&line.text) {
                self.state = State::Tail;
            }
            return;
        }
        for piece in entry::pieces(&line.text, self.labels()) {
            self.stated_outside(piece, line.number);
        }
    }

    /// An address outside any section.
    fn stated_outside(&mut self, text: &str, number: usize) {
        let Some(stated) = self.read(text) else { return };
        let foreign = stated.addresses.iter().any(|a| !self.knows(a)) || stated.broken;
        if !foreign || marks::is_contact(text) {
            return;
        }
        let candidate = self.candidate.take();
        if self.state == State::Before {
            let mut entry = Entry { rule: Rule::ByName, ..Entry::new(stated, number) };
            if !is_body_name(&entry.name)
                && let Some(name) = candidate
            {
                entry.name = name;
            }
            if self.is_template(text, &entry) {
                self.form.templates.push(number);
            } else {
                self.form.loose.push(entry);
            }
        } else if marks::is_prose(text) || is_centre_name(&stated.name) || candidate.is_some() && !self.signed {
            self.form.strays.push(number);
        }
    }

    pub(super) fn knows(&self, address: &MailAddress) -> bool {
        self.known.iter().any(|k| k.same_mailbox(address))
    }

    /// Reads a line with regard to 誤 and 正: `None` for a line that states what is wrong.
    pub(super) fn read(&mut self, text: &str) -> Option<Stated> {
        let (stated, corrective) = correction::read(text, self.right, self.labels());
        self.form.corrective |= corrective;
        stated
    }

    pub(super) fn is_placeholder(&self, name: &str) -> bool {
        let squeezed: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        self.rules.registration.placeholder_names.contains(&squeezed)
    }

    /// A line of the form's example: `〇〇市 xxxxx@xxxx.xx.xx`.
    pub(super) fn is_template(&self, text: &str, entry: &Entry) -> bool {
        let crosses = |a: &MailAddress| a.as_str().chars().all(|c| matches!(c, 'x' | 'X' | '@' | '.' | '*' | '-'));
        let circle = || text.chars().any(|c| matches!(c, '〇' | '○' | '◯' | '□' | '△' | '●'));
        let named = || text.split([':', ' ', '\t']).next().unwrap_or_default();
        entry.address.as_ref().is_some_and(crosses) || circle() && self.is_placeholder(named())
    }
}

fn heading<'a>(text: &'a str, rules: &Rules) -> Option<Heading<'a>> {
    sections::heading(text, &rules.registration)
}
