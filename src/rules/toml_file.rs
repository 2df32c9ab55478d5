//! One TOML rules file, read table by table and key by key, so that every fault of it is found in one pass.
//!
//! A getter always returns a value: the one in the file, or (after noting a fault) a stand-in. Stand-ins never get out,
//! because [`super::Rules::parse`] gives no rules where there is a fault.

use super::RuleError;
use super::faults::Faults;
use crate::domain::Date;
use crate::domain::time::TimeOfDay;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file being read.
#[derive(Debug)]
pub(super) struct TomlFile<'t> {
    root: DeTable<'t>,
    /// Lines that are no TOML at all; what seems to be missing besides may just not have been understood.
    broken: Vec<RuleError>,
    faults: Faults,
    tables: Vec<&'static str>,
}

/// A table `[name]` of it. A table that is not there reads as an empty one.
#[derive(Debug)]
pub(super) struct Section<'f, 't> {
    name: &'static str,
    at: usize,
    table: DeTable<'t>,
    keys: Vec<&'static str>,
    faults: &'f mut Faults,
    broken: bool,
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) at: usize,
}

impl<'t> TomlFile<'t> {
    pub(super) fn open(name: &str, text: &'t str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut broken = Faults::new(name, text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let fault = format!("the line cannot be read: {}", error.message());
            broken.add(at, fault, "correct it, or set it back as delivered");
        }
        let mut broken = broken.into_list();
        broken.dedup_by_key(|fault| fault.line);
        Self { root: root.into_inner(), broken, faults: Faults::new(name, text), tables: Vec::new() }
    }

    /// Reads the table `[name]` with `read`, then notes the keys in it that nothing has asked for.
    pub(super) fn section<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'_, 't>) -> T) -> T {
        self.tables.push(name);
        let (at, table) = match self.root.remove(name).map(|value| (value.span().start, value.into_inner())) {
            None => (0, DeTable::new()),
            Some((at, DeValue::Table(table))) => (at, table),
            Some((at, other)) => {
                let fault = format!("{name} is {}, not a table", kind(&other));
                self.faults.add(at, fault, format!("write its keys under a line [{name}]"));
                (at, DeTable::new())
            }
        };
        let mut section =
            Section { name, at, table, keys: Vec::new(), faults: &mut self.faults, broken: !self.broken.is_empty() };
        let value = read(&mut section);
        let Section { table, keys, .. } = section;
        for key in table.keys() {
            let fault = format!("unknown key {} in [{name}]", key.get_ref());
            self.faults.add(key.span().start, fault, format!("known here: {}", keys.join(", ")));
        }
        value
    }

    /// Notes the tables nothing has asked for; all faults of the file.
    pub(super) fn close(mut self) -> Vec<RuleError> {
        for key in self.root.keys() {
            let fault = format!("unknown key {}", key.get_ref());
            self.faults.add(key.span().start, fault, format!("known tables: [{}]", self.tables.join("], [")));
        }
        let mut faults = self.faults.into_list();
        if !self.broken.is_empty() {
            // A value that could not be read stands in line 1 or where it was broken off: the line is named already.
            faults.retain(|fault| fault.line > 1 && self.broken.iter().all(|broken| broken.line != fault.line));
        }
        faults.extend(self.broken);
        faults.sort_by_key(|fault| fault.line);
        faults
    }
}

