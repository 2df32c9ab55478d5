//! The demo in the terminal: on a TTY one block that is drawn anew in its place, with the news scrolling above it; else
//! plain lines. The block keeps within 79 columns, for a wrapped line would spoil the redrawing. Widths are counted in columns, a Japanese character being two.

use super::Options;
use super::scene::{Bar, Happening, Scene, Who};
use super::stage::Stage;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Columns of the longest bar.
const BAR_COLUMNS: usize = 32;
/// Columns of the words before a bar.
const WORD_COLUMNS: usize = 12;
const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const BLUE: &str = "\x1b[34m";
const GREEN: &str = "\x1b[32m";
const MAGENTA: &str = "\x1b[35m";

pub(super) struct Terminal {
    live: bool,
    /// Lines of the block now on the screen.
    drawn: usize,
    urls: [(&'static str, &'static str, String); 4],
    exit: bool,
    seconds_per_day: f64,
}

impl Terminal {
    pub(super) fn new(stage: &Stage, options: &Options) -> Self {
        let urls = [
            ("担当者コンソール", "begin here: the staff console", format!("http://{}/", stage.console)),
            ("自治体の受信箱", "the story and every mailbox", format!("http://{}/", stage.viewer.address())),
            ("証明書取得ページ", "pick-up page", format!("http://{}/", stage.pickup)),
            ("端末の確認ページ", "terminal check", format!("https://{}/", stage.gate)),
        ];
        let live = io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { live, drawn: 0, urls, exit: options.exit, seconds_per_day: options.seconds_per_day }
    }

    pub(super) fn greet(&mut self) -> io::Result<()> {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "\n{}annai demo{}  自治体・保健所への証明書配布を、このコンピュータの中だけで再現します。\n\
             {}            The whole flow on this machine; nothing leaves it. One day takes {} s.{}\n",
            self.style(BOLD),
            self.style(RESET),
            self.style(DIM),
            self.seconds_per_day,
            self.style(RESET),
        );
        for (ja, en, url) in &self.urls {
            let _ = writeln!(text, "  {}{url}  {}({en}){}", pad(ja, 18), self.style(DIM), self.style(RESET));
        }
        let _ = writeln!(text);
        put(&text)
    }

    /// The news, and the block under them.
    pub(super) fn show(&mut self, scene: &Scene, news: &[Happening]) -> io::Result<()> {
        if !self.live {
            let lines: String = news.iter().map(|happening| self.line(happening)).collect();
            return put(&lines);
        }
        let mut text = self.rewind();
        for happening in news {
            text.push_str(&self.line(happening));
        }
        text.push_str(&self.block(scene));
        put(&text)
    }

    /// The last picture, which stays.
    pub(super) fn end(&mut self, scene: &Scene) -> io::Result<()> {
        let mut text = if self.live { self.rewind() } else { "\n".to_owned() };
        text.push_str(&self.block(scene));
        self.drawn = 0;
        let counts = &scene.counts;
        let _ = writeln!(
            text,
            "\n物語はここまでです。{}日間で、受信{}通、送信{}通、不達{}通。人の判断を待つもの{}件。",
            scene.day, counts.mails_in, counts.mails_out, counts.returned, counts.review
        );
        let _ = writeln!(
            text,
            "{}The story is over: {} days, {} mails in, {} letters out, {} returned, {} matters for staff.{}",
            self.style(DIM),
            scene.day,
            counts.mails_in,
            counts.mails_out,
            counts.returned,
            counts.review,
            self.style(RESET)
        );
        if !self.exit {
            let [(_, _, url), ..] = &self.urls;
            let _ = writeln!(
                text,
                "画面は開いたままです：{url}　終了は Ctrl-C\n{}The pages stay open; Ctrl-C ends.{}",
                self.style(DIM),
                self.style(RESET)
            );
        }
        put(&text)
    }

    pub(super) fn farewell(dir: &Path, kept: bool) -> io::Result<()> {
        if kept {
            put(&format!("\n状態を残しました / kept: {}\n", dir.display()))
        } else {
            put("\nデモのデータは削除しました。 / The demo's data is removed.\n")
        }
    }

    fn rewind(&mut self) -> String {
        let up = std::mem::take(&mut self.drawn);
        if up == 0 { String::new() } else { format!("\x1b[{up}A\x1b[J") }
    }

    fn line(&self, happening: &Happening) -> String {
        let colour = match happening.who {
            Who::Officer => GREEN,
            Who::Staff => MAGENTA,
            Who::Visitor => BOLD,
            Who::Annai => BLUE,
        };
        let (dim, reset) = (self.style(DIM), self.style(RESET));
        let at = happening.at.staff();
        let at = at.get(5..).unwrap_or(&at);
        let who = pad(happening.who.japanese(), 9);
        format!("{dim}{at}{reset}  {}{who}{reset} {}  {dim}{}{reset}\n", self.style(colour), happening.ja, happening.en)
    }

    fn block(&mut self, scene: &Scene) -> String {
        let (bold, dim, reset) = (self.style(BOLD), self.style(DIM), self.style(RESET));
        let mut text = String::new();
        let day = scene.day.min(scene.days);
        let _ = writeln!(text, "\n{bold}{}{reset}  {dim}day {day}/{}{reset}", scene.now.staff(), scene.days);
        let most = scene.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
        for Bar { ja, en, count } in scene.bars {
            let full = usize::try_from(count * BAR_COLUMNS as u64 / most).unwrap_or(0);
            let bar = format!("{}{}", "█".repeat(full), "·".repeat(BAR_COLUMNS.saturating_sub(full)));
            let _ = writeln!(
                text,
                "  {}{}{bar}{reset} {count:>3}  {dim}{en}{reset}",
                pad(ja, WORD_COLUMNS),
                self.style(BLUE)
            );
        }
        let counts = &scene.counts;
        let _ = writeln!(
            text,
            "  受信 {}  送信 {}  送信待ち {}  不達 {}  要確認 {}\n  {dim}in, out, waiting, returned, for staff{reset}",
            counts.mails_in, counts.mails_out, counts.waiting, counts.returned, counts.review
        );
        self.drawn = text.lines().count();
        text
    }

    fn style(&self, code: &'static str) -> &'static str {
        if self.live { code } else { "" }
    }
}

/// Filled up with blanks to so many columns.
fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width_cjk())))
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
