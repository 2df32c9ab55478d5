//! The walk over the sender's lines: headings open sections, lines in them are entries, greetings, notes and signatures
//! are not. Collects what the form states and what stands where it should not; judges nothing.

use super::entry::{self, Stated, matches, pattern};
use super::normalise::Line;
use super::sections::{self, Section};
use crate::domain::MailAddress;
use crate::rules::Rules;
use regex::Regex;
use std::sync::LazyLock;

/// One tenant as stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Empty if the line gives none.
    pub(super) name: String,
    pub(super) address: Option<MailAddress>,
    pub(super) others: Vec<MailAddress>,
    pub(super) line: usize,
    /// Something like an address stands there that is none.
    pub(super) broken: bool,
}

/// What a text states.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) authority: Vec<Entry>,
    pub(super) centres: Vec<Entry>,
    /// Entries outside any section, before the closing words.
    pub(super) loose: Vec<Entry>,
    pub(super) authority_heading: bool,
    pub(super) centre_heading: bool,
    /// Lines of the form's example that nobody replaced.
    pub(super) templates: Vec<usize>,
    /// Addresses in notes and sentences that name a tenant.
    pub(super) strays: Vec<usize>,
    /// Lines marked 誤 and 正, 旧 and 新.
    pub(super) corrective: bool,
    /// Lines that belong to no signature, for judging what the sender asks.
    pub(super) words: Vec<String>,
}

impl Form {
    /// Does it state any address?
    pub(super) fn has_data(&self) -> bool {
        self.authority.iter().chain(&self.centres).any(|e| e.address.is_some() || e.broken)
    }
}

pattern!(
    CLOSING,
    r"^(?:以上|何卒|どうぞ|[御ご](?:査収|確認)|よろしく|宜しく|お忙しい|お手数|取り急ぎ|とりいそぎ)|(?:よろしく|宜しく)お(?:願い|ねがい)|お願い(?:いたし|致し|申し|し)"
);
pattern!(PROSE, r"(?:。|です|ます|ません|ました|でした|ください|下さい|ですか|御中|様)$");
pattern!(NOTE, r"^(?:※|\*|注[:意1-9 ]|\(注|\(※|なお|備考|\(備考)");
pattern!(
    CONTACT,
    r"(?i)^\(?(?:担当|tel|電話|fax|ファ|〒|住所|所在|内線|携帯|直通|氏名|責任者|℡|hp|url|http)|[0-9]{2,5}-[0-9]{1,4}-[0-9]{3,4}"
);
pattern!(
    PERSON,
    r"^(?:主事|主任|主査|係長|課長|技師|担当|主幹|副主幹|参事|保健師|室長|班長|次長|部長|事務|専門員|補佐|技術|主席|統括|会計年度)[^:]{0,8}[ :]"
);
pattern!(REGION, r"(?:地域|圏域|圏|管内|地区|ブロック|エリア|方面|管轄)\)?$");
pattern!(WRONG, r"^[\[【(<]?(?:誤り?|旧|変更前|訂正前|修正前)[\]】)>]?\s*(?:[:)】>]|\s)|^[×✕✖]\s*");
pattern!(
    RIGHT,
    r"^[\[【(<]?(?:正|新|変更後|訂正後|修正後)[\]】)>]?\s*(?::|\s)\s*|^[\[【(<](?:正|新|変更後|訂正後|修正後)[\]】)>]"
);
pattern!(COLUMNS, r"(?:誤|旧|変更前|訂正前|修正前).{0,12}(?:正|新|変更後|訂正後|修正後)");
pattern!(CHOSEN, r"(?:→|⇒|正しくは|正|新|変更後|訂正後|修正後)\s*[:)】]?\s*[(<]?$");
pattern!(PENDING, r"(?:後日|未定|調整中|確認中|追って|検討中|準備中|作成中|取得中|申請中|同上)");
pattern!(DITTO, r"^(?:同上|〃|々|同|″|//|同じ)$");

/// Walks over `lines`. `known` are addresses that are no data wherever they stand outside a section: the sender's own,
/// ours, the ministry's. `quoted_headings`: headings in quoted lines open a section for the own lines below them.
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
    };
    let own_headings =
        lines.iter().any(|l| l.depth == depth && sections::heading(&l.text, &rules.registration).is_some());
    for (index, line) in lines.iter().enumerate() {
        if line.text.is_empty() {
            continue;
        }
        if line.depth > depth {
            if !own_headings && let Some((section, _)) = sections::heading(&line.text, &rules.registration) {
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
        if first && walker.has_entries() && signature(lines.get(index..).unwrap_or_default()) {
            walker.close();
            (walker.state, walker.signed) = (State::Tail, true);
        }
        walker.line(line);
    }
    walker.close();
    walker.form
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Before,
    In(Section),
    /// After the closing words or a ruled line: signature, unless a heading opens a section again.
    Tail,
    /// After the signature mark.
    Signature,
}

struct Walker<'r> {
    rules: &'r Rules,
    known: &'r [MailAddress],
    form: Form,
    state: State,
    /// A name that waits for its address, and its line.
    pending: Option<(String, usize)>,
    /// Of several addresses in a row of a table of corrections, which is right.
    right: Option<usize>,
    /// Outside sections: the health centre the line before names.
    candidate: Option<String>,
    /// After the closing words: the signature has begun.
    signed: bool,
}

