//! What stands in the store: the tables, their keys and the limits.
//!
//! All tables live in ONE sled tree, told apart by the first byte of the key. A batch on one tree is written to sled's log
//! between a manifest and its last entry, and recovery stops before a manifest whose end is missing: the batch is there
//! wholly or not at all (sled 0.34.7 `Tree::apply_batch` → `RecoveryGuard::seal_batch`, `LogIter` "torn batch"). Over
//! several trees only sled's transactions are atomic, and those may run twice.

/// Number of the format written here. A store with a greater number is left alone, one with a smaller is migrated.
pub const FORMAT: u32 = 1;

/// Longest key, in bytes, without the table.
pub const KEY_BYTES_MAX: usize = 256;

/// Longest value in a table that is not [`Table::large`], and longest piece of one that is.
///
/// sled moves a page of more than a quarter of a segment to a file of its own, which it never syncs: a power cut would
/// lose it. A page holds at most some 20 rows before it splits, so 20 × (32 KiB + key) must stay below 1 MiB, a quarter
/// of [`SEGMENT_BYTES`].
pub const VALUE_BYTES_MAX: usize = 32 * 1024;

/// Unit in which the file grows and is reused, in bytes.
pub(super) const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
const _: () = assert!(20 * (VALUE_BYTES_MAX + KEY_BYTES_MAX) < SEGMENT_BYTES / 4);

/// Longest value in a table that is [`Table::large`], in bytes; mails end at 25 MB.
pub const LARGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most bytes of keys and values in one batch: it is held in memory as a whole.
pub const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Rows of [`Table::Meta`] that belong to the store itself.
pub(super) const META_FORMAT: &[u8] = b"format";
pub(super) const META_HEAD: &[u8] = b"head";

macro_rules! tables {
    ($($(#[$doc:meta])+ $name:ident = $byte:literal, $word:literal;)+) => {
        /// The tables. Numbers in keys are big-endian, so that the order of the keys is the order of the numbers;
        /// "time" is a `Timestamp` as u64 seconds. What stands in the values is the engine's business, except where said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Table { $($(#[$doc])+ $name = $byte,)+ }

        impl Table {
            /// Every table, in the order of the file.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// First byte of the table's keys. Never reused, never changed.
            pub const fn byte(self) -> u8 {
                self as u8
            }

            /// The table's name in messages and counts.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

tables! {
    /// name → one value: `counters`, `mailbox`, `key-check`, and the store's own rows `format` (u32) and `head` (u64, digest).
    Meta = 1, "meta";
    /// local government code (6 bytes) → roster: an authority and its health centres with the states of their machines. The
    /// tenant directory. Large.
    Roster = 2, "roster";
    /// time, local government code → nothing: when which roster wants to be woken (I8).
    Wake = 5, "wake";
    /// mail number u64 → inbox item with its disposition.
    Inbox = 6, "inbox";
    /// mail number u64 → raw bytes of the mail as received. Large.
    Raw = 7, "raw";
    /// SHA-256 of the raw bytes → mail number: duplicates (I1).
    ByDigest = 8, "by-digest";
    /// SHA-256 of the Message-ID → mail number.
    ByMessageId = 9, "by-message-id";
    /// matter number u64 → what a person must know or decide.
    Review = 10, "review";
    /// row number u64 → outbox row: state, attempts, replies.
    Outbox = 11, "outbox";
    /// row number u64 → final bytes of the message, sealed if they carry a secret. Large.
    Content = 12, "content";
    /// time, row number u64 → nothing: which rows are due when.
    Due = 13, "due";
    /// what a letter is about, letter, ordinal (text) → row number: none twice (I3).
    Letter = 14, "letter";
    /// keyed tag of a pick-up code → tenant and generation (I9: never the code).
    Grant = 15, "grant";
    /// name, day → count: automatic answers per sender and day.
    Tally = 16, "tally";
    /// `domain/NAME` → the authorities it is known for: who approved it, when, by which mail; `authority/CODE/NAME` →
    /// nothing: the same from the other side.
    Domain = 17, "domain";
    /// serial number of a certificate → who holds it and its state.
    Certificate = 18, "certificate";
    /// u64 from 1 → digest, then the entry's bytes. Written by [`super::Batch::journal`] only. Large.
    Journal = 30, "journal";
    /// Pieces of large values: table, key, u32 → bytes. Written by the store only.
    Part = 31, "part";
    /// tenant/generation (text) → wrong passwords, lock, sessions and who took the certificate.
    Handover = 40, "handover";
    /// time, serial number (16 bytes), profile → a PKCS#12 file, sealed; deleted at that time.
    KeyFile = 41, "key-file";
    /// id of an issuing CA → what its revocation list says; the same with `.der` → the list as signed. Large.
    Crl = 42, "crl";
    /// tenant (text) → user id and password for the real system as given by staff, sealed.
    Imported = 43, "imported";
    /// name → account of a person: role, password hash.
    Account = 44, "account";
    /// SHA-256 of a session's token → whose it is. Never the token (I9).
    Session = 45, "session";
    /// request number u64 → what one person asked for and another decides.
    Ask = 46, "ask";
    /// wave number u64 → wave: letters that leave together.
    Wave = 47, "wave";
    /// wave number u64 (0: of no wave yet), row number u64 → where that letter stands in the wave.
    WaveRow = 48, "wave-row";
    /// job number u64 → one verb for many and how far it is; the same, 1, chunk u32 → its targets; the same, 2, place u32 →
    /// one that was refused.
    Job = 49, "job";
}

impl Table {
    /// Whether values may be longer than [`VALUE_BYTES_MAX`]; they are then kept in pieces.
    pub const fn large(self) -> bool {
        matches!(self, Self::Roster | Self::Raw | Self::Content | Self::Journal | Self::Crl)
    }

    /// Whether a row once written is never written again: there is no old value whose pieces would have to go.
    pub(super) const fn written_once(self) -> bool {
        matches!(self, Self::Journal)
    }

    /// Whether only the store itself writes there.
    pub const fn reserved(self) -> bool {
        matches!(self, Self::Journal | Self::Part)
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.byte() == byte)
    }

    /// Table and key as one key of the tree.
    pub(super) fn row(self, key: &[u8]) -> Vec<u8> {
        [&[self.byte()], key].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_apart() {
        for (table, next) in Table::ALL.iter().zip(&Table::ALL[1..]) {
            assert!(table.byte() < next.byte(), "{table:?}");
            assert_eq!(Table::from_byte(table.byte()), Some(*table));
        }
    }
}
