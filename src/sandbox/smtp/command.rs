//! SMTP commands read from their lines (RFC 5321 §4.1).

/// A command with what the sandbox needs of its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo(String),
    Helo(String),
    StartTls,
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
    /// `None` is the empty sender `<>`.
    Mail {
        from: Option<String>,
        size: Option<usize>,
    },
    Rcpt {
        to: String,
    },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
    /// A known command with arguments that cannot be right.
    Malformed,
    Unknown,
}

pub(super) fn parse(line: &[u8]) -> Command {
    let Ok(line) = str::from_utf8(line) else { return Command::Malformed };
    // Among them a bare line feed, which would otherwise end up in the fields added at delivery.
    if line.bytes().any(|b| b.is_ascii_control()) {
        return Command::Malformed;
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" if !rest.is_empty() => Command::Ehlo(rest.to_owned()),
        "HELO" if !rest.is_empty() => Command::Helo(rest.to_owned()),
        "STARTTLS" if rest.is_empty() => Command::StartTls,
        "AUTH" if !rest.is_empty() => {
            let mut words = rest.split_ascii_whitespace();
            let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
            Command::Auth { mechanism, initial: words.next().map(str::to_owned) }
        }
        "MAIL" => mail(rest).unwrap_or(Command::Malformed),
        "RCPT" => rcpt(rest).unwrap_or(Command::Malformed),
        "DATA" if rest.is_empty() => Command::Data,
        "RSET" => Command::Rset,
        "NOOP" => Command::Noop,
        "VRFY" => Command::Vrfy,
        "QUIT" => Command::Quit,
        "EHLO" | "HELO" | "STARTTLS" | "AUTH" | "DATA" => Command::Malformed,
        _ => Command::Unknown,
    }
}

fn mail(rest: &str) -> Option<Command> {
    let (path, parameters) = path(rest, "FROM:")?;
    let mut size = None;
    for parameter in parameters.split_ascii_whitespace() {
        if let Some(("SIZE", octets)) = parameter.to_ascii_uppercase().split_once('=') {
            size = Some(octets.parse().ok()?);
        }
    }
    Some(Command::Mail { from: (!path.is_empty()).then(|| path.to_owned()), size })
}

fn rcpt(rest: &str) -> Option<Command> {
    let (path, _parameters) = path(rest, "TO:")?;
    Some(Command::Rcpt { to: path.to_owned() })
}

/// The path between the angle brackets, and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    tail.trim_start().strip_prefix('<')?.split_once('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &Command) {
        assert_eq!(&parse(line.as_bytes()), expected, "{line}");
    }

    #[test]
    fn commands() {
        let from = |from: &str, size| Command::Mail { from: Some(from.to_owned()), size };
        check("ehlo client.example.jp", &Command::Ehlo("client.example.jp".to_owned()));
        check("EHLO", &Command::Malformed);
        check("MAIL FROM:<a@b.jp>", &from("a@b.jp", None));
        check("mail from:<a@b.jp> BODY=8BITMIME SIZE=12 RET=HDRS", &from("a@b.jp", Some(12)));
        check("MAIL FROM:<a@b.jp> SIZE=many", &Command::Malformed);
        check("MAIL FROM:<>", &Command::Mail { from: None, size: None });
        check("MAIL FROM:a@b.jp", &Command::Malformed);
        check("RCPT TO:<c@d.jp> NOTIFY=NEVER", &Command::Rcpt { to: "c@d.jp".to_owned() });
        check("AUTH plain AGE=", &Command::Auth { mechanism: "PLAIN".to_owned(), initial: Some("AGE=".to_owned()) });
        check("MAIL FROM:<a@b.jp\nX: y>", &Command::Malformed);
        check("DATA now", &Command::Malformed);
        check("EXPN list", &Command::Unknown);
    }
}
