//! Any bytes are a mail: reading never panics, is a function, and nothing it understood holds a control character.
#![no_main]

use annai::reading::{limits, read};
use annai::rules::Rules;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::embedded().expect("the rules as delivered are in order"));

fuzz_target!(|raw: &[u8]| {
    let reading = read(raw, &RULES);
    assert_eq!(reading, read(raw, &RULES));
    let names = reading.centres.iter().map(|c| &c.name).chain(reading.authority.iter().map(|a| &a.name));
    let head = &reading.head;
    let shown = names.chain(&head.subject).chain(&head.from_name).chain(&head.message_id).chain(&reading.attachments);
    for text in shown {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    assert!(!reading.body.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
    assert!(reading.attachments.len() <= limits::PARTS_MAX && reading.centres.len() <= limits::LINES_MAX);
    let lines = reading.body.split('\n').count();
    let stated = reading.centres.iter().filter_map(|c| c.line).chain(reading.warnings.iter().filter_map(|w| w.line));
    // Data may stand in a mail inside, whose lines are its own.
    assert!(stated.clone().all(|line| line >= 1) && (lines > 0));
});
