//! A browser on plain sockets, so that it can see an answer end in the middle.

#[path = "../support/http.rs"]
mod http;

use crate::offices::Office;
use http::unchunked;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) office: Office,
    cookie: Option<String>,
}

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn is_file(&self) -> bool {
        self.status == 200 && self.head.contains("content-type: application/x-pkcs12")
    }

    fn token(&self) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once("name=\"token\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    }
}

impl Browser {
    pub(crate) fn new(office: Office) -> Self {
        Self { office, cookie: None }
    }

    fn path(&self) -> String {
        format!("/p/{}", self.office.code)
    }

    /// The page as it stands for this browser.
    pub(crate) fn look(&mut self, to: SocketAddr) -> Answer {
        let (cookie, path) = (self.cookie.clone(), self.path());
        self.keep(request(to, "GET", &path, "", cookie.as_deref()).expect("a page"))
    }

    fn post(&mut self, to: SocketAddr, form: &str) -> Answer {
        let (cookie, path) = (self.cookie.clone(), self.path());
        self.keep(request(to, "POST", &path, form, cookie.as_deref()).expect("a page"))
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        self.cookie = set.map(|line| line.split(';').next().unwrap().to_owned()).or(self.cookie.take());
        answer
    }

    /// Password and terms; the token of the download form.
    pub(crate) fn up_to_the_download(&mut self, to: SocketAddr) -> String {
        let page = self.look(to);
        let token = page.token().unwrap_or_else(|| panic!("no form: {}", page.text()));
        let password = self.office.password.clone();
        let terms = self.post(to, &format!("step=password&token={token}&password={password}"));
        let token = terms.token().unwrap_or_else(|| panic!("no terms: {}", terms.text()));
        let ready = self.post(to, &format!("step=terms&token={token}&agree=yes"));
        ready.token().unwrap_or_else(|| panic!("no download: {}", ready.text()))
    }

    /// The download, if its answer comes whole.
    pub(crate) fn download(&self, to: SocketAddr, token: &str, began: impl FnOnce()) -> Option<Answer> {
        let path = format!("{}/certificate", self.path());
        let mut stream = TcpStream::connect(to).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let form = format!("token={token}&format=modern");
        stream.write_all(&written("POST", &path, &form, self.cookie.as_deref())).ok()?;
        began();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        whole(&bytes)
    }

    /// What the same browser gets when it comes again, whatever happened in between.
    pub(crate) fn come_again(&mut self, to: SocketAddr) -> Answer {
        let page = self.look(to);
        let token = if page.text().contains("name=\"format\"") {
            page.token().expect("a token")
        } else {
            self.up_to_the_download(to)
        };
        self.download(to, &token, || {}).expect("an answer")
    }
}

fn written(method: &str, path: &str, body: &str, cookie: Option<&str>) -> Vec<u8> {
    let cookie = cookie.map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}Content-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn request(to: SocketAddr, method: &str, path: &str, body: &str, cookie: Option<&str>) -> Option<Answer> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(&written(method, path, body, cookie)).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    whole(&bytes)
}

/// An answer with all the bytes it announced.
fn whole(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = String::from_utf8(answer.get(..end)?.to_vec()).ok()?;
    let lower = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}\n", name.to_ascii_lowercase()),
        None => format!("{line}\n"),
    };
    let head: String = text.lines().map(lower).collect();
    let body = answer.get(end + 4..)?;
    let bytes = match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => Some(body.to_vec()).filter(|body| Ok(body.len()) == length.trim().parse())?,
        None => unchunked(body)?,
    };
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head, bytes })
}
