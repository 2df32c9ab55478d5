#!/usr/bin/env python3
"""Writes the sample mails of this folder that are plain UTF-8: one per way of writing that was once misread.

  samples.py        (re)writes NAME.eml for every entry below; the expected reading NAME.json is written by
                    ANNAI_BLESS=1 cargo test --test reading, and is to be read by a person before it is committed.
"""
import base64, io, os, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
SUBJECT = '自治体・保健所メールアドレスの連絡（札幌市）'
ME = 'tanto@city.mihon.lg.jp'
A, B, C = 'kansen@city.mihon.lg.jp', 'hoken@city.mihon.lg.jp', 'kita@city.mihon.lg.jp'
SAMPLES = {
    # headings
    'heading-words': f'１　自治体名及びメールアドレス\n札幌市 {A}\n\n２　管内の各保健所一覧（1か所）\n札幌市保健所 {B}\n',
    'heading-in-signs': f'＜＜自治体（主管課）＞＞\n札幌市 {A}\n\n◆◇札幌市内の保健所◇◆\n札幌市保健所 {B}\n',
    'heading-of-a-contact': f'【自治体】\n札幌市 {A}\n【保健所】\n札幌市保健所 {B}\n【本件担当】\n札幌市 感染症総合対策課\nE-mail: betsu@city.mihon.lg.jp\n',
    'roman-numbers': f'i) 自治体\n札幌市 {A}\nii) 保健所\nⅠ 札幌市保健所 {B}\n',
    'headings-of-the-outposts': f'＜本庁＞\n札幌市 {A}\n＜出先（保健所）＞\n札幌市保健所 {B}\n',
    'heading-word-in-brackets': f'【登録アドレス（自治体）】\n札幌市 {A}\n【登録アドレス（保健所）】\n札幌市保健所 {B}\n',
    'heading-that-is-a-sentence': f'1 自治体のメールアドレスは以下のとおりです。\n札幌市 {A}\n2 保健所のメールアドレスは以下のとおりです。\n札幌市保健所 {B}\n',
    'numbered-centre-headings': f'自治体\n札幌市\n{A}\n\n保健所①\n札幌市保健所\n{B}\n\n保健所②\n北保健所\n{C}\n',
    'heading-count-differs': f'<自治体>\n札幌市 {A}\n<保健所（３か所）>\n札幌市保健所 {B}\n',
    'answers-below-questions': f'> 1. 自治体のメールアドレスをご記入ください。\n→ 札幌市　{A}\n> 2. 保健所のメールアドレスをご記入ください。\n→ 札幌市保健所　{B}\n',
    # entries
    'dots-lead-to-the-address': f'自治体名……札幌市\nE-mail……{A}\n\n保健所名・・・札幌市保健所\nE-mail……{B}\n',
    'waves-lead-to-the-address': f'自治体名～札幌市\nメールアドレス～{A}\n\n保健所名～札幌市保健所\nメールアドレス～{B}\n',
    'second-address-preferred': f'<自治体>\n札幌市 {C}（副）、{A}（正）\n<保健所>\n札幌市保健所 {B}\n',
    'star-bullets': f'<自治体>\n* 札幌市役所 {A} となります。\n<保健所>\n* 札幌市保健所 {B} です。\n',
    'numbered-address-first': f'<自治体>\n① {A}（札幌市）\n<保健所>\n（一）＜{B}＞ 札幌市保健所\n',
    'numbering-glued-to-address': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所\n1.{B}\n',
    'wide-numbering': f'<自治体>\n１．{A}　札幌市\n<保健所>\n１．{B}　札幌市保健所\n',
    'dot-before-address': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 .{B}\n',
    'kana-behind-address': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}う\n',
    'underscores-for-emphasis': f'<自治体>\n札幌市 _{A}_\n<保健所>\n札幌市保健所 _{B}_\n',
    'section-behind-address': f'<自治体>\n札幌市 保健福祉局感染症総合対策課\n→{A}　感染症対策係\n<保健所>\n札幌市保健所\n→{B}　感染症対策係\n',
    'labels-of-all-kinds': f'■自治体\n機関名称：札幌市\n電話：011-000-0000\n電子メールアドレス：{A}\n\n■保健所\n登録名→札幌市保健所　保健予防課\n担当課：感染症対策課\n連絡先メールアドレス→【{B}】\n',
    'spaced-letters': f'<自治体>\n札　幌　市 {A}\n<保健所>\n札　幌　市　保　健　所のメールアドレス：{B}\n',
    # tables
    'table-drawn': f'┌──┬───┬────┐\n│区分│名称│メールアドレス│\n├──┼───┼────┤\n│自治体│札幌市│{A}│\n│保健所│札幌市保健所│{B}│\n└──┴───┴────┘\n',
    'table-markdown': f'| 区分 | 名称 | メールアドレス |\n|---|---|---|\n| 自治体 | 札幌市 | {A} |\n| 保健所 | 札幌市保健所 | {B} |\n',
    'table-csv-quoted': f'"区分","名称","メールアドレス"\n"自治体","札幌市","{A}"\n"保健所","札幌市保健所","{B}"\n',
    'section-in-the-last-cell': f'メールアドレス\t名称\t区分\n{A}\t札幌市\t自治体\n{B}\t札幌市保健所\t保健所\n',
    'rows-parted-by-slashes': f'自治体／札幌市／{A}\n保健所／札幌市保健所／{B}\n',
    # signatures
    'signature-of-a-person': f'札幌市の中村と申します。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n中村　太郎\n直通：011-000-0000\nE-mail：betsu@city.mihon.lg.jp\n',
    'footer-with-an-address': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※心当たりのない場合は、下記までご連絡ください。\ninfo@city.mihon.lg.jp\n',
    'signature-of-a-listed-centre': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n札幌市保健所 保健予防課\n主任　中村　太郎\n直通：011-000-0000\nE-mail：betsu@city.mihon.lg.jp\n',
    'blocks-parted-by-blank-lines': f'<自治体>\n札幌市 {A}\n<保健所>\n➢ 登録名→札幌市保健所　保健予防課\n電話：011-000-0000\nメールアドレス→{B}\n\n➢ 登録名→北保健所　保健予防課\n電話：011-000-0000\nメールアドレス→{C}\n',
    'chief-of-each-centre': f'【自治体】\n札幌市　感染症対策課\n　課長　田中\n　Mail {A}\n　電話：011-000-0000\n【保健所】\n札幌市保健所　感染症対策課\n　課長　中川\n　Mail {B}\n　電話：011-000-0000\n',
    # meaning
    'letter-lost-in-a-name': f'<自治体>\n札幌市 {A}\n<保健所>\n□幌市保健所 {B}\n',
    'letter-shown-as-a-question-mark': f'<自治体>\n札幌市 {A}\n<保健所>\n?幌市保健所 {B}\n',
    'name-in-a-sentence': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n札幌市保健所への連絡は{C}が望ましいです。\n',
    'same-centre-under-a-second-heading': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n<保健所>\n札幌市保健所 {C}\n',
    'regions-by-direction': f'<自治体>\n札幌市 {A}\n<保健所>\n○中央部\n札幌市保健所 {B}\n',
    'no-mistake': f'アドレスに誤りがないことを確認済みです。今後変更があればご連絡します。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n',
    'thanks-for-advice': f'先日はお電話でご教示いただき、ありがとうございました。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n',
    'draft': f'（案）として送付します。決裁後に正式に連絡します。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n',
    'addresses-for-now': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※上記は仮のアドレスです。確定後に改めて連絡します。\n',
    'address-out-of-use': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※札幌市保健所のアドレスは現在使用できません。\n',
    'test-mail': f'テスト送信です。\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n※テストのため登録しないでください。\n',
    'centres-to-follow': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n残りの保健所については現在アドレスを作成しておりますので、決まり次第お知らせします。\n',
    'centre-to-be-held-back': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※札幌市保健所は登録を保留してください。\n',
    'wait-until-we-write': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※登録は当方から連絡するまでお待ちください。\n',
    'address-not-sure': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n（札幌市保健所のアドレスはこれで合っていると思いますが、念のため確認します。）\n',
    'more-to-follow': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\n※このほかに2か所ありますが、後日連絡します。\n',
    'answer-is-awaited': f'登録完了のご連絡をお待ちしております。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n',
    'not-this-but-that': f'訂正です。札幌市保健所は{C}ではなく{B}です。失礼いたしました。\n',
    'written-is-a-mistake-for': f'札幌市保健所のアドレスについて、「{C}」とあるのは「{B}」の誤りでした。訂正いたします。\n',
    'right-one-in-a-sentence': f'先ほどお送りしたメールの札幌市保健所のアドレスに誤りがありました。\n正しくは {B} です。\n',
    'earlier-mail-to-be-discarded': f'先のメールは破棄願います。\n',
    'conditional-correction': f'内容に誤りがある場合や変更が生じた場合はご連絡ください。\n\n<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n',
    'question-with-a-mark': f'<自治体>\n札幌市 {A}\n<保健所>\n札幌市保健所 {B}\n\nところで、利用開始日はいつになりますか？\n',
}
SUBJECTS = {'absence-says-the-office-moved': '自動応答: 登録受付のお知らせ', 'absence-in-brackets': '【不在】Re: 登録受付のお知らせ'}
SAMPLES['absence-in-brackets'] = '5月6日まで不在にしております。\nお急ぎの場合は下記までご連絡ください。\nbetsu@city.mihon.lg.jp\n'
SAMPLES['absence-says-the-office-moved'] = '【自動応答】このメールアドレスは廃止されました。\n今後は betsu@city.mihon.lg.jp までご連絡ください。\n'


