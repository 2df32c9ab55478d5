"""An independent client's view of the sandbox: Python's smtplib. Arguments: port, smtps port, CA file, user, password."""
import smtplib
import ssl
import sys

port, smtps_port, ca, user, password = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
trust = ssl.create_default_context(cafile=ca)
TEXT = b"Subject: dots\r\n\r\n.one dot\r\n..two dots\r\n.\r\nlast \xe6\x9c\xad\xe5\xb9\x8c\r\n"

with smtplib.SMTP_SSL("127.0.0.1", smtps_port, context=trust) as tls:
    tls.login(user, password)

with smtplib.SMTP("localhost", port) as smtp:
    assert smtp.ehlo()[0] == 250
    for word in ("size", "8bitmime", "pipelining", "starttls", "auth"):
        assert smtp.has_extn(word), word
    smtp.starttls(context=trust)
    smtp.ehlo()
    assert not smtp.has_extn("starttls")
    try:
        smtp.login(user, "wrong")
        raise SystemExit("a wrong password was taken")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    smtp.login(user, password)
    refused = smtp.sendmail("from@example.jp", ["hoken@city.example.jp", "no@elsewhere.example"], TEXT, ["BODY=8BITMIME"])
    assert refused == {"no@elsewhere.example": (550, b"5.7.1 Relaying is not done here")}, refused
    # A long line breaks RFC 5321 and is refused, without harm to the next mail.
    try:
        smtp.sendmail("from@example.jp", ["hoken@city.example.jp"], b"Subject: long\r\n\r\n" + b"x" * 999)
        raise SystemExit("a line of 999 octets was taken")
    except smtplib.SMTPDataError as error:
        assert error.smtp_code == 554, error
    assert smtp.rset()[0] == 250
    assert smtp.noop()[0] == 250
    try:
        smtp.sendmail("from@example.jp", ["hoken@city.example.jp"], b"x\r\n" * 400_000)
        raise SystemExit("a mail over SIZE was taken")
    except smtplib.SMTPSenderRefused as error:
        assert error.smtp_code == 552, error

with smtplib.SMTP("localhost", port) as smtp:
    smtp.helo()
    smtp.sendmail("bounce+7@city.example.jp", ["hoken+sub@city.example.jp"], b"Subject: sub\r\n\r\n" + b"y" * 998)
print("smtplib content")
