//! Layer 4: `annai demo`, the whole flow on one machine in about two minutes. A post office on loopback, the real daemon
//! with a fast clock, and municipalities of every mood that write in (`story.toml`). Nothing leaves this machine.
//!
//! What the daemon does is real: IMAP, reading, steps, letters, SMTP, reminders, expiry, certificates. What people do is
//! played, and said to be: officers take their certificates over the real pages, staff decide. One tenant is kept for
//! whoever watches; while the visitor takes that certificate, the story's clock stands still.
//!
//! | file | what |
//! |---|---|
//! | `story` | who writes, what goes wrong, who picks up when (data) |
//! | `mail` | its mails as bytes |
//! | `stage` | directory, post office, daemon |
//! | `director` | plays the people |
//! | `officer` | one officer at the real pages |
//! | `people` | the two who decide what needs two |
//! | `scene` | what there is to see at one moment |
//! | `terminal` | the progress view |
//! | `viewer`, `tableau` | the page: routes, and the scene in its words |

mod director;
mod mail;
mod officer;
pub mod people;
mod scene;
mod stage;
mod story;
mod tableau;
mod terminal;
mod viewer;

use crate::config::FileError;
use crate::crypto::KeyError;
use crate::daemon::DaemonError;
use crate::daemon::assembly::AssemblyError;
use crate::engine::EngineError;
use crate::engine::thread::Stopped;
use crate::sandbox::StartError;
use crate::store::StoreError;
use crate::web::door::DoorError;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How the demo is run.
#[derive(Debug, Clone)]
pub struct Options {
    pub seconds_per_day: f64,
    /// First port tried for the pages.
    pub port: u16,
    pub listen: IpAddr,
    /// Ends the story after so many days.
    pub days: Option<u32>,
    pub seed: u64,
    /// Keeps everything in this directory.
    pub keep: Option<PathBuf>,
    /// Ends by itself after the story.
    pub exit: bool,
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("{} holds an annai set-up already; give another directory to --keep", .0.display())]
    Taken(PathBuf),
    #[error("the demo's files cannot be written ({0}); look at the disk, or set TMPDIR to another directory")]
    Files(#[from] std::io::Error),
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    #[error("the story cannot be read ({0}); please report this")]
    Story(#[from] toml::de::Error),
    #[error(transparent)]
    Office(#[from] StartError),
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Runs the demo until Ctrl-C, or to its end with [`Options::exit`].
pub fn run(options: &Options) -> Result<(), DemoError> {
    let mut story = story::Story::load()?;
    if let Some(days) = options.days {
        story.end = story.end.min(story.start.plus(i64::from(days) * crate::domain::time::DAY));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stage = runtime.block_on(stage::build(options, &story))?;
    let outcome = runtime.block_on(play(&stage, Arc::new(story), options));
    // Connections hold handles of the engine; they end with the runtime, and the engine with them.
    runtime.shutdown_timeout(crate::web::door::GRACE);
    let stage::Stage { daemon, dir, .. } = stage;
    daemon.finish();
    drop(dir);
    outcome
}

async fn play(stage: &stage::Stage, story: Arc<story::Story>, options: &Options) -> Result<(), DemoError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (tell, told) = watch::channel(false);
    let watcher = scene::Watcher::new(stage, &story);
    let mut terminal = terminal::Terminal::new(stage, options);
    terminal.greet()?;
    let running = stage.daemon.run(told.clone());
    let viewing = stage.viewer.serve(viewer::router(Arc::clone(&watcher)), told.clone());
    let directing = async {
        director::Director::new(stage, Arc::clone(&story), Arc::clone(&watcher), options).run(&mut terminal).await?;
        if !options.exit {
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    tokio::pin!(running, viewing);
    let outcome = tokio::select! {
        ended = &mut running => return Ok(ended?),
        ended = &mut viewing => return Ok(ended?),
        ended = directing => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    let _told = tell.send(true);
    running.await?;
    viewing.await?;
    terminal::Terminal::farewell(&stage.dir.path, options.keep.is_some())?;
    outcome
}