def b64(text):
    return '=?utf-8?B?' + base64.b64encode(text.encode()).decode() + '?='


ROWS = [['区分', '名称', 'メールアドレス'], ['自治体', '札幌市', A], ['保健所', '札幌市保健所', B]]


def workbook(rows):
    """The smallest .xlsx a reader takes."""
    cell = lambda t: f'<c t="inlineStr"><is><t>{t}</t></is></c>'
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + ''.join(f'<row>{"".join(map(cell, r))}</row>' for r in rows) + '</sheetData></worksheet>'
    R = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
    P = 'http://schemas.openxmlformats.org/package/2006/relationships'
    parts = {'[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
             '_rels/.rels': f'<Relationships xmlns="{P}"><Relationship Id="r1" Type="{R}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
             'xl/workbook.xml': f'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{R}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
             'xl/_rels/workbook.xml.rels': f'<Relationships xmlns="{P}"><Relationship Id="r1" Type="{R}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
             'xl/worksheets/sheet1.xml': sheet}
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, text in parts.items():
            z.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>' + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def head(name, kind):
    return [f'From: {b64("札幌市")} <{ME}>', 'To: covid19@bigtreetc.com', 'Cc: follow-up@mhlw.go.jp', f'Subject: {b64(SUBJECTS.get(name, SUBJECT))}', 'Date: Fri, 24 Apr 2020 10:00:00 +0900',
            f'Message-ID: <{name}@city.mihon.lg.jp>', 'MIME-Version: 1.0', f'Content-Type: {kind}']