impl Walker<'_> {
    fn has_entries(&self) -> bool {
        !self.form.authority.is_empty() || !self.form.centres.is_empty()
    }

    fn open(&mut self, section: Section) {
        self.close();
        self.heading(section);
        self.state = State::In(section);
    }

    fn heading(&mut self, section: Section) {
        match section {
            Section::Authority => self.form.authority_heading = true,
            Section::Centres => self.form.centre_heading = true,
        }
    }

    /// Ends what is open: a name still waiting is a tenant without address.
    fn close(&mut self) {
        if let Some((name, line)) = self.pending.take()
            && entry::is_body_name(&name)
        {
            self.push(Entry { name, line, ..Entry::default() });
        }
    }

    fn push(&mut self, entry: Entry) {
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
        if is_rule(&line.text) {
            self.signed |= self.state == State::Tail;
            if self.has_entries() {
                self.close();
                (self.state, self.signed) = (State::Tail, true);
            }
            return;
        }
        if let Some((section, rest)) = sections::heading(&line.text, &self.rules.registration) {
            let same = self.state == State::In(section);
            if !(same && self.pending.is_some() && rest.is_empty()) {
                self.open(section);
            }
            if !rest.is_empty() {
                self.content(rest, line.number);
            }
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
        if matches(&COLUMNS, &line.text) && !line.text.contains('@') {
            self.form.corrective = true;
            self.right = Some(1);
            return;
        }
        if !line.text.contains('@') {
            let prose = matches(&PROSE, &line.text);
            self.signed |= self.state == State::Tail && matches(&CONTACT, &line.text);
            if self.state == State::Before || (prose && !self.signed) {
                self.form.words.push(line.text.clone());
            }
            let name = entry::name(&line.text);
            self.candidate = (!prose && entry::is_centre_name(&name)).then_some(name);
            if self.state == State::Before && !self.form.loose.is_empty() && matches(&CLOSING, &line.text) {
                self.state = State::Tail;
            }
            return;
        }
        let Some(stated) = self.correct(&line.text) else { return };
        let foreign = stated.addresses.iter().any(|a| !self.knows(a)) || stated.broken;
        if !foreign || matches(&CONTACT, &line.text) {
            return;
        }
        let candidate = self.candidate.take();
        if self.state == State::Before {
            let mut entry = make(stated, line.number);
            if !entry::is_body_name(&entry.name)
                && let Some(name) = candidate
            {
                entry.name = name;
            }
            if self.is_template(&line.text, &entry) {
                self.form.templates.push(line.number);
            } else {
                self.form.loose.push(entry);
            }
        } else if matches(&PROSE, &line.text) || entry::is_centre_name(&stated.name) {
            self.form.strays.push(line.number);
        }
    }

    fn knows(&self, address: &MailAddress) -> bool {
        self.known.iter().any(|k| k.same_mailbox(address))
    }

    /// A line of a section, or what stands behind its heading.
    fn content(&mut self, text: &str, number: usize) {
        if matches(&COLUMNS, text) && !text.contains('@') {
            self.form.corrective = true;
            self.right = Some(1);
            return;
        }
        let Some(stated) = self.correct(text) else { return };
        if stated.addresses.is_empty() && !stated.broken {
            self.without_address(text, stated, number);
            return;
        }
        if matches(&NOTE, text) {
            if stated.addresses.iter().any(|a| !self.knows(a)) {
                self.form.strays.push(number);
            }
            return;
        }
        let mut entry = make(stated, number);
        if self.is_template(text, &entry) {
            self.form.templates.push(number);
            self.pending = None;
            return;
        }
        if matches(&CONTACT, text) && !entry::is_centre_name(&entry.name) {
            entry.name.clear();
        }
        if DITTO.as_ref().is_some_and(|d| d.is_match(&entry.name)) {
            entry.name.clear();
        }
        self.take(entry);
    }

    /// An entry with an address: joins the waiting name, or the entry before it, or stands alone.
    fn take(&mut self, mut entry: Entry) {
        if let Some((name, line)) = self.pending.take() {
            if entry.name.is_empty() || !entry::is_body_name(&entry.name) {
                entry.broken |= !entry.name.is_empty() && name.chars().any(|c| c.is_ascii_alphabetic());
                (entry.name, entry.line) = (name, line);
            } else if !is_region(&name) {
                self.pending = Some((name, line));
                self.close();
            }
        } else if let Some(last) = self.last() {
            let same = entry.name.is_empty() || entry.name == last.name;
            if same && last.line + 3 >= entry.line {
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
        if matches(&CLOSING, text) {
            self.form.words.push(text.to_owned());
            self.close();
            self.state = State::Tail;
        } else if matches(&NOTE, text) {
            self.form.words.push(text.to_owned());
        } else if matches(&CONTACT, text) && !entry::is_centre_name(&stated.name) {
        } else if matches(&PENDING, text) && entry::is_centre_name(&stated.name) || text.contains("同上") {
            self.close();
            let name = PENDING.as_ref().and_then(|p| p.split(&stated.name).next()).unwrap_or_default();
            self.push(Entry { name: entry::name(name), line: number, ..Entry::default() });
        } else if matches(&PROSE, text) {
            self.form.words.push(text.to_owned());
            self.close();
            self.state = State::Before;
        } else if !is_region(text) && !stated.name.is_empty() {
            if self.is_placeholder(&stated.name) {
                self.form.templates.push(number);
                return;
            }
            self.close();
            self.pending = Some((stated.name, number));
        }
    }

    /// Reads a line with regard to 誤 and 正: `None` for a line that states what is wrong.
    fn correct(&mut self, text: &str) -> Option<Stated> {
        let bare = text.trim_start_matches(['・', ' ', '-', '*', '■', '●']);
        let right = RIGHT.as_ref().and_then(|r| r.find(bare));
        if matches(&WRONG, bare) && bare.matches('@').count() < 2 {
            self.form.corrective = true;
            return None;
        }
        let marked = right.is_some();
        self.form.corrective |= marked;
        let text = right.map_or(text, |found| bare.get(found.end()..).unwrap_or_default());
        let mut stated = entry::read(text);
        if stated.addresses.len() > 1 {
            let chosen = self.right.filter(|_| stated.addresses.len() == 2).or_else(|| {
                stated
                    .at
                    .iter()
                    .skip(1)
                    .position(|at| matches(&CHOSEN, text.get(..*at).unwrap_or_default()))
                    .map(|i| i + 1)
            });
            if let Some(index) = chosen {
                self.form.corrective = true;
                stated.addresses = stated.addresses.get(index..=index).unwrap_or_default().to_vec();
                stated.name = entry::name(stated.name.trim_end_matches(['(', '誤', '旧', ':', ' ', '前', '更', '変']));
            }
        }
        Some(stated)
    }

    fn is_placeholder(&self, name: &str) -> bool {
        let squeezed: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        self.rules.registration.placeholder_names.contains(&squeezed)
    }

    /// A line of the form's example: `〇〇市 xxxxx@xxxx.xx.xx`.
    fn is_template(&self, text: &str, entry: &Entry) -> bool {
        let crosses = |a: &MailAddress| a.as_str().chars().all(|c| matches!(c, 'x' | 'X' | '@' | '.' | '*' | '-'));
        let circle = text.chars().any(|c| matches!(c, '〇' | '○' | '◯' | '□' | '△' | '●'));
        let named: String = text.split([':', ' ', '\t']).next().unwrap_or_default().to_owned();
        entry.address.as_ref().is_some_and(crosses)
            || (circle && self.is_placeholder(&named) && self.is_placeholder(&named))
    }
}

fn make(stated: Stated, line: usize) -> Entry {
    let mut addresses = stated.addresses.into_iter();
    Entry { name: stated.name, address: addresses.next(), others: addresses.collect(), line, broken: stated.broken }
}

/// A ruled line: five signs or more and no letters.
fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.chars().count() >= 5 && !text.chars().any(|c| c.is_alphanumeric() && !matches!(c, 'ー' | '一'))
}

/// A line that parts a list by region and names nobody: `【県北地域】`.
fn is_region(text: &str) -> bool {
    matches(&REGION, text) || sections::bracketed(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Does a signature without any mark begin here? The paragraph has a telephone, a postal code or a person's title, and
/// its first line names no health centre as such.
fn signature(lines: &[&Line<'_>]) -> bool {
    let paragraph: Vec<_> = lines.iter().take_while(|l| !l.text.is_empty() && l.depth == 0).take(10).collect();
    let Some(first) = paragraph.first() else { return false };
    let name = first.text.as_str();
    let tenant = ["保健所", "センター", "事務所", "支所"].iter().any(|end| name.trim_end_matches(')').ends_with(end));
    let signs = paragraph.iter().skip(1).any(|l| matches(&CONTACT, &l.text) || matches(&PERSON, &l.text));
    signs
        && !tenant
        && !name.contains('@')
        && name.split(':').next().is_some_and(|n| entry::is_body_name(n) || matches(&PERSON, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let all =
            [&CLOSING, &PROSE, &NOTE, &CONTACT, &PERSON, &REGION, &WRONG, &RIGHT, &COLUMNS, &CHOSEN, &PENDING, &DITTO];
        assert!(all.iter().all(|p| p.is_some()));
    }

    #[test]
    fn ruled_lines() {
        assert!(is_rule("----------") && is_rule("☆*:;;;;;:*☆") && is_rule("――――――――"));
        assert!(!is_rule("--- a ---") && !is_rule("---"));
    }
}
