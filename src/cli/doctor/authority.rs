//! Whether certificates can be issued: the CA directory opens, its CA has time left, the root's key is elsewhere.

use super::{Finding, fault};
use crate::config::Config;
use crate::crypto::MasterKey;
use crate::daemon::assembly;
use crate::domain::Timestamp;
use crate::pki::dir;

/// An issuing CA should be followed by another so many days before its end at the latest, besides a leaf's life.
const DAYS_LEFT_MIN: i64 = 90;

pub(super) fn check(config: &Config, now: Timestamp, out: &mut Vec<Finding>) {
    // A master key that cannot be read was told already.
    let Some(keys) = config.keys.master_key_path().ok().and_then(|path| MasterKey::load(&path).ok()) else { return };
    let authority = match assembly::authority(config, &keys) {
        Err(e) => return out.push(fault(&format!("CA: {e}"))),
        Ok(None) => {
            let what = format!("CA: there is none in {}; nothing can be issued", config.keys.ca_dir.display());
            return out.push(Finding::warn(what, "make one: annai ca init"));
        }
        Ok(Some(authority)) => authority,
    };
    let Some(active) = authority.active() else { return };
    let days = active.not_after.date().days_since(now.date());
    let leaf = i64::from(config.ca.leaf.days);
    let what = format!("CA {}: valid until {}", active.id, active.not_after.date());
    out.push(match authority.validity(now) {
        Err(e) => fault(&format!("{what}; {e}")),
        Ok(_) if days < DAYS_LEFT_MIN => Finding::warn(what, "begin a new one: annai ca rotate"),
        Ok(_) if days < leaf => Finding::warn(
            format!("{what}: certificates issued now end with it, before their {leaf} days"),
            "begin a new one: annai ca rotate",
        ),
        Ok(_) => Finding::ok(what),
    });
    if dir::root_key_is_here(&config.keys.ca_dir) {
        out.push(Finding::warn(
            "CA: the root's key still lies on this machine",
            "move root.key out of the CA directory to an offline medium",
        ));
    }
}