def attached(name, file, data):
    """A mail whose data are in an attachment."""
    text = '添付のとおり報告します。よろしくお願いいたします。'
    lines = head(name, 'multipart/mixed; boundary=b') + ['', '--b', 'Content-Type: text/plain; charset=utf-8', '', text, '--b', 'Content-Type: application/octet-stream', f'Content-Disposition: attachment; filename="{file}"', 'Content-Transfer-Encoding: base64', '']
    return '\n'.join(lines) + '\n' + base64.encodebytes(data).decode() + '--b--\n'



def part(name, kind, file, data, text=None):
    """A mail with one part in base64, below a text if there is one."""
    body = [f'Content-Type: {kind}; name="{file}"', f'Content-Disposition: attachment; filename="{file}"', 'Content-Transfer-Encoding: base64', '', base64.encodebytes(data).decode()]
    if text is None:
        return '\n'.join(head(name, '')[:-1] + body)
    return '\n'.join(head(name, 'multipart/mixed; boundary=b') + ['', '--b', 'Content-Type: text/plain; charset=utf-8', '', text, '--b'] + body) + '--b--\n'


def ber(tag, *inside):
    """An element whose length is left open, as mail programs write it."""
    return bytes([tag, 0x80]) + b''.join(inside) + b'\0\0'


PKCS7 = bytes([6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7])


def signed(content):
    """What is signed, in pieces of 100 bytes; the signature itself is left out."""
    pieces = [bytes([4, len(content[i:i + 100])]) + content[i:i + 100] for i in range(0, len(content), 100)]
    data = ber(0x30, PKCS7 + b'\1', ber(0xa0, ber(0x24, *pieces)))
    return ber(0x30, PKCS7 + b'\2', ber(0xa0, ber(0x30, b'\2\1\1', b'\x31\0', data, b'\x31\0')))


def le(number, size=4):
    return number.to_bytes(size, 'little')


def tnef(properties, files=()):
    """winmail.dat with these properties (type, number, bytes) of the message and these attachments."""
    def attribute(level, number, data):
        return bytes([level]) + le(number) + le(len(data)) + data + le(sum(data) & 0xffff, 2)
    listed = le(len(properties)) + b''.join(le(kind, 2) + le(number, 2) + le(1) + le(len(data)) + data + b'\0' * (-len(data) % 4) for kind, number, data in properties)
    out = le(0x223e9f78) + le(1, 2) + attribute(1, 0x89006, le(0x10000)) + attribute(1, 0x69003, listed)
    for name, data in files:
        out += attribute(2, 0x69002, b'\0' * 14) + attribute(2, 0x18010, name.encode('cp932') + b'\0') + attribute(2, 0x6800f, data)
    return out


def rich(text):
    """RTF as Outlook for Japanese writes it, not packed."""
    body = ''.join(chr(b) if b < 0x80 else f"\\'{b:02x}" for b in text.replace('\n', '\\par\n').encode('cp932'))
    data = ('{\\rtf1\\ansi\\ansicpg932{\\fonttbl{\\f0 MS Gothic;}}\\pard ' + body + '}').encode()
    return le(len(data) + 12) + le(len(data)) + b'MELA' + le(0) + data


