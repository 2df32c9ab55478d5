//! What comes in chunks over HTTP/1.1, as one.

/// All chunks (RFC 9112 §7.1), if the last one is there.
pub(crate) fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(rest.get(..line)?).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + size + 4..)?;
    }
}
