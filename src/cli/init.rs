//! `annai init DIR`: a directory with everything a real set-up needs, ready to be filled in. Nothing that exists is
//! ever overwritten; if one file is in the way, nothing at all is written.

use super::args::InitArgs;
use super::{CliError, clean};
use crate::clock::Clock;
use crate::crypto::MasterKey;
use crate::letters::TemplateFiles;
use crate::pki::{Custody, LeafSettings};
use crate::rules::RuleFiles;
use crate::store::{self, Store};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The configuration as written, every setting explained.
const CONFIG_TEXT: &str = include_str!("annai.toml");
const PUBLIC_FILE: u32 = 0o644;
const SECRET_FILE: u32 = 0o600;
const PUBLIC_DIR: u32 = 0o755;
const SECRET_DIR: u32 = 0o700;

/// A file to write.
struct Target {
    path: PathBuf,
    text: String,
    mode: u32,
}

pub(super) fn run(args: &InitArgs, json: bool) -> Result<ExitCode, CliError> {
    let dir = &args.dir;
    let master = dir.join("secrets/master.key");
    let targets = targets(dir);
    let ca = ["root.crt", "root.key", "active"].map(|name| dir.join("ca").join(name));
    let state = dir.join("state");
    let all = || targets.iter().map(|t| &t.path).chain(&ca).chain([&master]);
    let in_the_way: Vec<String> =
        all().chain([&state]).filter(|p| p.symlink_metadata().is_ok()).map(|p| p.display().to_string()).collect();
    if !in_the_way.is_empty() {
        let told = in_the_way.iter().map(|path| {
            format!("{path} exists already and is never overwritten; give another directory, or move it away")
        });
        return Err(CliError::Failed(told.collect::<Vec<_>>().join("\n")));
    }
    for (name, mode) in [("", PUBLIC_DIR), ("rules", PUBLIC_DIR), ("secrets", SECRET_DIR), ("ca", SECRET_DIR)] {
        make_dir(&dir.join(name), mode)?;
    }
    for target in &targets {
        write(target)?;
    }
    let keys = MasterKey::generate_file(&master).map_err(|e| CliError::Failed(e.to_string()))?;
    let custody = Custody { master: &keys, second: None };
    let organisation = LeafSettings::default().organisation;
    crate::pki::dir::create(&dir.join("ca"), &custody, &organisation, Clock::System.now())?;
    // An empty state, so that a directory without one can be told to be mistyped.
    Store::open(&state, store::Options::default()).map_err(|e| CliError::Failed(e.to_string()))?;
    if json {
        let files: Vec<String> = all().map(|p| p.display().to_string()).collect();
        writeln!(io::stdout(), "{}", serde_json::json!({ "files": files }))?;
    } else {
        next_steps(dir)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn targets(dir: &Path) -> Vec<Target> {
    let public = |path: PathBuf, text: String| Target { path, text, mode: PUBLIC_FILE };
    let rules = RuleFiles::embedded().0.into_iter().map(|(name, text)| public(dir.join("rules").join(name), text));
    let mail = dir.join("templates/mail");
    let templates = TemplateFiles::embedded().0.into_iter().map(|(name, text)| public(mail.join(name), text));
    let unzip = format!("{}\n", crate::config::SEED_UNZIP_PASSWORD);
    let mut targets = vec![public(dir.join("annai.toml"), CONFIG_TEXT.to_owned())];
    targets.extend(rules.chain(templates));
    targets.push(Target { path: dir.join("secrets/unzip-password"), text: unzip, mode: SECRET_FILE });
    targets
}

/// Makes a directory and those above it; one that exists stays as it is.
fn make_dir(path: &Path, mode: u32) -> Result<(), CliError> {
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|e| cannot(path, &e))
}

fn write(target: &Target) -> Result<(), CliError> {
    let path = &target.path;
    if let Some(parent) = path.parent() {
        make_dir(parent, PUBLIC_DIR)?;
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(target.mode).open(path).map_err(|e| cannot(path, &e))?;
    file.write_all(target.text.as_bytes()).map_err(|e| cannot(path, &e))
}

fn cannot(path: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!("{} cannot be written ({error}); give a directory you may write to", path.display()))
}

fn next_steps(dir: &Path) -> Result<(), CliError> {
    let dir = clean(&dir.display().to_string());
    let config = format!("{dir}/annai.toml");
    writeln!(
        io::stdout(),
        "{dir} を用意しました。 / Ready.\n\n\
         次の手順 / Next steps:\n\
         1. {config} に接続先とアドレスを書く / servers and addresses\n\
         2. {dir}/secrets/imap-password にパスワードを書き、chmod 600 / the mailbox's password\n\
         3. {dir}/secrets/master.key の写しを別の場所に保管する / keep a copy of the master key elsewhere\n\
         4. {dir}/ca/root.key（認証局のルートの鍵）を別の媒体に移す / move the root's key to an offline medium\n\
         5. {dir}/rules/schedule.toml の日付を確かめる / check the dates\n\
         6. annai doctor --config {config}\n\
         7. annai serve --config {config}"
    )?;
    Ok(())
}