FORM = f'<自治体（保健所設置主体）>\n札幌市　{A}\n\n<保健所>\n　・札　幌市保健所：{B.upper().translate({c: c + 0xfee0 for c in range(0x21, 0x7f)})}\n'
WHOLE = {
    'evidence-plain': '\n'.join(head('evidence-plain', 'text/plain; charset=utf-8')) + '\n\n' + FORM,
    'evidence-line-below-and-meant': '\n'.join(head('evidence-line-below-and-meant', 'text/plain; charset=utf-8')) + f'\n\n<自治体>\n札幌市\n　{A}\n<保健所>\n札幌市保健所\n　hoken@city,mihon.lg.jp\n',
    'evidence-html': '\n'.join(head('evidence-html', 'text/html; charset=utf-8')) + f'\n\n<table><tr><td>自治体</td><td>札幌市</td><td>{A}</td></tr><tr><td>保健所</td><td>札幌市保健所</td><td>{B}</td></tr></table>\n',
    'evidence-forwarded': '\n'.join(head('evidence-forwarded', 'text/plain; charset=utf-8')) + f'\n\n転送いたします。\n\n-------- 転送メッセージ --------\n件名: x\n差出人: 山田 <yamada@city.mihon.lg.jp>\n宛先: x\n\n{FORM}',
    'evidence-inside': '\n'.join(head('evidence-inside', 'multipart/mixed; boundary=b')) + '\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n転送いたします。\n--b\nContent-Type: message/rfc822\n\n' + '\n'.join(head('inner', 'text/plain; charset=utf-8')) + '\n\n' + FORM + '\n--b--\n',
    'evidence-csv': attached('evidence-csv', 'list.csv', ('\r\n'.join(','.join(r) for r in ROWS) + '\r\n').encode('cp932')),
    'evidence-xlsx': attached('evidence-xlsx', 'list.xlsx', workbook(ROWS)),
    'workbook-that-unpacks-too-far': attached('workbook-that-unpacks-too-far', 'list.xlsx', workbook(ROWS + [['x' * 3_000_000]])),
    'signed-and-not-readable-as-it-stands': part('signed', 'application/pkcs7-mime; smime-type=signed-data', 'smime.p7m', signed(('Content-Type: text/plain; charset=utf-8\r\n\r\n' + FORM.replace('\n', '\r\n')).encode())),
    'encrypted': part('encrypted', 'application/pkcs7-mime; smime-type=enveloped-data', 'smime.p7m', ber(0x30, PKCS7 + b'\3', ber(0xa0, ber(0x30, b'\2\1\0')))),
    'winmail-with-a-text': part('winmail-with-a-text', 'application/ms-tnef', 'winmail.dat', tnef([(0x1f, 0x1000, FORM.encode('utf-16-le'))], [('参考.pdf', b'%PDF-1.4')])),
    'winmail-with-rtf': part('winmail-with-rtf', 'application/ms-tnef', 'winmail.dat', tnef([(0x102, 0x1009, rich(FORM))]), ''),
    'winmail-with-a-page': part('winmail-with-a-page', 'application/ms-tnef', 'winmail.dat', tnef([(0x102, 0x1013, ('<p>' + FORM.replace('<', '&lt;').replace('\n', '<br>') + '</p>').encode('cp932'))])),
    'winmail-with-a-table': part('winmail-with-a-table', 'application/ms-tnef', 'winmail.dat', tnef([], [('list.csv', '\r\n'.join(','.join(r) for r in ROWS).encode('cp932'))]), '添付のとおり報告します。'),
    'winmail-that-is-none': part('winmail-that-is-none', 'application/ms-tnef', 'winmail.dat', b'nothing of the kind'),
    'page-alone-has-the-data': '\n'.join(head('page-alone-has-the-data', 'multipart/alternative; boundary=b')) + '\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nこのメールはHTML形式です。\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>' + FORM.replace('<', '&lt;').replace('\n', '<br>') + '</p>\n--b--\n',
    'workbook-that-is-none': attached('workbook-that-is-none', 'list.xlsx', b'PK\x03\x04 nothing of the kind'),
}


def main():
    for name, body in SAMPLES.items():
        with open(os.path.join(HERE, name + '.eml'), 'w', encoding='utf-8', newline='\r\n') as f:
            f.write('\n'.join(head(name, 'text/plain; charset=utf-8') + ['Content-Transfer-Encoding: 8bit', '', body]))
    for name, text in WHOLE.items():
        with open(os.path.join(HERE, name + '.eml'), 'w', encoding='utf-8', newline='\r\n') as f:
            f.write(text)


main()