impl<'t> Section<'_, 't> {
    /// Notes a fault of this table at this byte offset.
    pub(super) fn fault(&mut self, at: usize, fault: impl Into<String>, remedy: impl Into<String>) {
        self.faults.add(at, fault, remedy);
    }

    /// Where the key's value stands; the table's own place if it is not there.
    pub(super) fn place(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.at, |value| value.span().start)
    }

    /// Whether the key is a list with something in it, or no list at all.
    pub(super) fn holds_any(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().as_array().is_none_or(|list| !list.is_empty()))
    }

    /// A whole number within `range`; `default` if the key is missing.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u32>, default: u32) -> u32 {
        let Some((at, value)) = self.take(key) else { return default };
        self.in_range(key, at, &value, &range).unwrap_or(default)
    }

    /// A list of whole numbers within `range`.
    pub(super) fn numbers(&mut self, key: &'static str, range: RangeInclusive<u32>, default: &[u32]) -> Vec<u32> {
        let Some(values) = self.list(key) else { return default.to_vec() };
        values.iter().filter_map(|(at, value)| self.in_range(key, *at, value, &range)).collect()
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some((_, DeValue::Boolean(flag))) => flag,
            Some((at, other)) => {
                self.wrong(key, at, &other, "true or false");
                default
            }
        }
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str, default: &str) -> Text {
        let at = self.place(key);
        let text = match self.take(key) {
            None => default.to_owned(),
            Some((_, DeValue::String(text))) => text.into_owned(),
            Some((at, other)) => {
                self.wrong(key, at, &other, "a text in quotation marks");
                default.to_owned()
            }
        };
        Text { text, at }
    }

    /// A list of texts, none of them blank. `None` if the key is missing.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Text>> {
        let values = self.list(key)?;
        let mut texts = Vec::with_capacity(values.len());
        for (at, value) in values {
            match value.as_str() {
                Some(text) if !text.trim().is_empty() => texts.push(Text { text: text.to_owned(), at }),
                Some(_) => self.fault(at, format!("{key} has an empty entry"), "fill it in or take it out"),
                None => self.wrong(key, at, &value, "texts in quotation marks"),
            }
        }
        Some(texts)
    }

    /// A list that must be there and hold at least one text.
    pub(super) fn some_texts(&mut self, key: &'static str) -> Vec<Text> {
        let at = self.place(key);
        let there = self.table.contains_key(key);
        let texts = self.texts(key).unwrap_or_default();
        if !there {
            self.missing(key);
        } else if texts.is_empty() {
            self.fault(at, format!("{key} is empty"), "give at least one");
        }
        texts
    }

    /// A list of tables in braces, each read with `read`; keys nothing has asked for are noted.
    pub(super) fn rows<T>(&mut self, key: &'static str, read: impl Fn(&mut Section<'_, 't>) -> T) -> Vec<T> {
        let mut rows = Vec::new();
        for (at, value) in self.list(key).unwrap_or_default() {
            let DeValue::Table(table) = value else {
                self.wrong(key, at, &value, "entries in braces, { … }");
                continue;
            };
            let mut row =
                Section { name: key, at, table, keys: Vec::new(), faults: &mut *self.faults, broken: self.broken };
            rows.push(read(&mut row));
            let Section { table, keys, .. } = row;
            for unknown in table.keys() {
                let fault = format!("unknown key {} in an entry of {key}", unknown.get_ref());
                self.faults.add(unknown.span().start, fault, format!("known here: {}", keys.join(", ")));
            }
        }
        rows
    }

    /// A day, as a TOML date (2020-05-01) or as a text ("2020-05-01"). `None` if the key is missing.
    pub(super) fn date(&mut self, key: &'static str) -> Option<Date> {
        let (at, value) = self.take(key)?;
        let written = value.as_datetime().filter(|moment| moment.time.is_none()).and_then(|moment| moment.date);
        let date = match written {
            Some(day) => Date::new(day.year.into(), day.month.into(), day.day.into()),
            None => value.as_str().and_then(|text| text.trim().parse().ok()),
        };
        if date.is_none() {
            self.fault(at, format!("{key} is no day of the calendar"), "write it like 2020-05-01");
        }
        date
    }

    /// A day that must be stated.
    pub(super) fn needed_date(&mut self, key: &'static str) -> Option<Date> {
        if !self.table.contains_key(key) {
            self.missing(key);
        }
        self.date(key)
    }

    /// A time of day, as a TOML time (09:00:00) or as a text ("09:00").
    pub(super) fn time_of_day(&mut self, key: &'static str, default: TimeOfDay) -> TimeOfDay {
        let Some((at, value)) = self.take(key) else { return default };
        let written = value.as_datetime().filter(|moment| moment.date.is_none()).and_then(|moment| moment.time);
        let time = match written {
            Some(time) => Some(TimeOfDay(u16::from(time.hour) * 60 + u16::from(time.minute))),
            None => value.as_str().and_then(|text| text.trim().parse().ok()),
        };
        if time.is_none() {
            self.fault(at, format!("{key} is no time of day"), "write it like \"09:00\", from \"00:00\" to \"23:59\"");
        }
        time.unwrap_or(default)
    }

    fn missing(&mut self, key: &str) {
        if !self.broken {
            let fault = format!("{key} is missing in [{}]", self.name);
            self.faults.add(self.at, fault, format!("add {key} = … under [{}]", self.name));
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(usize, DeValue<'t>)> {
        self.keys.push(key);
        let value = self.table.remove(key)?;
        Some((value.span().start, value.into_inner()))
    }

    fn list(&mut self, key: &'static str) -> Option<Vec<(usize, DeValue<'t>)>> {
        match self.take(key)? {
            (_, DeValue::Array(array)) => {
                Some(array.into_iter().map(|value: Spanned<_>| (value.span().start, value.into_inner())).collect())
            }
            (at, other) => {
                self.wrong(key, at, &other, "a list in square brackets");
                None
            }
        }
    }

    fn in_range(&mut self, key: &str, at: usize, value: &DeValue<'t>, range: &RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = value.as_integer() else {
            self.wrong(key, at, value, "a whole number");
            return None;
        };
        let parsed = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if parsed.is_none() {
            let remedy = format!("give {} to {}", range.start(), range.end());
            self.fault(at, format!("{key} is {number}"), remedy);
        }
        parsed
    }

    fn wrong(&mut self, key: &str, at: usize, value: &DeValue<'_>, wanted: &str) {
        self.fault(at, format!("{key} is {}", kind(value)), format!("give {wanted}"));
    }
}

/// What a value is, for a fault's sentence.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "a true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
