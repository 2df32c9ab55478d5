//! Passwords from people: typed unseen at a terminal, or the first line of standard input. Never from an argument, which
//! every user of the machine can read.

use super::{Cli, CliError};
use crate::daemon::control::Signature;
use crate::domain::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::io::{self, BufRead, Read, Write};

/// Longest line read, in bytes.
const LINE_BYTES_MAX: u64 = 1024;

/// The account named by `--as`, with its password.
pub(super) fn signature(cli: &Cli) -> Result<Option<Signature>, CliError> {
    let Some(name) = &cli.account else { return Ok(None) };
    let password = read(&format!("{name} のパスワード: "))?;
    Ok(Some(Signature { name: name.clone(), password: password.reveal().clone() }))
}

/// A new password, typed twice at a terminal.
pub(super) fn new_password(name: &str) -> Result<Secret<String>, CliError> {
    let first = read(&format!("{name} の新しいパスワード: "))?;
    if isatty(io::stdin()) && read("もう一度: ")?.reveal() != first.reveal() {
        return Err(CliError::Usage("the two passwords differ; type them again".to_owned()));
    }
    Ok(first)
}

fn read(prompt: &str) -> Result<Secret<String>, CliError> {
    let stdin = io::stdin();
    let before = if isatty(&stdin) { hide(prompt)? } else { None };
    let mut line = String::new();
    let outcome = stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line);
    if let Some(before) = before {
        let _shown = tcsetattr(&stdin, OptionalActions::Now, &before);
        let _line_end = writeln!(io::stderr());
    }
    outcome.map_err(|fault| CliError::Usage(format!("no password could be read ({fault}); type it again")))?;
    let typed = line.trim_end_matches(['\r', '\n']).to_owned();
    if typed.is_empty() {
        return Err(CliError::Usage("a password is needed: type it, or give it on standard input".to_owned()));
    }
    Ok(Secret::new(typed))
}

/// Prompts and switches the echo off; what the terminal was set to before.
fn hide(prompt: &str) -> Result<Option<Termios>, CliError> {
    write!(io::stderr(), "{prompt}")?;
    let unhidden = |fault: io::Error| {
        CliError::Failed(format!(
            "this terminal cannot hide what is typed ({fault}); give the password on standard input"
        ))
    };
    let before = tcgetattr(io::stdin()).map_err(|fault| unhidden(fault.into()))?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(|fault| unhidden(fault.into()))?;
    Ok(Some(before))
}
