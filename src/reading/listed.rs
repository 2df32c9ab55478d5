//! The lines of a section: which name and which address belong together, what is a note, a person, a name that waits for
//! its address. The walk over all lines is in `form`.

use super::correction;
use super::entry::{self, Stated};
use super::facts::Entry;
use super::form::{State, Walker};
use super::marks;
use super::names::{is_body_name, is_centre_name, is_section_name, name};
use super::origin::Rule;
use super::pattern::{matches, pattern};
use super::remarks;
use super::sections::Section;

pattern!(DITTO, r"^(?:同上|〃|々|同|″|//|同じ)$");

impl Walker<'_> {
    /// A line of a section, or what stands behind its heading.
    pub(super) fn content(&mut self, text: &str, number: usize) {
        if correction::is_column_head(text) {
            self.form.corrective = true;
            self.right = Some(1);
            return;
        }
        let pieces = entry::pieces(text, self.labels());
        if pieces.len() > 1 && !marks::is_note(text, self.labels()) {
            for piece in pieces {
                self.one(piece, number);
            }
            return;
        }
        self.one(text, number);
    }

    /// One statement of a section.
    fn one(&mut self, text: &str, number: usize) {
        let Some(stated) = self.read(text) else { return };
        if stated.addresses.is_empty() && !stated.broken {
            self.without_address(text, stated, number);
            return;
        }
        if marks::is_note(text, self.labels()) {
            if stated.addresses.iter().any(|a| !self.knows(a)) {
                self.form.strays.push(number);
            } else {
                self.form.say(text, number);
            }
            return;
        }
        if correction::prefers_later(text, &stated) {
            self.form.strays.push(number);
        }
        if remarks::beside(text, &self.rules.registration.phrases) {
            self.form.say(text, number);
        }
        let mut entry = Entry::new(stated, number);
        if self.form.corrective {
            entry.rule = Rule::Corrected;
        }
        if self.is_template(text, &entry) {
            self.form.templates.push(number);
            self.pending = None;
            return;
        }
        let nobody = is_section_name(&entry.name) || !is_body_name(&entry.name);
        if marks::is_contact(text) && nobody && !is_centre_name(&entry.name) {
            entry.name.clear();
        }
        if matches(&DITTO, &entry.name) {
            entry.name.clear();
        }
        self.take(entry);
    }

    /// An entry with an address: joins the waiting name, or the entry before it, or stands alone.
    fn take(&mut self, mut entry: Entry) {
        let fresh = self.fresh;
        let personal = entry.address.as_ref().is_some_and(|a| self.knows(a));
        if let Some((name, line)) = self.pending.take() {
            if personal && entry.name.is_empty() && self.state == State::In(Section::Centres) {
                // The officer's own address below a health centre's name: its address, or a signature?
                self.form.strays.push(entry.line);
            }
            entry.rule = if entry.rule == Rule::Corrected { Rule::Corrected } else { Rule::LineBelow };
            if is_section_name(&entry.name) && entry.trailing {
                (entry.name, entry.line) = (name, line);
            } else if is_section_name(&entry.name) && !is_section_name(&name) {
                (entry.name, entry.line) = (format!("{name} {}", entry.name), line);
            } else if entry.name.is_empty() || !is_body_name(&entry.name) {
                entry.broken |= !entry.name.is_empty() && name.chars().any(|c| c.is_ascii_alphabetic());
                (entry.name, entry.line) = (name, line);
            } else if !marks::is_region(&name) {
                self.pending = Some((name, line));
                self.close();
            }
        } else if let Some(last) = self.last() {
            let same = entry.name.is_empty() || entry.name == last.name;
            if same && !fresh && last.line + 3 >= entry.line {
                last.others.extend(entry.address.take());
                last.others.append(&mut entry.others);
                last.broken |= entry.broken;
                return;
            }
        }
        entry.broken |= entry.name.chars().any(|c| c.is_ascii_alphabetic() && !c.is_ascii_uppercase());
        self.push(entry);
    }

    fn last(&mut self) -> Option<&mut Entry> {
        match self.state {
            State::In(Section::Authority) => self.form.authority.last_mut(),
            State::In(Section::Centres) => self.form.centres.last_mut(),
            State::Before | State::Tail | State::Signature => None,
        }
    }

    fn without_address(&mut self, text: &str, stated: Stated, number: usize) {
        if marks::is_closing(text) {
            self.form.say(text, number);
            self.close();
            self.state = State::Tail;
        } else if marks::is_note(text, self.labels()) {
            self.form.say(text, number);
        } else if marks::is_contact(text) && !is_centre_name(&stated.name) {
            if marks::is_spoken(text) {
                self.form.say(text, number);
            }
        } else if marks::is_person(text) {
            // A person with a title is a signature's line, or a contact of the tenant above: only the sender knows.
            if self.pending.as_ref().is_some_and(|(name, _)| self.lists(name)) {
                self.form.strays.push(number);
            }
        } else if let Some(before) = remarks::before_pending(&stated.name).filter(|n| is_entry_name(n)) {
            self.close();
            self.push(Entry { name: name(before, self.labels()), line: number, ..Entry::default() });
        } else if marks::is_prose(text) {
            self.form.say(text, number);
            self.close();
            if self.last().is_some() {
                self.state = State::Before;
            }
        } else if !marks::is_region(text) && !stated.name.is_empty() {
            if self.is_placeholder(&stated.name) {
                self.form.templates.push(number);
                return;
            }
            match &mut self.pending {
                // 渡島保健所 on one line, 企画総務課 on the next: one name.
                Some((name, _)) if is_section_name(&stated.name) && !is_section_name(name) => {
                    name.push(' ');
                    name.push_str(&stated.name);
                }
                Some(_) | None => {
                    self.close();
                    self.pending = Some((stated.name, number));
                }
            }
        }
    }
}

/// The name of a health centre and no sentence about it: 港保健所, not 港保健所については.
fn is_entry_name(text: &str) -> bool {
    is_centre_name(text)
        && text.chars().nth(3).is_some()
        && !text.trim_end().ends_with(['は', 'て', '、', 'も', 'が', 'の', 'を'])
}
