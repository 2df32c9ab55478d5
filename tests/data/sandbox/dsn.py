"""What Python's email package reads in a delivery report on stdin: type, sender of the report, and the report's fields."""
import email
import email.policy
import sys

mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(mail.get_content_type(), mail["Return-Path"], mail["To"], mail["Auto-Submitted"])
if mail.is_multipart():
    notice, status, headers = mail.iter_parts()
    for block in status.get_payload():
        for name in ("Reporting-MTA", "Final-Recipient", "Action", "Status", "Diagnostic-Code"):
            if block[name]:
                print(f"{name}: {block[name]}")
    print(email.message_from_string(headers.get_payload())["Message-ID"])
else:
    print(mail["Subject"])
    print(mail.get_content().replace("\r\n", "\n").strip())
