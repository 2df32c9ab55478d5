#!/usr/bin/env python3
"""The peer: what a careful person would write with Python's standard library instead of annai.

careful.py IMAP_PORT SMTP_PORT DATABASE

Fetches in batches of 100, parses with the email package, one durable SQLite transaction per mail (tenants and receipt
together), one SMTP connection, \\Seen only after the transaction. No journal, no courses, no secrets, no retries.
"""
import email, email.policy, email.utils, imaplib, re, smtplib, sqlite3, sys
from email.message import EmailMessage

SUBJECT = re.compile(r"自治体・保健所メールアドレスの連絡[（(](.+?)[）)]")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
imap_port, smtp_port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
db = sqlite3.connect(path, isolation_level=None)
db.executescript("""PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS mail(message_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS tenant(authority TEXT, name TEXT, address TEXT, PRIMARY KEY(authority, name));
CREATE TABLE IF NOT EXISTS outbox(id INTEGER PRIMARY KEY, rcpt TEXT, message BLOB, sent INTEGER DEFAULT 0);""")


def understood(mail):
    found = SUBJECT.search(str(mail["subject"]))
    if not found:
        return None
    rows, section = [], ""
    for line in mail.get_body(("plain", "html")).get_content().splitlines():
        if line.startswith("<"):
            section = line.strip("<>")
        elif line.startswith("-- "):
            break
        elif (address := ADDRESS.search(line)) and section:
            rows.append((line[: address.start()].strip(), address[0]))
    return found[1], rows


box = imaplib.IMAP4("127.0.0.1", imap_port)
box.login("covid19", "pw")
box.select("INBOX")
relay = smtplib.SMTP("127.0.0.1", smtp_port)
uids = box.uid("SEARCH", "UNSEEN")[1][0].split()
for at in range(0, len(uids), 100):
    batch = b",".join(uids[at : at + 100]).decode()
    for item in box.uid("FETCH", batch, "(UID BODY.PEEK[])")[1]:
        if not isinstance(item, tuple):
            continue
        mail = email.message_from_bytes(item[1], policy=email.policy.default)
        read = understood(mail)
        if not read:
            continue
        authority, rows = read
        sender = email.utils.parseaddr(str(mail["from"]))[1]
        receipt = EmailMessage()
        receipt["From"], receipt["To"], receipt["Cc"] = "noreply@followup.mhlw.go.jp", sender, "follow-up@mhlw.go.jp"
        receipt["Subject"] = "受付のお知らせ（%s）" % authority
        receipt.set_content("\n".join("%s %s" % row for row in rows), cte="base64")
        message = receipt.as_bytes(policy=email.policy.SMTP)
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT OR IGNORE INTO mail VALUES(?)", (str(mail["message-id"]),))
        db.executemany("INSERT OR REPLACE INTO tenant VALUES(?,?,?)", [(authority, *row) for row in rows])
        row = db.execute("INSERT INTO outbox(rcpt, message) VALUES(?,?)", (sender, message)).lastrowid
        db.execute("COMMIT")
        for rcpt in (sender, "follow-up@mhlw.go.jp"):
            relay.sendmail("noreply@followup.mhlw.go.jp", [rcpt], message)
        db.execute("UPDATE outbox SET sent=1 WHERE id=?", (row,))
    box.uid("STORE", batch, "+FLAGS.SILENT", "(\\Seen)")
relay.quit()
box.logout()
