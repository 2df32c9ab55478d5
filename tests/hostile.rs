//! Malformed and hostile mails (`tests/hostile/mails.rs` and `tricks.rs`), read by the real reading and filed by the real
//! engine. The seed comes from `ANNAI_TEST_SEED`, else it is fixed; it is printed. `ANNAI_HOSTILE_OUT=DIR` writes them all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "support/dice.rs"]
mod dice;
#[path = "hostile/limits.rs"]
mod limits;
#[path = "hostile/mails.rs"]
mod mails;
#[path = "hostile/read.rs"]
mod read;
#[path = "hostile/tricks.rs"]
mod tricks;
#[path = "hostile/worst.rs"]
mod worst;

#[cfg(feature = "daemon")]
#[path = "hostile/edges.rs"]
mod edges;
#[cfg(feature = "daemon")]
#[expect(dead_code, reason = "every test binary uses another part of it")]
#[path = "support/place.rs"]
mod place;

use annai::rules::Rules;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::embedded().expect("the rules as delivered are in order"));

fn seed() -> u64 {
    dice::seed(Some(20_200_427))
}
