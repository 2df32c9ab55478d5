//! What the engine of a test is given: the rules of some files, the templates as delivered, and the addresses of the seed.
//! Each world changes what it is about.

use annai::domain::Secret;
use annai::engine::{Post, Setup};
use annai::letters::{Desk, TemplateFiles, Templates, ZipMethod};
use annai::rules::{RuleFiles, Rules};
use std::sync::Arc;

pub(crate) fn desk() -> Desk {
    Desk {
        contractor_name: "委託事業者".to_owned(),
        contractor: "covid19@bigtreetc.com".parse().unwrap(),
        ministry: "follow-up@mhlw.go.jp".parse().unwrap(),
        from: "noreply@followup.mhlw.go.jp".parse().unwrap(),
    }
}

pub(crate) fn setup(files: &RuleFiles) -> Setup {
    let desk = desk();
    Setup {
        rules: Arc::new(Rules::parse(files).unwrap()),
        templates: Arc::new(Templates::parse(&TemplateFiles::embedded(), &desk).unwrap()),
        post: Post {
            from: desk.from,
            contractor: desk.contractor,
            ministry: desk.ministry,
            bounce: "bounce@followup.mhlw.go.jp".parse().unwrap(),
            pickup_url: "https://pickup.example.jp".to_owned(),
            gate_url: None,
            unzip_password: Secret::new("kikokuFU2020".to_owned()),
            zip_method: ZipMethod::ZipCrypto,
        },
    }
}
