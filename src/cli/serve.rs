//! `annai serve`: the daemon itself. SIGTERM and Ctrl-C let what is under way finish; SIGHUP reloads rules and templates
//! (a bad set is refused and the old one kept) and reads the CA directory. systemd is told when it is ready, reloading and stopping.

use super::args::ServeArgs;
use super::{Cli, CliError};
use crate::config::{Config, TestOverrides};
use crate::daemon::{Daemon, DaemonError, assembly};
use crate::telemetry;
use sd_notify::NotifyState;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) fn run(args: &ServeArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let config = cli.load_config()?;
    let overrides = TestOverrides::from_env(&config)?;
    telemetry::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let daemon = runtime.block_on(async { assembly::daemon(&config, overrides) })?;
    let (daemon, outcome) = if args.once {
        let outcome = runtime.block_on(once(&daemon, cli));
        (daemon, outcome)
    } else {
        let pages = assembly::pages(&config, daemon.clock.clone())?;
        let daemon = daemon.with_pages(pages);
        let outcome = runtime.block_on(serve(&daemon, &config));
        (daemon, outcome)
    };
    runtime.shutdown_background();
    daemon.finish();
    outcome
}

async fn once(daemon: &Daemon, cli: &Cli) -> Result<ExitCode, CliError> {
    let tally = daemon.once().await?;
    if cli.json {
        println!("{}", serde_json::json!({"filed": tally.filed, "truncated": tally.truncated, "marked": tally.marked}));
    } else {
        println!("{} mails filed, {} marked in the mailbox; nothing more is due now", tally.filed, tally.marked);
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(daemon: &Daemon, config: &Config) -> Result<ExitCode, CliError> {
    let (tell, told) = watch::channel(false);
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut reload = signal(SignalKind::hangup())?;
    let running = daemon.run(told);
    tokio::pin!(running);
    notify(&[NotifyState::Ready]);
    tracing::info!(state = %config.state_dir.display(), "annai is running");
    loop {
        tokio::select! {
            ended = &mut running => {
                notify(&[NotifyState::Stopping]);
                ended?;
                return Ok(ExitCode::SUCCESS);
            }
            _ = stop.recv() => end(&tell),
            _ = interrupt.recv() => end(&tell),
            _ = reload.recv() => self::reload(daemon, config).await,
        }
    }
}

fn end(tell: &watch::Sender<bool>) {
    tracing::info!("stopping: what is under way is finished first");
    notify(&[NotifyState::Stopping]);
    let _told = tell.send(true);
}

async fn reload(daemon: &Daemon, config: &Config) {
    notify(&[NotifyState::Reloading]);
    let trouble = match assembly::setup(config) {
        Ok(setup) => match daemon.reload(setup).await {
            Ok(()) => {
                tracing::info!("rules and templates reloaded");
                None
            }
            Err(fault) => Some(fault.to_string()),
        },
        Err(faults) => {
            tracing::error!(%faults, "rules and templates were not reloaded; the old ones stay in force");
            Some(faults.to_string())
        }
    };
    daemon.health.reloaded(trouble);
    if let Err(fault) = daemon.look_at_keys().await {
        tracing::error!(%fault, "the CA directory was not read");
    }
    notify(&[NotifyState::Ready]);
}

/// Without systemd there is nobody to tell.
fn notify(states: &[NotifyState<'_>]) {
    let _nobody = sd_notify::notify(false, states);
}

impl From<DaemonError> for CliError {
    fn from(fault: DaemonError) -> Self {
        Self::Failed(fault.to_string())
    }
}
