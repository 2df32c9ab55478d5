//! Follows the CA directory while the daemon runs: what was adopted, a new list of the root, a restored file counts within
//! seconds. The engine looks by itself; this only calls it.

use super::Daemon;
use crate::engine::Engine;
use crate::engine::thread::Stopped;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks, in real time.
const KEYS_PERIOD: Duration = Duration::from_secs(5);

impl Daemon {
    /// Looks until told to end.
    pub(super) async fn follow_keys(&self, mut told: watch::Receiver<bool>) -> Result<(), Stopped> {
        loop {
            self.look_at_keys().await?;
            if tokio::time::timeout(KEYS_PERIOD, told.wait_for(|now| *now)).await.is_ok() {
                return Ok(());
            }
        }
    }

    /// Looks into the CA directory now.
    pub async fn look_at_keys(&self) -> Result<(), Stopped> {
        match self.handle.call(Engine::look_at_keys).await? {
            Ok(true) => tracing::info!("the CA directory has changed and was read again"),
            Ok(false) => {}
            Err(fault) => tracing::error!(%fault, "the CA directory could not be followed"),
        }
        Ok(())
    }
}
