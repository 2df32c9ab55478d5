//! Any text is a rules file: it is taken, or every fault names its file and line and what to do. The first byte chooses
//! which file it takes the place of.
#![no_main]

use annai::rules::{RuleFiles, Rules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut files = RuleFiles::embedded();
    let names: Vec<String> = files.0.keys().cloned().collect();
    let name = &names[usize::from(*choice) % names.len()];
    files.0.insert(name.clone(), text.to_owned());
    if let Err(faults) = Rules::parse(&files) {
        assert!(!faults.is_empty());
        for fault in &faults {
            let shown = fault.to_string();
            let (place, what) = shown.split_once(": ").expect("file:line: what");
            assert!(place.contains(".toml:") || place.contains(".csv:"), "{shown}");
            assert!(what.len() > 5, "{shown}");
        }
    }
});
