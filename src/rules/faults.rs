//! Faults of one rules file, gathered rather than thrown, with byte offsets turned into line numbers.

use super::RuleError;

/// The faults found so far in one file.
#[derive(Debug)]
pub(super) struct Faults {
    file: String,
    /// Byte offset at which each line begins.
    line_starts: Vec<usize>,
    list: Vec<RuleError>,
}

impl Faults {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { file: file.to_owned(), line_starts, list: Vec::new() }
    }

    /// Notes a fault at this byte offset.
    pub(super) fn add(&mut self, at: usize, fault: impl Into<String>, remedy: impl Into<String>) {
        let line = self.line(at);
        self.list.push(RuleError { file: self.file.clone(), line, fault: fault.into(), remedy: remedy.into() });
    }

    /// The line, from 1, in which this byte stands.
    pub(super) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at).max(1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All faults in the order of their lines.
    pub(super) fn into_list(mut self) -> Vec<RuleError> {
        self.list.sort_by_key(|fault| fault.line);
        self.list
    }
}
