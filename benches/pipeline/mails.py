#!/usr/bin/env python3
"""Registration mails for the pipeline benchmark: mails.py N MAILDIR RULES_DIR

Writes N mails in the form of the seed (4.1) to MAILDIR/new, and to RULES_DIR an authorities.csv with as many invented
authorities, so that every mail registers its tenants. 45 % ISO-2022-JP, 40 % UTF-8, 15 % Shift_JIS; 1 to 30 health
centres each; every 20th line carries a second address; a quarter are multipart/alternative. Same N, same bytes.
Domains lie under the reserved .example; nothing can be delivered.
"""
import os, random, sys
from email import charset, policy
from email.message import EmailMessage

n, maildir, rules = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dice = random.Random(20200501)
PLACES = "青赤白金銀大小高東西南北上下長広深松竹梅桜楓桐藤花水石山川海島浜崎岡原野田村里森沢池橋宮城門津"


def code(number):
    """Six digits with the check digit of a local government code."""
    body = "%05d" % number
    total = sum(int(d) * w for d, w in zip(body, (6, 5, 4, 3, 2)))
    return body + str((11 - total if total < 11 else 11 - total % 11) % 10)


def body(name, domain):
    def entry(who, address):
        return "%s %s%s" % (who, address, "、old-" + address if dice.random() < 0.05 else "")

    centres = ["%s%s保健所" % (a, b) for a, b in {(dice.choice(PLACES), dice.choice(PLACES)) for _ in range(dice.randint(1, 30))}]
    lines = ["以下のとおり自治体、保健所のメールアドレスを連絡します。", "", "<自治体（保健所設置主体）>", entry(name, "yobo@" + domain), "", "<保健所>"]
    lines += [entry(c, "hc%02d@%s" % (i, domain)) for i, c in enumerate(sorted(centres), 1)]
    return "\n".join(lines + ["", "-- ", name + " 感染症対策課", ""])


for part in ("new", "cur", "tmp"):
    os.makedirs(os.path.join(maildir, part), exist_ok=True)
names = set()
while len(names) < n:
    names.add("".join(dice.choice(PLACES) for _ in range(3)) + "市")
names = sorted(names)
with open(os.path.join(rules, "authorities.csv"), "w", encoding="utf-8") as out:
    out.write("code,name\n")
    out.writelines("%s,%s\n" % (code(10000 + i), name) for i, name in enumerate(names))
with open(os.path.join(rules, "health_centres.csv"), "w", encoding="utf-8") as out:
    out.write("authority_code,name\n")
for i, name in enumerate(names):
    domain = "t%05d.example" % i
    cs = dice.choices(["iso-2022-jp", "utf-8", "shift_jis"], [45, 40, 15])[0]
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "自治体・保健所メールアドレスの連絡（%s）" % name
    mail["From"] = "kansen@" + domain
    mail["To"] = "covid19@bigtreetc.com"
    mail["Cc"] = "follow-up@mhlw.go.jp"
    mail["Date"] = "Mon, 20 Apr 2020 10:00:00 +0900"
    mail["Message-ID"] = "<%05d.bench@%s>" % (i, domain)
    text = body(name, domain)
    mail.set_content(text, charset=cs, cte="7bit" if cs == "iso-2022-jp" else "base64")
    if dice.random() < 0.25:
        mail.add_alternative("<html><body><pre>%s</pre></body></html>" % text.replace("<", "&lt;"), subtype="html", charset="utf-8", cte="base64")
    with open(os.path.join(maildir, "new", "%d.M%06d.bench" % (1587344400 + i, i)), "wb") as out:
        out.write(mail.as_bytes().replace(b"\r\n", b"\n"))
print("%d mails" % n)
