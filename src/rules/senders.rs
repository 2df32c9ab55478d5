//! `rules/senders.toml`: whose mail is taken without a second look (research R9), and which domains need old encodings.

/// Trust policy and per-domain delivery settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRules {
    /// Domains where anybody can open a mailbox; an address there is never taken unseen.
    pub free_mail: Vec<String>,
    /// Take a registration only if the ministry stands in To or Cc.
    pub ministry_in_cc_required: bool,
    /// Receiving domains whose letters are written in ISO-2022-JP; a suffix matches (`example.jp` also `x.example.jp`).
    pub iso_2022_jp: Vec<String>,
}
