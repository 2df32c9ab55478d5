//! Characters that make a text seem to be another: they come out of mails and are shown nowhere.

/// Does it turn the direction of writing (UAX #9), put a note between the lines, or hide letters of its own (tags)?
pub fn misleads(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Takes no room and is no part of a letter: blanks without width, joiners, soft hyphens, what [`misleads`].
pub fn is_invisible(c: char) -> bool {
    misleads(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_kept() {
        for c in "港區鳥取あｱ、。Aé−\u{3000}\u{fe0f}\u{e0100}\u{301}".chars() {
            assert!(!misleads(c) && !is_invisible(c), "{c:?}");
        }
        for c in ['\u{61c}', '\u{202e}', '\u{206a}', '\u{fff9}', '\u{e0041}'] {
            assert!(misleads(c) && is_invisible(c), "{c:?}");
        }
        assert!(is_invisible('\u{200b}') && !misleads('\u{200b}'));
    }
}
