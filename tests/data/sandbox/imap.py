"""An independent client's view of the sandbox: Python's imaplib. Arguments: port, imaps port, CA file, user, password."""
import imaplib
import ssl
import sys

port, imaps_port, ca, user, password = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
trust = ssl.create_default_context(cafile=ca)


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def uids(*keys):
    return [int(uid) for uid in ok(box.uid("SEARCH", *keys))[0].split()]


# TLS from the first octet, and STARTTLS; the certificate is checked in both.
with imaplib.IMAP4_SSL("127.0.0.1", imaps_port, ssl_context=trust) as tls:
    ok(tls.login(user, password))
box = imaplib.IMAP4("localhost", port)
assert "STARTTLS" in box.capabilities, box.capabilities
ok(box.starttls(trust))
assert "STARTTLS" not in box.capabilities, box.capabilities
try:
    box.login(user, "wrong")
    raise SystemExit("a wrong password was taken")
except imaplib.IMAP4.error:
    pass
ok(box.authenticate("PLAIN", lambda _: b"\0" + user.encode() + b"\0" + password.encode()))

# The folder as the test filled it: three mails.
assert ok(box.select("INBOX")) == [b"3"]
assert box.response("UIDVALIDITY")[1][0] is not None
assert box.response("UIDNEXT")[1] == [b"4"]
status = ok(box.status("INBOX", "(MESSAGES UNSEEN UIDNEXT)"))[0]
assert b"MESSAGES 3 UIDNEXT 4" in status or b"UNSEEN 3" in status, status
names = ok(box.list())
assert any(b"INBOX" in name for name in names), names

# Reading: whole, in parts, header only, with and without \Seen.
assert uids("ALL") == [1, 2, 3]
whole = ok(box.uid("FETCH", "2", "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])"))[0]
assert whole[1] == b"Subject: two\r\nTo: a@b.jp\r\n\r\nsecond text\r\n", whole
assert b"RFC822.SIZE %d" % len(whole[1]) in whole[0], whole
assert b'INTERNALDATE "01-May-2020 09:00:00 +0900"' in whole[0], whole
part = ok(box.uid("FETCH", "2", "(BODY.PEEK[]<9.3>)"))[0]
assert part[1] == b"two" and b"BODY[]<9>" in part[0], part
beyond = ok(box.uid("FETCH", "2", "(BODY.PEEK[]<9000.3>)"))[0]
assert beyond[1] == b"", beyond
header = ok(box.uid("FETCH", "2", "(BODY.PEEK[HEADER])"))[0]
assert header[1] == b"Subject: two\r\nTo: a@b.jp\r\n\r\n", header
field = ok(box.uid("FETCH", "2", "(BODY.PEEK[HEADER.FIELDS (TO)])"))[0]
assert field[1] == b"To: a@b.jp\r\n\r\n", field
assert uids("UNSEEN") == [1, 2, 3]
ok(box.fetch("1", "(RFC822)"))
assert uids("UNSEEN") == [2, 3]
assert len(ok(box.uid("FETCH", "1:4294967295", "(UID)"))) == 3
assert uids("UID", "2:*") == [2, 3]
assert uids("SUBJECT", "THREE") == [3]
assert uids("OR", "UID", "1", "NOT", "UID", "1:2") == [1, 3]

# Flags and keywords.
ok(box.uid("STORE", "1:2", "+FLAGS", "($AnnaiProcessed)"))
assert uids("UNKEYWORD", "$AnnaiProcessed") == [3]
assert uids("KEYWORD", "$annaiprocessed") == [1, 2]
ok(box.uid("STORE", "1", "-FLAGS.SILENT", "($AnnaiProcessed)"))
assert uids("KEYWORD", "$AnnaiProcessed") == [2]

# Folders: missing, made, moved into, appended to.
refused = box.uid("MOVE", "2", "Done")
assert refused[0] == "NO" and b"TRYCREATE" in refused[1][0], refused
ok(box.create("Done"))
assert box.create("Done")[0] == "NO"
ok(box.uid("MOVE", "2", "Done"))
assert uids("ALL") == [1, 3]
ok(box.append("Done", r"(\Seen)", None, b"Subject: four\r\n\r\n" + b"x" * 100_000))
assert ok(box.select("Done")) == [b"2"]
big = ok(box.uid("FETCH", "2", "(RFC822.SIZE BODY.PEEK[TEXT])"))[0]
assert len(big[1]) == 100_000, len(big[1])
ok(box.uid("STORE", "1", "+FLAGS", r"(\Deleted)"))
assert uids("UNDELETED") == [2]
assert ok(box.expunge()) == [b"1"]
assert uids("ALL") == [2]

# Reading only.
ok(box.select("INBOX", readonly=True))
assert box.uid("STORE", "1", "+FLAGS", r"(\Seen)")[0] == "NO"
assert box.select("Nowhere")[0] == "NO"
ok(box.noop())
assert box.logout()[0] == "BYE"
print("imaplib content")
