//! A value that must not be seen: pick-up codes, passwords, keys.

use std::fmt;
use zeroize::Zeroize;

/// Holds a secret. It cannot be serialised, its `Debug` says nothing, and its memory is overwritten when it is dropped.
/// The one way to the value is [`Secret::reveal`], so `grep reveal` lists every place where a secret is used.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Hand it on, never print it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_silent() {
        assert_eq!(format!("{:?}", Secret::new(String::from("k7m2"))), "<secret>");
    }
}
