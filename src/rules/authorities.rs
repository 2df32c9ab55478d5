//! `rules/authorities.csv` and `rules/health_centres.csv`: the bodies that may register, and the health centres known.

use crate::domain::LgCode;

/// One body that runs health centres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub code: LgCode,
    /// Official name, 札幌市.
    pub name: String,
    /// 北海道; empty if the file does not say.
    pub prefecture: String,
    /// Host of its home page, city.sapporo.jp; empty if unknown.
    pub site: String,
    /// Names of its health centres as published, each with the names of offices that house it.
    pub centres: Vec<KnownCentre>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCentre {
    pub name: String,
    pub also: Vec<String>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Authorities {
    pub all: Vec<Authority>,
}
