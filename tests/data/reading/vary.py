#!/usr/bin/env python3
"""Makes registration mails in many forms, with the reading a careful clerk would take (python stdlib only).

  vary.py OUTDIR COUNT [SEED]       writes OUTDIR/NNNNN.eml and OUTDIR/truth.jsonl

Every domain in them is invented. Each mail is one `case` (what is stated) in one `dress` (how it is written down and encoded);
both are functions below, chosen by a seeded generator, so that a run can be repeated. truth.jsonl holds, for each mail, kind,
review (no: asking is needless; may; must), the data, and tags naming case and dress. Read the mails with the test `corpus`
(tests/reading.rs) and compare. A mail that is misread becomes a sample of its own beside this file.
"""
import base64, csv, json, os, quopri, random, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, '..', '..', '..', 'rules')


def table(name):
    with open(os.path.join(RULES, name), encoding='utf-8') as f:
        return list(csv.DictReader(line for line in f if not line.startswith('#')))


AUTHORITIES = table('authorities.csv')
CENTRES = {}
for row in table('health_centres.csv'):
    CENTRES.setdefault(row['authority_code'], []).append(row)
FAMILY = '佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 大森 市川 町田 県 木村 上村 区'.split()[:15] + ['木村', '中川', '堺', '北村']
GIVEN = '太郎 花子 健一 美咲 誠 恵 直樹 由美 翔 真理'.split()
LOCAL = ('hoken kenko kansen eisei yobou iryou hokensho hc chiiki kikaku kenkou-kikaku hoken-yobo kansensho tiiki_hoken kenko.iryo '
         'hokenjo shippei soumu koho yobo1 kekkaku hoken2 hk-kikaku').split()
SYL = 'ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho ma mi mu me mo ya yu yo ra ri ru re ro wa'.split()


class World:
    """One mail in the making: who writes, what is true, and the words."""

    def __init__(self, r):
        self.r = r
        self.a = r.choice(AUTHORITIES)
        self.name = self.a['name']
        self.kind = self.a['kind']
        self.end = self.name[-1]
        known = CENTRES.get(self.a['code'], [])
        self.centres = [c['name'] for c in known] or [self.name + '保健所']
        self.also = {c['name']: c['also'] for c in known}
        if len(self.centres) > 8 and r.random() < .6:
            self.short = True
            self.centres = self.centres[:r.randint(3, 8)]
        else:
            self.short = False
        body = ''.join(r.choice(SYL) for _ in range(r.randint(2, 4)))
        pre = 'pref' if self.end in '都道府県' else 'city'
        self.domain = r.choice([f'{pre}.{body}-rei.lg.jp'] * 4 + [f'{pre}.{body}-rei.{r.choice(["tokyo", "osaka", "aichi", "fukuoka"])}.jp'])
        self.used = set()
        self.me = self.addr(person=True)
        self.person = r.choice(FAMILY) + r.choice(['', ' ', '　']) + r.choice(GIVEN)
        self.dept = r.choice(['健康福祉部健康増進課', '保健医療部感染症対策課', '福祉保健局感染症対策課', '健康局保健予防課', '保健所保健予防課', '健康危機管理課', '保健福祉部地域医療推進局健康対策課'])
        self.a_addr = self.addr()
        self.rows = [[c, self.addr()] for c in self.centres]
        self.tags, self.must_not = [], [self.me]
        self.review, self.kind_, self.accept_kind = 'no', 'registration', []
        self.partial = False
        self.a_guess = None
        self.guess = {}
        self.top, self.tail = [], []
        self.subject = f'自治体・保健所メールアドレスの連絡（{self.name}）'
        self.attach, self.headers, self.second = [], [], None
        self.html_rows = None
        if self.short:
            self.soft()

    def soft(self):
        if self.review == 'no':
            self.review = 'may'

    def must(self):
        self.review = 'must'

    def addr(self, person=False, domain=None):
        while True:
            l = self.r.choice(LOCAL)
            if person:
                l = self.r.choice(['suzuki', 'tanaka', 'y-sato', 'k.ito', 'yamada']) + '-' + chr(97 + self.r.randint(0, 25)) + str(self.r.randint(10, 99))
            else:
                l += self.r.choice(['', '', '-' + self.r.choice(SYL), '_' + self.r.choice(SYL) + self.r.choice(SYL), str(self.r.randint(1, 30)), '.' + self.r.choice(SYL) + self.r.choice(SYL)])
            a = f'{l}@{domain or self.domain}'
            if a not in self.used:
                self.used.add(a)
                return a

    def c(self, *xs):
        return self.r.choice(xs)


def names_ok(w, n):
    out = {n, w.name + n, w.a['prefecture'] + n, w.a['prefecture'] + w.name + n}
    if n.startswith(w.name):
        out.add(n[len(w.name):])
    if w.also.get(n):
        out.add(w.also[n])
    return sorted(out)


WIDE = str.maketrans({chr(c): chr(c + 0xfee0) for c in range(0x21, 0x7f)})
NUM = lambda i: '一二三四五六七八九十'[i % 10]
BULLETS = [lambda i: '・', lambda i: '- ', lambda i: '○', lambda i: '●', lambda i: '◇ ', lambda i: '■', lambda i: '★', lambda i: '* ', lambda i: '◎ ',
           lambda i: f'{i + 1}. ', lambda i: f'{i + 1}) ', lambda i: f'({i + 1}) ', lambda i: f'（{i + 1}）', lambda i: f'{i + 1}．'.translate(WIDE),
           lambda i: chr(0x2460 + i % 20) + ' ', lambda i: chr(0x2474 + i % 20), lambda i: 'アイウエオカキクケコサシスセソ'[i % 15] + '　', lambda i: '（' + 'アイウエオカキクケコ'[i % 10] + '）',
           lambda i: 'アイウエオカキクケコ'[i % 10] + '．', lambda i: f'第{i + 1}　', lambda i: f'No.{i + 1} ', lambda i: f'{NUM(i)}　', lambda i: f'（{NUM(i)}）', lambda i: f'{NUM(i)}、',
           lambda i: 'abcdefghijklmnopqrstuvwxyz'[i % 26] + ') ', lambda i: 'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯ'[i % 15] + '．', lambda i: '➢ ', lambda i: '✓ ', lambda i: '▶', lambda i: '〇 ', lambda i: '⇒', lambda i: '□ ', lambda i: f'{i + 1} ', lambda i: f'[{i + 1}] ', lambda i: f'<{i + 1}> ', lambda i: f'【{i + 1}】', lambda i: f'{i + 1}　'.translate(WIDE), lambda i: f'{i + 1:02d} ', lambda i: f'{i + 1}: ',
           lambda i: f'#{i + 1} ', lambda i: f'{"ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ"[i % 10]} ', lambda i: '>> ' if False else '* ']
HEAD_A = ['自治体（保健所設置主体）'] * 4 + ['自治体', '自治体名', '自治体(保健所設置主体)', '自治体（保健所設置主体）名', '自治体（設置主体）', '保健所設置主体', '保健所設置自治体', '設置自治体', '自治体の連絡先',
          '自治体のメールアドレス', '自治体について', '自治体分', '自治体の部', '自治体 連絡先', '自治体（保健所設置主体）のメールアドレス', '自治体（保健所設置主体）の連絡先', '自治体情報', '自治体の担当部署', '自治体担当部署', '自治体担当課', '自治体主管課', '自治体本庁', '自治体（本庁）', '自治体（主管課）',
          '衛生主管部局', '衛生主管部（局）', '主管部局', '主管課', '感染症主管課', '感染症対策主管課', '担当部署', '担当部局', '本庁（主管課）', '本庁担当課', '本庁主管課', '自治体名及びメールアドレス', '自治体名・メールアドレス', '自治体名とメールアドレス', '自治体　メールアドレス',
          '保健所を設置する自治体', '設置主体（自治体）', '自治体（保健所の設置主体）', '自治体等', '自治体（代表）', '地方公共団体', '地方自治体']
HEAD_C = ['保健所'] * 5 + ['保　健　所', '各保健所', '保健所名', '保健所の連絡先', '保健所のメールアドレス', '保健所について', '保健所分', '保健所の部', '保健所一覧', '管内保健所', '管内の保健所', '管内保健所一覧', '管内の保健所一覧', '管内各保健所', '管内の各保健所', '所管保健所', '所管する保健所',
          '各保健所の連絡先', '各保健所のメールアドレス', '各保健所連絡先', '設置保健所', '保健所（各所）', '保健所情報', '保健所担当', '保健所担当部署', '保健所担当課', '保健所名及びメールアドレス', '保健所名・メールアドレス', '保健所名とメールアドレス', '保健所　メールアドレス', '保健所等', '保健所（支所を含む）', '保健所（支所含む）',
          '当{e}の保健所', '本{e}の保健所', '本{e}保健所', '{e}内保健所', '{e}内の保健所', '{e}内各保健所', '{e}内の各保健所', '{e}立保健所', '{e}設置保健所', '{e}型保健所', '{n}の保健所', '{n}内の保健所', '{n}管内保健所', '保健所（{n}）', '保健所（全{k}か所）', '保健所（{k}か所）', '保健所【{k}所】', '保健所 計{k}か所', '保健所　{k}箇所']
BRACKET = [('<', '>'), ('＜', '＞'), ('【', '】'), ('〈', '〉'), ('《', '》'), ('≪', '≫'), ('［', '］'), ('[', ']'), ('「', '」'), ('『', '』'), ('〔', '〕'), ('（', '）'), ('(', ')'), ('〖', '〗'), ('〘', '〙'), ('⟨', '⟩'), ('｛', '｝'), ('■', ''), ('□', ''), ('◆', ''), ('◇', ''), ('●', ''), ('○', ''), ('◎', ''), ('▼', ''), ('▽', ''), ('★', ''),
           ('☆', ''), ('※', ''), ('＊', '＊'), ('**', '**'), ('■■', '■■'), ('＝＝', '＝＝'), ('== ', ' =='), ('--- ', ' ---'), ('―― ', ' ――'), ('# ', ''), ('## ', ''), ('・', ''), ('', '：'), ('', ':'), ('', ''), ('', '↓'), ('■', '：'), ('●', '：'), ('[[', ']]'), ('◆◇', '◇◆'), ('○ ', ' ○'), ('〜', '〜'), ('～', '～'), ('_', '_'), ('"', '"'), ('“', '”'), ('▲', ''), ('▪ ', ''), ('➤ ', ''), ('> ' if False else '◉', ''), ('|', '|'), ('■ 【', '】'), ('・＜', '＞'), ('＜', '＞：'), ('【', '】　'), ('─', '─'), ('<<', '>>'), ('＜＜', '＞＞'), ('（', '）：'), ('▽▽', '▽▽')]
NUMBERED = [('1. ', '2. '), ('１．', '２．'), ('１　', '２　'), ('1 ', '2 '), ('(1) ', '(2) '), ('（１）', '（２）'), ('①', '②'), ('① ', '② '), ('ア　', 'イ　'), ('（ア）', '（イ）'), ('A. ', 'B. '), ('Ａ　', 'Ｂ　'), ('Ⅰ　', 'Ⅱ　'), ('I. ', 'II. '), ('第１　', '第２　'), ('一　', '二　'), ('(一) ', '(二) '),
            ('1) ', '2) '), ('１）', '２）'), ('1、', '2、'), ('a) ', 'b) '), ('i) ', 'ii) '), ('【１】', '【２】'), ('[1] ', '[2] '), ('1-1 ', '1-2 '), ('1：', '2：'), ('(a) ', '(b) '), ('甲　', '乙　'), ('その１　', 'その２　'), ('(イ) ', '(ロ) '), ('イ　', 'ロ　'), ('❶', '❷'), ('⑴', '⑵'), ('Step1 ' if False else '①．', '②．')]
SEP = [' ', '　', '  ', '　　', '\t', '\t\t', '：', ':', ': ', ' : ', '　：', '：　', '、', ',', ', ', '，', ' - ', '－', ' – ', ' — ', '―', '→', ' → ', ' ⇒ ', '->', ' => ', '=', ' = ', '＝', '…', '……', '・・・', '......', ' / ', '／', '|', ' | ', '｜', '；', ';', '　…　', ' ・ ', '~', '～', ' >> ' if False else ' ', '　→　',
       'のメールアドレス：', 'のメールアドレスは', '　メールアドレス：', ' メール：', ' E-mail: ', '　Ｅ－ｍａｉｌ：', ' e-mail：', ' mail:', ' Mail ', '　メアド：', ' ✉ ', '　📧', ' E-Mail→', '（E-mail）', '　アドレス　', ' 宛先：', ' Eﾒｰﾙ:', '　ﾒｰﾙｱﾄﾞﾚｽ：', ' (email) ', 'は、', 'は ', '　送付先：', ' 電子メール：', ' 電子メールアドレス：', '　メールアドレス　', '　mail：', ' ML:', ' E-mailｱﾄﾞﾚｽ:']
ADDR = [lambda a: a] * 12 + [lambda a: f'<{a}>', lambda a: f'＜{a}＞', lambda a: f'({a})', lambda a: f'（{a}）', lambda a: f'「{a}」', lambda a: f'[{a}]', lambda a: f'【{a}】', lambda a: f'〔{a}〕', lambda a: f'"{a}"', lambda a: f"'{a}'", lambda a: f'`{a}`', lambda a: f'“{a}”', lambda a: f'mailto:{a}', lambda a: f'<mailto:{a}>', lambda a: f'{a}<mailto:{a}>', lambda a: f'{a} <mailto:{a}>', lambda a: f'[{a}](mailto:{a})',
        lambda a: a.replace('@', '＠'), lambda a: a.translate(WIDE), lambda a: a + '。', lambda a: a + ';', lambda a: a + ',', lambda a: a + ' .', lambda a: a.upper(), lambda a: a[0].upper() + a[1:], lambda a: a.replace('-', '\u2011'), lambda a: a.replace('-', '－'), lambda a: '\u200b' + a, lambda a: a + '\u200b', lambda a: f'≪{a}≫', lambda a: f'*{a}*', lambda a: f'_{a}_', lambda a: f'** {a} **', lambda a: f'『{a}』', lambda a: f'〈{a}〉', lambda a: f'《{a}》', lambda a: f'｢{a}｣', lambda a: a + '（代表）', lambda a: a + '　※組織アドレス', lambda a: a + '（課代表）', lambda a: a + ' （担当：山田）', lambda a: a + '　電話03-1234-5678', lambda a: a + ' TEL:0123-45-6789', lambda a: a + '（内線 2345）', lambda a: a + ' 以上', lambda a: a + '　（共有）', lambda a: a + '（LGWAN）', lambda a: a + ' 〔組織メール〕', lambda a: a + '　感染症対策係', lambda a: a + '\u3000です。', lambda a: a + ' となります。', lambda a: a + 'です。', lambda a: a + 'です']
GREET = ['お世話になっております。', 'お世話になります。', '平素より大変お世話になっております。', 'いつもお世話になっております。', '平素は格別のご高配を賜り、厚く御礼申し上げます。', '日頃より感染症対策にご尽力いただき、感謝申し上げます。', '新型コロナウイルス感染症対策につきまして、御協力いただきありがとうございます。', '']
INTRO = ['標記の件につきまして、下記のとおり報告いたします。', '以下のとおり自治体、保健所のメールアドレスを連絡します。', '令和２年４月24日付け事務連絡により依頼のありましたメールアドレスについて、次のとおり連絡いたします。', '帰国者フォローアップシステムの利用に係るメールアドレスを送付いたします。', '標題の件、以下のとおりご連絡申し上げます。', '依頼のありました件について、下記のとおり回答します。', '首題の件、下記にてご登録をお願いいたします。', '本県分を取りまとめましたので、報告します。', 'メールアドレスを登録いたしたく、ご連絡いたします。', '4月24日付け厚生労働省健康局結核感染症課事務連絡に基づき、以下のとおり回答いたします。', '導入準備に関する照会について、下記のとおり回答します。', '', '照会のありました標記について、回答いたします。', '提出期限は4月30日までとのことでしたので、お送りします。', '遅くなり申し訳ございません。標記について報告いたします。']
CLOSE = ['以上、よろしくお願いいたします。', '以上です。よろしくお願いします。', 'よろしくお願いします。', '何卒よろしくお願い申し上げます。', 'ご査収のほどよろしくお願いいたします。', '以上', '以　上', 'ご確認のほどお願いいたします。', 'どうぞよろしくお願いいたします。', '御確認をお願いします。', '', 'ご不明な点がございましたら、下記までご連絡ください。', '御不明の点がありましたら担当まで御連絡をお願いいたします。', '以上、ご報告まで。', '取り急ぎ、ご報告申し上げます。', 'お手数をおかけしますが、ご対応のほどお願いいたします。', '引き続きどうぞよろしくお願いいたします。', 'まずは取り急ぎご連絡まで。', '今後ともよろしくお願いいたします。', '不備等ございましたらお知らせください。', '（担当：保健予防課 山田）']
RULE = ['-- ', '--------------------------', '――――――――――――――', '━━━━━━━━━━━━━━', '==========================', '＝＝＝＝＝＝＝＝＝＝', '**************************', '＊＊＊＊＊＊＊＊＊＊', '///////////////////////', '・・・・・・・・・・・・・', '◇◆◇◆◇◆◇◆◇◆', '+++++++++++++++++', '____________________', '~~~~~~~~~~~~~~~~~', '～～～～～～～～～～', '┏━━━━━━━━━━━━━━┓', '。。。。。。。。。。。', '□■□■□■□■□■', '.:*:・゜☆.:*:・゜☆.:*', '──────────────', '=+=+=+=+=+=+=', '※※※※※※※※※※', '-----', '－－－－－－－－－－', '※-----------------※', '', '', '']


def entry(w, name, address, style):
    """One tenant in a line or in the lines that follow."""
    kind, sep, deco, bullet, i = style
    b = bullet(i) if bullet else ''
    address = deco(address)
    if kind == 'line':
        return [b + name + sep + address]
    if kind == 'first':
        return [b + address + w.first_sep[0] + name + w.first_sep[1]]
    if kind == 'next':
        return [b + name, w.next_mark + address]
    if kind == 'kv':
        k1, k2, extra = w.kv
        out = [b + k1 + w.kv_sep + name] + [x for x in extra] + [('　' if b else '') + k2 + w.kv_sep + address]
        return out + w.kv_gap
    raise ValueError(kind)


def sections(w, order=None, rows=None, a=None):
    """Headings and entries: the body's heart. Sets tags."""
    r = w.r
    style = r.choice(['line'] * 8 + ['first', 'next', 'next', 'kv', 'kv'])
    sep = r.choice(SEP)
    deco = r.choice(ADDR)
    bullet = r.choice([None, None] + BULLETS)
    if style != 'line' and deco('x').endswith(('です。', 'です', 'ます。', '以上')):
        deco = ADDR[0]
    w.first_sep = r.choice([('　', ''), (' ', ''), ('（', '）'), (' (', ')'), ('：', ''), ('\t', ''), ('，', ''), (' ･･･ ', ''), (' … ', ''), (' ← ', '')])
    w.next_mark = r.choice(['', '　', '    ', '\t', '→', '　→ ', 'メールアドレス：', '　E-mail：', 'E-mail: ', '　メール　', 'mail: ', '　・', '　Ｅメール：', '（メールアドレス）', '：', '└ ', '　∟', 'アドレス　', '　✉ ', '- '])
    w.kv = (r.choice(['名称', '名　称', '機関名', '組織名', '所属名', '団体名', '施設名', '名前', '所属', '機関名称', '組織名称', '部署名', '宛名', '送付先名', '登録名']), r.choice(['メールアドレス', 'E-mail', 'メール', 'アドレス', 'Ｅメール', 'mail', 'Mail', 'e-mailアドレス', '電子メール', 'メールアドレス（１つ）', 'メールｱﾄﾞﾚｽ', '連絡先メールアドレス', '代表メールアドレス', '登録メールアドレス', 'メールアドレス（代表）']),
            r.choice([[], [], [], ['担当課：感染症対策課'], ['電話：03-1234-5678'], ['担当者：山田　太郎', '電話番号：０１２３－４５－６７８９'], ['住所：〒100-0001 中央1-1-1'], ['担当部署　保健予防課'], ['所在地：本町１丁目２番３号', 'TEL：03-1234-5678', 'FAX：03-1234-5679']]))
    w.kv_sep = r.choice(['：', ':', '　', ': ', '\t', '　：', '　・・・　', '＝', '→', '】' if False else '：'])
    w.kv_gap = r.choice([[], [], [''], ['']])
    if style == 'kv' and r.random() < .3:
        w.kv = ('{A}', w.kv[1], w.kv[2])
    head = r.choice(['bracket'] * 4 + ['number'])
    ha, hc = r.choice(HEAD_A), r.choice(HEAD_C)
    hc = hc.format(e=w.end, n=w.name, k=len(rows if rows is not None else w.rows))
    if head == 'bracket':
        o, c = r.choice(BRACKET)
        la, lc = o + ha + c, o + hc + c
    else:
        n1, n2 = r.choice(NUMBERED)
        la, lc = n1 + ha, n2 + hc
        if r.random() < .2:
            la, lc = la + '：', lc + '：'
        if order == 'centres':
            la, lc = n2 + ha, n1 + hc
    w.tags += [f'entry:{style}', f'head:{head}:{la[:1] if head == "bracket" else n1}', f'ha:{ha}', f'hc:{hc if len(hc) < 12 else hc[:6]}']
    if style == 'line':
        w.tags.append(f'sep:{sep!r}')
    w.tags.append('deco:' + deco('A'))
    if bullet:
        w.tags.append('bullet:' + bullet(0))
    if style == 'next':
        w.tags.append('nextmark:' + w.next_mark)
    if style == 'kv':
        w.tags.append('kv:' + w.kv[0] + w.kv_sep + w.kv[1])
    ind = r.choice(['', '', '', '　', '  ', '\t', '　　'])
    kva, kvc = w.kv, w.kv
    if w.kv[0] == '{A}':
        kva, kvc = (r.choice(['自治体名', '自治体', '自治体（保健所設置主体）']),) + w.kv[1:], (r.choice(['保健所名', '保健所', '保健所の名称']),) + w.kv[1:]
    A, C = [], []
    a = a if a is not None else (w.show_name(), w.a_addr)
    w.kv = kva
    A += [ind + x for x in entry(w, a[0], a[1], (style, sep, deco, bullet if r.random() < .5 else None, 0))]
    w.kv = kvc
    for i, (n, ad) in enumerate(rows if rows is not None else w.rows):
        C += [ind + x if x else x for x in entry(w, w.show_centre(n), ad, (style, sep, deco, bullet, i))]
        if style != 'kv' and w.gap:
            C.append('')
    gap = r.choice([[''], [''], [], ['', '']])
    g2 = r.choice([[], [], [], ['']])
    if order is None:
        order = r.choice(['a', 'a', 'a', 'a', 'centres'])
    if order == 'centres':
        w.tags.append('order:centres')
        return [lc] + g2 + C + gap + [la] + g2 + A
    return [la] + g2 + A + gap + [lc] + g2 + C


def signature(w):
    r = w.r
    rule = r.choice(RULE)
    other = w.addr()
    third = w.addr()
    first = r.choice([f'{w.name} {w.dept}', f'{w.name}{w.dept}', f'{w.name}役所　{w.dept}' if w.end in '市区' else f'{w.name}庁　{w.dept}', f'{w.person}（{w.name} {w.dept}）', f'〒100-0001 {w.a["prefecture"]}中央区本町1-1', f'{w.centres[0]} 保健予防課', w.person])
    lines = [first, r.choice([f'担当　{w.person}', f'主任　{w.person}', f'{w.person}', f'{w.person}（やまだ　たろう）', f'担当：{w.person}', f'感染症対策係長　{w.person}', f'係長 {w.person}', '']),
             r.choice(['TEL：03-1234-5678', '電話 03-1234-5678（内線2345）', '℡ 03-1234-5678', '直通：03-1234-5678', 'Phone: 03-1234-5678', '電話番号　０３－１２３４－５６７８', 'TEL/FAX 03-1234-5678/5679', '(直通) 03(1234)5678', '']),
             r.choice([f'E-mail：{w.me}', f'mail {w.me}', w.me, f'メール：{w.me}', f'e-mail: {w.me}', f'E-mail：{other}', f'メール：{other}', other, f'Mail: {w.me} / {other}', f'E-Mail {other}（課代表）', f'（課代表）{other}', f'（個人）{w.me}', ''])]
    if r.random() < .15:
        lines.append(r.choice(['https://www.' + w.domain + '/', 'URL：http://www.' + w.domain + '/kenko/', f'課代表：{third}', f'【組織アドレス】{third}', f'緊急時：{third}']))
    w.must_not += [other, third]
    if not any(x.strip() for x in lines):
        return []
    lines = [x for x in lines if x]
    w.tags.append('sig:' + (rule[:2] or 'none'))
    if r.random() < .15:
        lines = ['　' + x for x in lines]
    close = rule if rule.strip() and rule != '-- ' and r.random() < .6 else None
    if rule.startswith('┏'):
        return [rule] + ['┃' + x for x in lines] + ['┗━━━━━━━━━━━━━━┛']
    return ([rule] if rule else ['']) + lines + ([close] if close else [])


FOOTER = [['【お知らせ】当市ではメール無害化処理を実施しています。'], ['※このメールは機密情報を含む場合があります。誤って受信された場合は破棄してください。'], ['This e-mail is confidential. If you are not the intended recipient, please notify the sender.'], ['※本メールに心当たりのない場合は、お手数ですが下記までご連絡ください。', 'info@pref.osirase-rei.lg.jp'], ['#### このメールはウイルススキャン済みです ####'], ['～ 外出を控え、手洗いの徹底をお願いします ～', 'https://www.example.lg.jp/corona/']]
QUOTE = '''各都道府県、保健所設置市、特別区　衛生主管部（局）御中

厚生労働省健康局結核感染症課です。
以下の要領にて、各自治体及び保健所の連絡先をメールでお知らせください。

■件名：自治体・保健所メールアドレスの連絡（[[自治体名]]）
■宛先（TO）：covid19@bigtreetc.com
■宛先（CC）：follow-up@mhlw.go.jp
■本文（例）：
以下のとおり自治体、保健所のメールアドレスを連絡します。

<自治体（保健所設置主体）>
{A} {a}

<保健所>
{B} {b}
{C} {c}

<注意事項>
◇ 各自治体（保健所設置主体）及び各保健所で、それぞれ1つのメールアドレスのみを記載してください。'''


def quote(w):
    """The instruction below one's own words, as mail programs put it there."""
    r = w.r
    real = r.random() < .4
    ex = dict(A='霞関市', a='hoken@city.kasumigaseki-rei.lg.jp', B='霞関市中央保健所', b='chuo@city.kasumigaseki-rei.lg.jp', C='霞関市東部保健所', c='tobu@city.kasumigaseki-rei.lg.jp') if real else dict(A='〇〇市', a='xxxxx@xxxx.xx.xx', B='□□保健所', b='xxxxx@xxxx.xx.xx', C='△△保健所', c='xxxxx@xxxx.xx.xx')
    if real:
        w.must_not += [ex['a'], ex['b'], ex['c']]
    text = QUOTE.format(**ex).split('\n')
    F, T = 'kekkaku@mhlw-rei.go.jp', 'hoken@' + w.domain
    k = r.choice(['gt', 'gmail', 'gmail-ja', 'wrote', 'outlook', 'outlook-ja', 'orig', 'underscore', 'thunder', 'moto', 'apple', 'bar', 'garoon', 'ol-bold', 'gt-wide', 'outlook-ja-nosep', 'ja2', 'indent'])
    w.tags.append('quote:' + k)
    q = lambda p: [p + x for x in text]
    if k == 'gt':
        return ['> ' + x for x in text]
    if k == 'gt-wide':
        return ['＞' + x for x in text]
    if k == 'bar':
        return ['厚生労働省健康局結核感染症課 さんは書きました：'] + ['| ' + x for x in text]
    if k == 'gmail':
        return [f'On Fri, Apr 24, 2020 at 6:10 PM 結核感染症課 <{F}> wrote:'] + q('> ')
    if k == 'apple':
        return [f'2020/04/24 18:10、結核感染症課 <{F}>のメール:', ''] + q('> ')
    if k == 'gmail-ja':
        return [f'2020年4月24日(金) 18:10 結核感染症課 <{F}>:'] + q('> ')
    if k == 'wrote':
        return [f'"結核感染症課" <{F}> wrote:'] + q('> ')
    if k == 'thunder':
        return ['On 2020/04/24 18:10, 結核感染症課 wrote:'] + q('> ')
    if k == 'outlook':
        return [f'From: 結核感染症課 <{F}>', 'Sent: Friday, April 24, 2020 6:10 PM', f'To: {T}', 'Subject: 【厚生労働省】帰国者フォローアップシステムの導入準備について', ''] + text
    if k == 'outlook-ja':
        return ['-----元のメッセージ-----' if False else '________________________________', f'差出人: 結核感染症課 <{F}>', '送信日時: 2020年4月24日 18:10', f'宛先: {T}', '件名: 【厚生労働省】帰国者フォローアップシステムの導入準備について', ''] + text
    if k == 'outlook-ja-nosep':
        return [f'差出人: 結核感染症課 <{F}> ', '日付: 2020年4月24日金曜日 18:10', f'宛先: {T}', 'CC: ', '件名: 【厚生労働省】帰国者フォローアップシステムの導入準備について', ''] + text
    if k == 'ja2':
        return ['', f'送信者：結核感染症課 <{F}>', '送信日時：2020/04/24 18:10', f'受信者：{T}', '件名：導入準備について', ''] + text
    if k == 'ol-bold':
        return [f'*From:* 結核感染症課 <{F}>', '*Sent:* Friday, April 24, 2020 6:10 PM', f'*To:* {T}', '*Subject:* 導入準備', ''] + text
    if k == 'orig':
        return ['-----Original Message-----', f'From: 結核感染症課 [mailto:{F}]', 'Sent: Friday, April 24, 2020 6:10 PM', f'To: {T}', 'Subject: 導入準備', ''] + text
    if k == 'moto':
        return ['----- 元のメッセージ -----', f'From: {F}', f'To: {T}', 'Date: 2020-04-24, 18:10:00', 'Subject: 導入準備', ''] + text
    if k == 'garoon':
        return ['----- Original Message -----', f'差出人: "結核感染症課" <{F}>', f'宛先: {T}', '送信日時: 2020年4月24日金曜日 18:10:22', '件名: 導入準備', ''] + ['> ' + x for x in text]
    if k == 'indent':
        return [f'結核感染症課 <{F}> さんは2020年4月24日に書きました：', ''] + ['>' + x for x in text]
    return ['', '________________________________', f'From: 結核感染症課 <{F}>', 'Sent: Friday, April 24, 2020 6:10:22 PM', f'To: {T}', 'Subject: 導入準備', ''] + text


def opening(w):
    r = w.r
    out = []
    if r.random() < .4:
        out += [r.choice(['厚生労働省　帰国者フォローアップシステム担当　様', '株式会社ビッグツリーテクノロジー＆コンサルティング　御中', 'ご担当者　様', '帰国者フォローアップシステム　ご担当者様', '（CC：厚生労働省）', '厚生労働省健康局結核感染症課　御中', '関係者各位']), '']
    g = r.choice(GREET)
    if g:
        out.append(g)
    out.append(r.choice([f'{w.name}の{w.person.split()[0]}です。', f'{w.name}{w.dept}の{w.person.split()[0]}と申します。', f'{w.name} {w.dept} {w.person}です。', f'{w.name}です。', '']))
    i = r.choice(INTRO)
    if i:
        out += ['', i]
    if r.random() < .12:
        out += ['', '記' if r.random() < .5 else '　　　　　　　　記']
    return [x for x in out] + ['']


def ending(w):
    out = [''] + [w.r.choice(CLOSE)]
    if w.r.random() < .85:
        out += [''] * w.r.randint(0, 2) + signature(w)
    if w.r.random() < .15:
        out += [''] + w.r.choice(FOOTER)
    return out


def dress_body(w, heart):
    return opening(w) + heart + ending(w)


# --- the cases -------------------------------------------------------------------------------------------------------
def plain(w):
    return dress_body(w, sections(w))


def with_quote(w):
    b = dress_body(w, sections(w)) + ['', '']
    return b + quote(w)


def tables(w):
    r = w.r
    k = r.choice(['kind-col', 'kind-col-once', 'no-col', 'pipe', 'box', 'csv', 'csv-quoted', 'wide', 'md', 'tab-head', 'contact-cols', 'pipe-kind'])
    w.tags.append('table:' + k)
    ka, kc = r.choice([('自治体', '保健所'), ('自治体（保健所設置主体）', '保健所'), ('設置主体', '保健所'), ('本庁', '保健所'), ('自治体', '〃')][:4])
    rows = [(ka, w.name, w.a_addr)] + [(kc, n, a) for n, a in w.rows]
    if k in ('kind-col', 'kind-col-once'):
        out = ['区分\t名称\tメールアドレス']
        last = None
        for x in rows:
            out.append(('' if k == 'kind-col-once' and x[0] == last else x[0]) + '\t' + x[1] + '\t' + x[2])
            last = x[0]
    elif k == 'no-col':
        out = ['No\t区分\t名称\tメールアドレス'] + [f'{i + 1}\t{x[0]}\t{x[1]}\t{x[2]}' for i, x in enumerate(rows)]
    elif k == 'pipe-kind':
        out = ['| 区分 | 名称 | メールアドレス |'] + [f'| {x[0]} | {x[1]} | {x[2]} |' for x in rows]
    elif k == 'pipe':
        out = ['<自治体（保健所設置主体）>', f'| {w.name} | {w.a_addr} |', '', '<保健所>'] + [f'| {n} | {a} |' for n, a in w.rows]
    elif k == 'md':
        out = ['| 区分 | 名称 | メールアドレス |', '|---|---|---|'] + [f'| {x[0]} | {x[1]} | {x[2]} |' for x in rows]
    elif k == 'box':
        out = ['┌─────┬──────┬────────┐', '│区分　│名称　　　│メールアドレス　│', '├─────┼──────┼────────┤'] + [f'│{x[0]}│{x[1]}│{x[2]}│' for x in rows] + ['└─────┴──────┴────────┘']
    elif k == 'csv':
        out = ['区分,名称,メールアドレス'] + [','.join(x) for x in rows]
    elif k == 'csv-quoted':
        out = ['"区分","名称","メールアドレス"'] + [','.join(f'"{y}"' for y in x) for x in rows]
    elif k == 'wide':
        out = ['区分　　　名称　　　　メールアドレス'] + [f'{x[0]}　　{x[1]}　　　{x[2]}' for x in rows]
    elif k == 'tab-head':
        out = ['＜自治体（保健所設置主体）＞', '名称\tメールアドレス', f'{w.name}\t{w.a_addr}', '＜保健所＞', '名称\tメールアドレス'] + [f'{n}\t{a}' for n, a in w.rows]
    else:
        out = ['■自治体', '機関名\t担当課\t担当者\t電話番号\tメールアドレス', f'{w.name}\t{w.dept}\t{w.person}\t03-1234-5678\t{w.a_addr}', '■保健所', '機関名\t担当課\t担当者\t電話番号\tメールアドレス'] + [f'{n}\t保健予防課\t{r.choice(FAMILY)}\t03-1234-567{i % 10}\t{a}' for i, (n, a) in enumerate(w.rows)]
    return dress_body(w, out)


def html_table(w):
    r = w.r
    k = r.choice(['kind', 'rowspan', 'two', 'list', 'dl', 'div', 'th', 'sections-in-rows', 'nested-p'])
    w.tags.append('html:' + k)
    L = r.random() < .4
    m = lambda a: f'<a href="mailto:{a}">{a}</a>' if L else a
    if k == 'kind':
        t = '<table border=1><tr><th>区分</th><th>名称</th><th>メールアドレス</th></tr>' + f'<tr><td>自治体</td><td>{w.name}</td><td>{m(w.a_addr)}</td></tr>' + ''.join(f'<tr><td>保健所</td><td>{n}</td><td>{m(a)}</td></tr>' for n, a in w.rows) + '</table>'
    elif k == 'rowspan':
        t = '<table><tr><td>自治体</td><td>' + w.name + f'</td><td>{m(w.a_addr)}</td></tr>' + ''.join((f'<tr><td rowspan={len(w.rows)}>保健所</td>' if i == 0 else '<tr>') + f'<td>{n}</td><td>{m(a)}</td></tr>' for i, (n, a) in enumerate(w.rows)) + '</table>'
    elif k == 'two':
        t = f'<p>＜自治体（保健所設置主体）＞</p><table><tr><td>{w.name}</td><td>{m(w.a_addr)}</td></tr></table><p>＜保健所＞</p><table>' + ''.join(f'<tr><td><p>{n}</p></td><td><p>{m(a)}</p></td></tr>\n' for n, a in w.rows) + '</table>'
    elif k == 'nested-p':
        t = f'<p><b>自治体（保健所設置主体）</b></p><table><tr><td><p class=MsoNormal><span>{w.name}</span></p></td><td><p class=MsoNormal><span>{m(w.a_addr)}</span></p></td></tr></table><p><b>保健所</b></p><table>' + ''.join(f'<tr>\r\n<td>\r\n<div>{n}</div>\r\n</td>\r\n<td>\r\n<div>{m(a)}</div>\r\n</td>\r\n</tr>\n' for n, a in w.rows) + '</table>'
    elif k == 'list':
        t = f'<p>■自治体</p><ul><li>{w.name} {m(w.a_addr)}</li></ul><p>■保健所</p><ol>' + ''.join(f'<li>{n}&nbsp;&nbsp;{m(a)}</li>' for n, a in w.rows) + '</ol>'
    elif k == 'dl':
        t = f'<h3>自治体</h3><dl><dt>{w.name}</dt><dd>{m(w.a_addr)}</dd></dl><h3>保健所</h3><dl>' + ''.join(f'<dt>{n}</dt><dd>{m(a)}</dd>' for n, a in w.rows) + '</dl>'
    elif k == 'div':
        t = f'<div>【自治体】</div><div>{w.name}：{m(w.a_addr)}</div><div><br></div><div>【保健所】</div>' + ''.join(f'<div><font size=2>{n}</font>：<b>{m(a)}</b></div>' for n, a in w.rows)
    elif k == 'th':
        t = f'<table><tr><th>自治体（保健所設置主体）</th><td>{w.name}</td><td>{m(w.a_addr)}</td></tr>' + ''.join(f'<tr><th>保健所</th><td>{n}</td><td>{m(a)}</td></tr>' for n, a in w.rows) + '</table>'
    else:
        t = f'<table><tr><td colspan=2>自治体（保健所設置主体）</td></tr><tr><td>{w.name}</td><td>{m(w.a_addr)}</td></tr><tr><td colspan=2>保健所</td></tr>' + ''.join(f'<tr><td>{n}</td><td>{m(a)}</td></tr>' for n, a in w.rows) + '</table>'
    w.html = ''.join(f'<p>{x or "&nbsp;"}</p>' for x in opening(w)) + t + ''.join(f'<p>{x}</p>' for x in ending(w) if x.strip())
    w.force = 'html'
    return ['']


def prose(w):
    w.soft()
    w.tags.append('prose')
    r = w.r
    if r.random() < .5:
        return dress_body(w, [f'{w.name}のメールアドレスは {w.a_addr} です。'] + [f'{n}のメールアドレスは {a} です。' for n, a in w.rows])
    return dress_body(w, [f'自治体：{w.name}のアドレスは、{w.a_addr}です。'] + [f'保健所：{n}のアドレスは、{a}です。' for n, a in w.rows])


def no_headings(w):
    w.soft()
    w.tags.append('no-headings')
    s = w.c(' ', '　', '：', '\t')
    return dress_body(w, [f'{w.name}{s}{w.a_addr}'] + [f'{n}{s}{a}' for n, a in w.rows])


def no_centre_heading(w):
    w.must()
    w.review = 'must' if w.c(1) else ''
    w.tags.append('no-centre-heading')
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', ''] )


def several(w):
    """Several addresses on a line: the first counts."""
    w.tags.append('several-in-line')
    s = w.c('、', ', ', ' / ', '，', '；', ' ', '　', '及び', ' または ', '・', ' or ', ' & ', '\t', '　と　', ' ／ ', '（副：', ' CC:', '，（予備）')
    i = w.r.randrange(len(w.rows))
    x = w.addr()
    w.must_not.append(x)
    rows = [list(y) for y in w.rows]
    rows[i][1] += s + x + ('）' if '（副' in s else '')
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '', '<保健所>'] + [f'{n} {a}' for n, a in rows])


def typo(w):
    """An address that is none, or is mistyped."""
    w.must()
    r = w.r
    i = r.randrange(-1, len(w.rows))
    good = w.a_addr if i < 0 else w.rows[i][1]
    l, d = good.split('@')
    k, bad = r.choice([('no-at', f'{l}{d}'), ('no-at-space', f'{l} {d}'), ('comma', f'{l}@{d.replace(".", ",", 1)}'), ('touten', f'{l}@{d.replace(".", "、", 1)}'), ('kuten', f'{l}@{d.replace(".", "。", 1)}'), ('space-in-domain', f'{l}@{d.replace(".", ". ", 1)}'), ('space-in-local', f'{l[:2]} {l[2:]}@{d}'), ('two-dots', f'{l}@{d.replace(".", "..", 1)}'), ('two-at', f'{l}@@{d}'), ('cut', f'{l}@{d[:-3]}'), ('cut2', f'{l}@{d.split(".")[0]}'), ('cut3', f'{l}@'), ('1g', f'{l}@{d.replace(".lg.", ".1g.")}' if '.lg.' in d else f'{l}@{d[:-1]}'), ('jpp', good + 'p'), ('jo', good[:-1] + 'o'), ('at-word', f'{l}アットマーク{d}'), ('at-paren', f'{l}(at){d}'), ('at-bracket', f'{l}[at]{d}'), ('at-en', f'{l} at {d}'), ('kakko-at', f'{l}（アット）{d}'), ('star', f'{l}★{d}'), ('hash', f'{l}#{d}'), ('no-dot', f'{l}@{d.replace(".lg.jp", "lg.jp")}' if '.lg.' in d else f'{l}@{d[:-3]}jp'), ('local-missing', f'@{d}'), ('swap', f'{l}@{d[0]}{d[2]}{d[1]}{d[3:]}'), ('drop', f'{l}@{d[:6]}{d[7:]}'), ('double', f'{l}@{d[:6]}{d[5]}{d[6:]}'), ('lg-jp', f'{l}@{d.replace(".jp", "-jp")}'), ('semicolon', f'{l}@{d.replace(".", ";", 1)}'), ('colon', f'{l}@{d.replace(".", ":", 1)}'), ('slash', f'{l}@{d.replace(".", "/", 1)}'), ('trailing-hyphen-domain', f'{l}@{d.replace(".", "-.", 1)}'), ('jp-missing-dot', f'{l}@{d[:-3]}jp'), ('full-stop-local', f'.{l}@{d}'), ('com', f'{l}@{d[:-2]}com'), ('hiragana', f'{l}＠{d[:-2]}ｊｐう'), ('kana', f'{l}@{d[:5]}ー{d[5:]}'), ('quote', f"{l}'@{d}"), ('br', f'{l}@{d[:8]}\n{d[8:]}'), ('br2', f'{l}@\n{d}'), ('br3', f'{l}\n@{d}'), ('ig', f'{l}@{d.replace(".lg.", ".Ig.").replace(".tokyo", ".tokio").replace(".osaka", ".oosaka").replace(".aichi", ".achi").replace(".fukuoka", ".fukuaka")}'), ('go', f'{l}@{d.replace(".lg.", ".go.")}' if '.lg.' in d else f'{l}@{d[:-3]}'), ('dot-before-at', f'{l}.@{d}'), ('jp.', f'{l}@{d}.lg'), ('twice-jp', f'{l}@{d}.jp'), ('paren-inside', f'{l}@{d[:5]}（{d[5:]}'), ('lgjp-comma', f'{l}@{d[:-3]},jp'), ('xx', f'{l}@{d[:-3]}.jp,'[:-1] + 'x')])
    w.tags += ['typo:' + k, 'typo-at:' + ('authority' if i < 0 else 'centre')]
    w.bad = bad
    rows = [list(x) for x in w.rows]
    if i < 0:
        shown = (w.name, bad)
        w.a_guess, w.a_addr = w.a_addr, None
    else:
        shown = (w.name, w.a_addr)
        rows[i][1] = bad
        w.guess[i] = good
        w.rows[i][1] = None
    s = r.choice([' ', '　', '：', '\t'])
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{shown[0]}{s}{shown[1]}', '', '<保健所>'] + [f'{n}{s}{a}' for n, a in rows])


def pending(w):
    w.must()
    i = w.r.randrange(len(w.rows))
    words = w.c('後日連絡します', '未定', '調整中', '（後日）', '準備中です', '現在取得中', '別途連絡', '確認中のため後日報告', 'なし', '－', '', '追って連絡', '未取得', '作成中（5月1日予定）', '‐', '空欄', '未設定', '照会中', '不明', 'メールアドレスなし', '該当なし', '*', '後送', '？', '検討中', '申請中')
    w.tags.append('pending:' + words)
    s = w.c(' ', '　', '：', '\t')
    rows = [list(x) for x in w.rows]
    rows[i][1] = words
    w.rows[i][1] = None
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name}{s}{w.a_addr}', '', '<保健所>'] + [f'{n}{s}{a}' if a else n for n, a in rows])


def foreign(w):
    w.must()
    i = w.r.randrange(-1, len(w.rows))
    d = w.c('gmail.com', 'yahoo.co.jp', 'docomo.ne.jp', 'outlook.jp', 'kenko-rei.co.jp', 'example-rei.ne.jp', 'hotmail.co.jp', 'ezweb.ne.jp', 'softbank.ne.jp', 'hoken-rei.com', 'rei.cn', 'i.softbank.jp', 'icloud.com', 'rei-clinic.or.jp', 'rei-u.ac.jp', 'ybb.ne.jp', 'ocn.ne.jp', 'nifty.com', 'plala.or.jp', 'hoken-rei.net', 'hoken-rei.info', 'hoken-rei.biz', 'hoken-rei.org', 'ymobile.ne.jp')
    w.tags.append('foreign:' + d)
    x = 'hoken' + str(w.r.randint(1, 99)) + '@' + d
    if i < 0:
        w.a_addr = x
    else:
        w.rows[i][1] = x
    return dress_body(w, sections(w))


def question(w):
    w.must()
    q = w.c('なお、端末は各保健所に何台必要でしょうか。', 'ところで、利用開始日はいつになりますか？', '支所についても登録が必要かご教示ください。', 'ご確認いただきたいのですが、証明書は何枚発行されますか。', '添付様式はありますでしょうか。', '1点質問です。Windows7でも利用可能ですか。', 'メールアドレスは後から変更可能でしょうか？', '保健センターも登録の対象となるか、お知らせ願います。', 'また、マニュアルの送付時期について教えてください。', '支所の取扱いについて御教示願います。', '登録後の流れについて、ご教授いただけますと幸いです。', '期限に間に合わない場合の扱いはどうなりますか')
    w.tags.append('question')
    h = sections(w)
    return opening(w) + (h + ['', q] if w.r.random() < .6 else [q, ''] + h) + ending(w)


def pending_sentence(w):
    w.must()
    w.tags.append('later-sentence')
    q = w.c('なお、残りの保健所については追って連絡します。', '※他の保健所分は後日送付いたします。', 'その他の保健所については、現在とりまとめ中ですので、後日報告します。')
    if len(w.rows) > 1:
        w.rows.pop()
    h = sections(w)
    return opening(w) + h + ['', q] + ending(w)


def note_nothing(w):
    """Remarks that change nothing."""
    w.tags.append('harmless-note')
    q = w.c('なお、上記アドレスは課の共有アドレスです。', '※メールは担当者全員が確認できます。', 'なお、担当者の変更があった場合は改めてご連絡します。', '閉庁日は確認できませんので、ご了承ください。', 'なお、容量の上限は5MBです。', '※いずれも組織のアドレスであり、個人のものではありません。', '本件担当は感染症対策係です。', '添付ファイルは無害化されるため、本文での送付をお願いします。', 'メールの受信には無害化処理のため数分を要します。', '上記のとおり登録をお願いいたします。', '各保健所には周知済みです。', 'ご不明な点がありましたら、担当までお問い合わせください。', '担当は山田です。ご質問等ありましたらお問い合わせください。', '※土日祝日の対応はできません。', '内容に誤りがある場合はご連絡ください。', '登録完了後、お知らせいただけますと幸いです。', '当方から厚生労働省にもCCで送付しています。', 'なお、保健所は中核市である当市が設置しています。', '変更が生じた場合は、改めて連絡いたします。', '今後変更があれば、その都度ご連絡いたします。', '御不明な点があれば御連絡願います。')
    h = sections(w)
    w.tags.append('note:' + q[:12])
    return opening(w) + (h + ['', q] if w.r.random() < .7 else [q, ''] + h) + ending(w)


def forward(w):
    w.soft()
    r = w.r
    k = r.choice(['outlook', 'gmail', 'thunder', 'ja', 'orig', 'apple', 'ja-begin', 'ja-fields'])
    w.tags.append('forward:' + k)
    w.subject = r.choice(['Fwd: ', 'FW: ', 'Fw: ', '転送: ', 'FWD:', '【転送】', 'Fw：']) + w.subject
    b = dress_body(w, sections(w))
    x = w.addr(True)
    w.must_not.append(x)
    top = r.choice([['転送いたします。', ''], ['下記のとおり転送します。よろしくお願いいたします。', ''], [f'{w.name}です。宛先に誤りがあったため転送いたします。', ''], ['']])
    F = f'{w.person} <{x}>'
    if k == 'outlook':
        return top + [f'From: {F}', 'Sent: Monday, April 27, 2020 11:32 AM', 'To: covid19@bigtreetc.co', f'Subject: {w.subject}', ''] + b
    if k == 'gmail':
        return top + ['---------- Forwarded message ---------', f'From: {F}', 'Date: 2020年4月27日(月) 11:32', 'Subject: x', 'To: <covid19@bigtreetc.co>', '', ''] + b
    if k == 'thunder':
        return top + ['-------- Forwarded Message --------', 'Subject: \t自治体・保健所メールアドレスの連絡', 'Date: \tMon, 27 Apr 2020 11:32:00 +0900', f'From: \t{F}', 'To: \tcovid19@bigtreetc.co', '', ''] + b
    if k == 'ja':
        return top + ['-------- 転送メッセージ --------', '件名: \t自治体・保健所メールアドレスの連絡', '日付: \t2020年4月27日', f'差出人: \t{F}', '宛先: \tcovid19@bigtreetc.co', ''] + b
    if k == 'ja-begin':
        return top + ['----- 転送されたメール ここから -----', f'差出人：{F}', '送信日時：2020年4月27日 11:32', '宛先：covid19@bigtreetc.co', '件名：自治体・保健所メールアドレスの連絡', ''] + b
    if k == 'ja-fields':
        return top + [f'差出人: {F}', '送信日時: 2020年4月27日 11:32', '宛先: covid19@bigtreetc.co', '件名: 自治体・保健所メールアドレスの連絡', ''] + b
    if k == 'apple':
        return top + ['Begin forwarded message:', '', f'差出人: {F}', '日時: 2020年4月27日 11:32:00 JST', '宛先: covid19@bigtreetc.co', '件名: 自治体・保健所メールアドレスの連絡', ''] + ['> ' + z if z else '>' for z in b]
    return top + ['-----Original Message-----', f'From: {F}', 'Sent: Monday, April 27, 2020 11:32 AM', 'To: covid19@bigtreetc.co', 'Subject: x', ''] + b


def between(w):
    """Answers between the quoted lines of the instruction."""
    w.tags.append('between-quotes')
    r = w.r
    p = r.choice(['> ', '>', '>> '])
    a = [p + '厚生労働省健康局結核感染症課です。', p + '以下の要領にて、連絡先をメールでお知らせください。', p.strip(), p + '<自治体（保健所設置主体）>']
    own1 = [f'{w.name} {w.a_addr}']
    own2 = [f'{n} {x}' for n, x in w.rows]
    tm = r.random() < .5
    if tm:
        a.append(p + '〇〇市 xxxxx@xxxx.xx.xx')
    b = [p.strip(), p + '<保健所>'] + ([p + '□□保健所 xxxxx@xxxx.xx.xx'] if tm else [])
    return opening(w) + [f'2020年4月24日(金) 18:10 結核感染症課 <kekkaku@mhlw-rei.go.jp>:'] + a + [''] + own1 + [''] + b + [''] + own2 + ending(w)


def correction(w):
    r = w.r
    w.kind_ = 'correction'
    w.review = 'may'
    w.partial = True
    k = r.choice(['goser', 'inline', 'arrow', 'table', 'full', 'one', 'before-after', 'add', 'withdraw', 'replace', 'old-new', 'paren', 'right-first', 'authority'])
    w.tags.append('correction:' + k)
    i = r.randrange(len(w.rows))
    n, good = w.rows[i]
    bad = w.addr()
    w.must_not.append(bad)
    lead = r.choice(['先日お送りした内容に誤りがありましたので、訂正をお願いします。', '4月27日に報告したメールアドレスについて、下記のとおり訂正いたします。', '昨日のメールに記載誤りがありました。お詫びして訂正いたします。', 'メールアドレスに変更が生じましたので、登録の修正をお願いいたします。', '先に送付した連絡を差し替えさせていただきます。'])
    w.subject = r.choice(['【訂正】', '（訂正）', '【差替え】', '[再送・訂正] ', '訂正：', '【修正】', '【変更】', '']) + w.subject
    only = lambda: [[n, good]]
    if k == 'full':
        w.partial = False
        return [lead, ''] + sections(w) + ending(w)
    if k == 'replace':
        w.partial = False
        return ['先ほどのメールは破棄し、こちらに差し替えてください。', ''] + sections(w) + ending(w)
    a = w.a_addr
    w.a_addr = None
    if k == 'add':
        w.accept_kind = ['registration']
        w.rows = only()
        return [r.choice(['先日の報告から１か所漏れておりましたので、追加をお願いします。', '下記の保健所を追加で登録願います。', '１件追加をお願いいたします。']), '', '<保健所>', f'{n} {good}'] + ending(w)
    if k == 'withdraw':
        w.must()
        w.rows = []
        return [r.choice(['先日の登録を取り下げます。', f'{n}の登録を取り消してください。', '先ほどお送りしたメールは誤りでしたので、取り消しをお願いいたします。', f'先日連絡した{n}については、登録の削除をお願いします。', '送付した内容を撤回いたします。']), ''] + ending(w)
    if k == 'authority':
        w.rows = []
        w.a_addr = a
        return [lead, '', '<自治体（保健所設置主体）>', f'誤：{w.name} {bad}', f'正：{w.name} {a}'] + ending(w)
    w.rows = only()
    body = {
        'goser': ['＜保健所＞', f'（誤）{n}　{bad}', f'（正）{n}　{good}'],
        'inline': ['＜保健所＞', f'{n}　誤：{bad}　正：{good}'],
        'arrow': ['＜保健所＞', f'{n}　{bad} → {good}'],
        'table': [r.choice(['保健所名\t誤\t正', '保健所\t変更前\t変更後', '名称\t旧\t新']), f'{n}\t{bad}\t{good}'],
        'one': ['<保健所>', f'{n} {good}'],
        'before-after': ['<保健所>', n, f'　変更前：{bad}', f'　変更後：{good}'],
        'old-new': ['■保健所', f'旧　{n} {bad}', f'新　{n} {good}'],
        'paren': ['<保健所>', f'{n} {good}（誤：{bad}）'],
        'right-first': ['<保健所>', f'正　{n} {good}', f'誤　{n} {bad}'],
    }[k]
    return [f'{w.name}の{w.person}です。', lead, ''] + body + ending(w)


def inquiry(w):
    w.kind_, w.review = 'inquiry', 'may'
    q = w.c('ユーザID・パスワードはいつ頃届きますでしょうか。', '証明書のインストールがうまくいきません。対処方法をご教示ください。', '登録のメールアドレスは1つの保健所につき1つでよろしいでしょうか。', 'システムの動作環境について教えてください。', '別紙の端末要件について質問があります。スマートフォンでも利用できますか。', '先日メールアドレスの連絡をしましたが、届いておりますでしょうか。', '取得用URLの有効期限が切れてしまいました。再発行をお願いできますか。', '支所は保健所として登録すべきか、お伺いいたします。', '担当者が異動した場合の手続きはどのようになりますか。', '締切を過ぎていますが、まだ登録は可能でしょうか？', '証明書の取得用パスワードが届きません。再送をお願いします。', '「利用機関」に保健センターは含まれますか。', '連絡先の電話番号を教えていただけますか。')
    w.subject = w.c('帰国者フォローアップシステムについて', '【照会】帰国者フォローアップシステムの登録について', 'お問い合わせ', '質問', 'Re: 帰国者フォローアップシステムの導入準備について', w.subject, '導入準備に係る質問', 'クライアント証明書について', '（照会）登録について', 'ご相談')
    w.tags.append('inquiry')
    b = opening(w)[:4] + ['', q] + ending(w)
    if w.r.random() < .3:
        b += [''] + quote(w)
    w.rows, w.a_addr = [], None
    return b


def auto_reply(w):
    w.kind_, w.review = 'auto-reply', 'no'
    k = w.c('header', 'noheader', 'exchange', 'noheader-body', 'precedence', 'en', 'vacation')
    w.tags.append('auto:' + k)
    body = w.c(['このメールは自動送信されています。', 'ただいま不在にしております。', '5月7日以降に確認いたします。'], [f'{w.person}は、4月29日から5月6日まで不在にしております。', 'お急ぎの場合は下記までご連絡ください。', w.addr()], ['メールを受信しました。', '※このメールは自動応答により送信しております。', '本メールへの返信はできません。'], ['ご連絡ありがとうございます。', '現在、休暇をいただいております。', '返信は5月7日以降となります。'], ['※本メールは自動返信メールです。', 'お問い合わせを受け付けました。担当者より折り返しご連絡いたします。'])
    s = w.c('自動応答: 登録受付のお知らせ', '【自動返信】メールを受信しました', '不在通知', 'Re: 登録受付のお知らせ', '不在のお知らせ', '自動応答メール', '【不在】Re: 登録受付のお知らせ', '(自動返信) 受付完了', '出張中のため不在です')
    if k == 'header':
        w.headers.append('Auto-Submitted: auto-replied')
    elif k == 'exchange':
        s = w.c('自動応答: ', 'Automatic reply: ', '自動返信: ') + '登録受付のお知らせ'
        w.headers.append('X-Auto-Response-Suppress: All')
        w.headers.append('Auto-Submitted: auto-generated')
    elif k == 'precedence':
        w.headers.append('Precedence: auto_reply')
        body = ['このメールは自動で送信しています。'] + body
    elif k == 'vacation':
        w.headers.append('X-Autoreply: yes')
    elif k == 'en':
        s = w.c('Automatic reply: notice', 'Out of Office: notice', 'Out of Office AutoReply: notice', 'Auto: Re: notice', 'Auto-Reply: notice')
        body = ['I am out of the office until May 7.', 'For urgent matters contact ' + w.addr()]
    elif k == 'noheader':
        s = w.c('自動応答: 登録受付のお知らせ', '【自動返信】メールを受信しました', '不在通知', '不在のお知らせ', '自動応答メール', '【不在】Re: 登録受付のお知らせ', '(自動返信) 受付完了')
    else:
        w.headers.append('Return-Path: <>')
        body = w.c(['このメールは自動送信です。', '4月29日から5月6日まで休暇のため不在です。'], ['※このメールは自動応答により送信しております。', 'メールを受信しました。'], ['本メールは自動返信です。', '受け付けました。'])
    w.subject = s
    w.rows, w.a_addr = [], None
    return body + ([''] + [f'{w.name} {w.dept}'] if w.r.random() < .5 else [])


def spam(w):
    w.kind_, w.review = 'spam', 'may'
    w.accept_kind = ['other']
    w.me = 'info@' + w.c('shop-rei.com', 'mask-rei.cn', 'seo-rei.net', 'loan-rei.biz')
    w.subject, b = w.c(('マスク在庫のご案内', ['マスク50枚入りを優先供給いたします。', 'https://shop-rei.com/mask']), ('【重要】アカウントの確認', ['お客様のアカウントが停止されました。', 'http://login-rei.com/']), ('検索順位を上げませんか', ['SEO対策のご提案です。無料診断はこちら https://seo-rei.net/']), ('Invoice 20393', ['Please see the attached invoice.', 'http://inv-rei.com/x']), ('PCR検査キットのご案内', ['検査キットを特別価格で提供いたします。ご注文は下記まで。', 'sales@shop-rei.com']), ('自治体様向け　除菌水のご提案', ['自治体・保健所様に除菌水をご案内しております。', 'お申込み: order@shop-rei.com', '配信停止はこちら https://shop-rei.com/stop']))
    w.tags.append('spam')
    w.rows, w.a_addr = [], None
    return b


def other(w):
    w.kind_, w.review = 'other', 'may'
    w.accept_kind = ['inquiry']
    w.subject, b = w.c(('Re: 登録受付のお知らせ', ['ご連絡ありがとうございます。承知しました。']), ('Web会議の開催について', ['下記のとおりWeb会議を開催します。', '日時：5月1日（金）10:00', '申込先：kaigi@' + w.domain]), ('メール送信テスト', ['テストメールです。']), ('Re: 登録内容の確認', ['登録内容について確認しました。相違ありません。']), ('患者情報の送付', ['発生届を送付します。']), ('人事異動のお知らせ', ['4月1日付けで着任しました。よろしくお願いいたします。']), ('名簿の送付', ['感染症対策担当者名簿を送付します。', f'{w.name} {w.addr()}', f'{w.centres[0]} {w.addr()}']) if False else ('受領しました', ['資料を受領しました。ありがとうございました。']))
    w.tags.append('other')
    w.rows, w.a_addr = [], None
    return opening(w)[:3] + b + ending(w)


def unknown(w):
    w.must()
    n = w.c('府中市', '武蔵野市', '木更津市', '草加市', '北広島市', '東村山市', '三島市', '霞関市', '大阪狭山市', '中央市', '港町', '西東京市', '東大阪町')
    w.tags.append('unknown:' + n)
    w.name = n
    w.subject = f'自治体・保健所メールアドレスの連絡（{n}）'
    w.rows = [[n + '保健所', w.addr()]]
    w.centres = [n + '保健所']
    w.also = {}
    w.unknown = True
    return dress_body(w, sections(w))


def two_authorities(w):
    w.must()
    b = w.r.choice([a for a in AUTHORITIES if a['name'] != w.name])
    x, y = w.addr(), w.addr()
    w.tags.append('two-authorities')
    w.second = {'name': b['name'], 'address': x, 'centres': [{'name': b['name'] + '保健所', 'address': y}]}
    k = w.r.randrange(4)
    w.tags.append('two:%d' % k)
    ho = b['name'] + '保健所'
    if k == 0:
        return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', f'{b["name"]} {x}', '<保健所>'] + [f'{n} {a}' for n, a in w.rows] + [f'{ho} {y}'])
    if k == 1:
        return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '<保健所>'] + [f'{n} {a}' for n, a in w.rows] + ['', '<自治体（保健所設置主体）>', f'{b["name"]} {x}', '<保健所>', f'{ho} {y}'])
    if k == 2:
        return dress_body(w, [f'■{w.name}', '<自治体>', f'{w.a_addr}', '<保健所>'] + [f'{n} {a}' for n, a in w.rows] + ['', f'■{b["name"]}', '<自治体>', f'{x}', '<保健所>', f'{ho} {y}'])
    return dress_body(w, [f'県内の{b["name"]}分も併せて報告します。', '', '<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', f'({b["name"]}) {x}', '<保健所>'] + [f'{n} {a}' for n, a in w.rows] + [f'{ho} {y}'])


def subject_other(w):
    w.must()
    b = w.r.choice([a for a in AUTHORITIES if a['name'] != w.name])
    w.subject = f'自治体・保健所メールアドレスの連絡（{b["name"]}）'
    w.tags.append('subject-differs')
    w.loose_authority = b['name']
    return dress_body(w, sections(w))


def attachment_only(w):
    w.must()
    k = w.c('pdf', 'docx', 'zip', 'link', 'removed')
    w.tags.append('elsewhere:' + k)
    w.a_guess = None
    if k in ('pdf', 'docx', 'zip'):
        w.attach.append((w.c('メールアドレス一覧', 'list', '別紙') + '.' + k, b'%PDF-1.4 x'))
    b = opening(w) + [{'pdf': '添付のとおり報告します。', 'docx': '別紙のとおりご報告いたします。', 'zip': '添付ファイルのとおりです。パスワードは別途送付します。', 'link': '下記URLからダウンロードしてください。\nhttps://send.' + w.domain + '/d/abc', 'removed': '別添のとおり報告します。\n[添付ファイルは無害化により削除されました]'}[k]] + ending(w)
    w.rows, w.a_addr = [], None
    w.noname = True
    return b


def ditto(w):
    w.soft()
    w.tags.append('ditto')
    x = w.a_addr
    rows = [[n, x] for n, _ in w.rows[:1]] + w.rows[1:]
    w.rows = [list(y) for y in rows]
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {x}', '', '<保健所>', f'{rows[0][0]} {w.c("同上", "〃", "（同上）", "同上（自治体と同じ）", "上記と同じ")}'] + [f'{n} {a}' for n, a in rows[1:]])


def count(w):
    differs = w.r.random() < .5
    k = len(w.rows) + (1 if differs else 0)
    if differs:
        w.must()
    w.tags.append('count:' + ('differs' if differs else 'same'))
    s = w.c(f'当{w.end}の保健所は{k}か所です。', f'管内{k}保健所のアドレスを報告します。', f'自治体1件、保健所{k}件のアドレスを連絡します。', f'保健所（全{k}か所）について報告します。'.translate(WIDE), f'以下の{k}保健所です。', f'保健所計{k}カ所の登録をお願いします。')
    return opening(w) + [s, ''] + ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '', '<保健所>'] + [f'{n} {a}' for n, a in w.rows] + ending(w)


def date_change(w):
    w.must()
    w.tags.append('date-change')
    i = w.r.randrange(len(w.rows))
    n, a = w.rows[i]
    new = w.addr()
    w.must_not.append(new)
    k = w.r.randrange(4)
    rows = [f'{x} {y}' for x, y in w.rows]
    note = [f'※{n}は5月7日から {new} に変わります。', f'（{n}は令和2年5月1日以降は{new}）', 'なお、組織改正により6月1日からアドレスが変更になります。', f'{n}のアドレスは4月30日まで有効です。5月1日以降は{new}となります。'][k]
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '', '<保健所>'] + rows + ['', note])


def branches(w):
    """Departments, branch offices, long names: all plain."""
    w.tags.append('long-names')
    w.soft()
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.dept}　{w.a_addr}', '', '<保健所>'] + [f'{n} {w.c("企画総務課", "保健予防課", "健康増進課感染症係")}　{a}' for n, a in w.rows])


def personal(w):
    """Template lines, the officer's own address in the greeting, CC lines in one's own words."""
    w.tags.append('template-top')
    r = w.r
    top = r.choice([['件名：自治体・保健所メールアドレスの連絡（%s）' % w.name, '宛先（TO）：covid19@bigtreetc.com', '宛先（CC）：follow-up@mhlw.go.jp', ''], ['To: covid19@bigtreetc.com', 'Cc: follow-up@mhlw.go.jp', ''], ['（宛先：covid19@bigtreetc.com、CC：follow-up@mhlw.go.jp）', ''], ['■件名：自治体・保健所メールアドレスの連絡（%s）' % w.name, '■本文：', '']])
    return top + dress_body(w, sections(w))


def std(w, a=None, rows=None, sep=None):
    """The plain form, with what is to be varied put in by the case."""
    sep = sep or w.c(' ', '　', '：', '\t', ' : ')
    o, c = w.c(('<', '>'), ('＜', '＞'), ('【', '】'), ('■', ''), ('', ''), ('１　', ''))
    ha, hc = w.c(('自治体（保健所設置主体）', '保健所'), ('自治体', '保健所'), ('設置主体', '管内保健所'))
    if o == '１　':
        return [o + ha] + [f'{w.name}{sep}{a or w.a_addr}'] + ['', '２　' + hc] + [f'{n}{sep}{x}' if x else n for n, x in (rows if rows is not None else w.rows)]
    return [o + ha + c] + [f'{w.name}{sep}{a or w.a_addr}'] + ['', o + hc + c] + [f'{n}{sep}{x}' if x else n for n, x in (rows if rows is not None else w.rows)]


def contradiction(w):
    w.must()
    i = w.r.randrange(len(w.rows))
    n, a = w.rows[i]
    x = w.addr()
    k = w.r.randrange(9)
    w.tags.append(f'contradiction:{k}')
    w.must_not.append(x)
    rows = [list(y) for y in w.rows]
    extra, top = [], []
    if k == 0:
        rows.append([n, x])
        if i == len(w.rows) - 1:
            w.review = 'may'
    elif k == 1:
        extra = ['', f'※{n}のアドレスは {x} です。']
    elif k == 2:
        extra = ['', f'なお、{n}については、{x} まで送付をお願いいたします。']
    elif k == 3:
        top = [f'{n}のメールアドレスは{x}です。', '']
    elif k == 4:
        extra = ['', f'（注）{n}宛ては {x} にお願いします。']
    elif k == 5:
        extra = ['', f'{n}への連絡は{x}が望ましいです。']
    elif k == 6:
        extra = ['', f'{w.name}の代表アドレスは {x} ですので、こちらにお願いします。']
    elif k == 7:
        extra = ['', f'※上記のアドレスが使用できない場合は、{n} {x} に送付してください。']
    else:
        extra = ['', '<保健所>', f'{n} {x}']
    return opening(w) + top + std(w, rows=rows) + extra + ending(w)


def apart(w):
    """Names here, addresses there."""
    w.must()
    w.tags.append('names-apart')
    if len(w.rows) < 2:
        w.rows.append([w.name + '西保健所', w.addr()])
    k = w.r.randrange(3)
    names = [n for n, _ in w.rows]
    adds = [a for _, a in w.rows]
    w.loose_rows = True
    for i, r in enumerate(w.rows):
        w.guess[i] = r[1]
        r[1] = None
    if k == 0:
        c = names + [''] + adds
    elif k == 1:
        c = ['、'.join(names)] + ['、'.join(adds)]
    else:
        c = ['（名称）'] + names + ['（メールアドレス）'] + adds
    return opening(w) + ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '', '<保健所>'] + c + ending(w)


def joint(w):
    """One line for authority and health centre together."""
    w.must()
    n = w.rows[0][0]
    k = w.r.randrange(4)
    w.tags.append(f'joint:{k}')
    a = w.a_addr
    w.a_guess, w.a_addr = a, None
    w.rows = [[n, None]]
    w.guess[0] = a
    if k == 0:
        h = ['<自治体・保健所>', f'{w.name}・{n} {a}']
    elif k == 1:
        h = ['<自治体（保健所設置主体）・保健所>', f'{w.name}（{n}）　{a}']
    elif k == 2:
        h = ['【自治体及び保健所】', f'{w.name}及び{n}：{a}']
    else:
        h = [f'自治体・保健所とも：{a}']
    return opening(w) + h + ending(w)


def by_authority(w):
    w.must()
    w.tags.append('by-the-authority')
    q = w.c('保健所分については、上記アドレスにまとめて送付してください。', '各保健所へは本庁から連絡しますので、保健所のアドレスは不要です。', '保健所は自治体と同一のアドレスを使用します。', '全て自治体のアドレスと同じです。', '各保健所についても上記アドレスでお願いいたします。', '同上（全保健所分を本庁で受領します）', '上記に同じ', '本庁で一括して受け取ります。', '自治体に同じ', '上記アドレスで一括対応')
    a = w.a_addr
    w.rows = []
    return opening(w) + ['<自治体（保健所設置主体）>', f'{w.name} {a}', '', '<保健所>', q] + ending(w)


def damaged(w):
    """A letter was lost on the way."""
    w.must()
    i = w.r.randrange(len(w.rows))
    n, a = w.rows[i]
    bad = w.c('〓', '?', '？', '\ufffd', '□', '・' if False else '〓') + n[1:] if len(n) > 4 else '〓〓保健所'
    w.tags.append('damaged:' + bad[:1])
    rows = [list(y) for y in w.rows]
    rows[i][0] = bad
    return opening(w) + std(w, rows=rows) + ending(w)


def missing_section(w):
    w.must()
    k = w.c('no-centres', 'no-authority', 'authority-without-address', 'centre-without-address', 'centres-empty')
    w.tags.append('missing:' + k)
    s = w.c(' ', '　', '：')
    A = ['<自治体（保健所設置主体）>', f'{w.name}{s}{w.a_addr}', '']
    C = ['<保健所>'] + [f'{n}{s}{a}' for n, a in w.rows]
    if k == 'no-centres':
        w.rows = []
        return opening(w) + A + ending(w)
    if k == 'centres-empty':
        w.rows = []
        return opening(w) + A + ['<保健所>', ''] + ending(w)
    w_a = w.a_addr
    if k == 'no-authority':
        w.a_addr = None
        return opening(w) + C + ending(w)
    if k == 'authority-without-address':
        w.a_addr = None
        return opening(w) + ['<自治体（保健所設置主体）>', w.name, ''] + C + ending(w)
    i = w.r.randrange(len(w.rows))
    C[i + 1] = w.rows[i][0]
    w.rows[i][1] = None
    return opening(w) + A + C + ending(w)


def template_only(w):
    w.must()
    w.tags.append('template-only')
    w.rows, w.a_addr = [], None
    w.noname = True
    if w.c(0, 1):
        w.subject = '自治体・保健所メールアドレスの連絡（[[自治体名]]）'
    return opening(w) + ['<自治体（保健所設置主体）>', w.c('〇〇市', '○○県', '◯◯区') + ' xxxxx@xxxx.xx.xx', '', '<保健所>', '□□保健所 xxxxx@xxxx.xx.xx', '△△保健所 xxxxx@xxxx.xx.xx'] + ending(w)


def template_left(w):
    w.soft()
    w.tags.append('template-left')
    h = std(w)
    h.insert(w.c(1, len(h)), w.c('□□保健所 xxxxx@xxxx.xx.xx', '（例）〇〇市 xxxxx@xxxx.xx.xx', '例：〇〇保健所 xxxxx@xxxx.xx.xx'))
    return dress_body(w, h)


def new_contact(w):
    w.kind_ = 'auto-reply'
    w.must()
    w.tags.append('auto:new-contact')
    w.headers.append('Auto-Submitted: auto-replied')
    w.subject = w.c('自動応答: 登録受付のお知らせ', '【自動返信】アドレス変更のお知らせ')
    x = w.addr()
    w.rows, w.a_addr = [], None
    return [w.c('このメールアドレスは廃止されました。', '人事異動により担当が変わりました。', '4月1日付けで異動いたしました。', 'アドレスが変更になりました。', '組織改編に伴い、メールアドレスを変更しました。', '私は3月31日をもって退職いたしました。'), w.c(f'今後は {x} までご連絡ください。', f'新しいアドレスは{x}です。', f'後任は{x}です。')]


def withdraw(w):
    w.kind_ = 'correction'
    w.accept_kind = ['other', 'inquiry']
    w.must()
    w.partial = True
    w.tags.append('withdraw')
    n = w.rows[0][0]
    w.rows, w.a_addr = [], None
    w.subject = w.c('【取下げ】', '', '（取消）', 'Re: ') + w.subject
    return opening(w) + [w.c('先日の登録を取り下げます。', f'{n}の登録を取り消してください。', '先ほどお送りしたメールは誤りでしたので、取り消しをお願いいたします。', f'先日連絡した{n}については、登録の削除をお願いします。', '送付した内容を撤回いたします。', '先のメールは破棄願います。', '登録の取消をお願いします。', f'{n}は廃止となりましたので、登録を抹消してください。')] + ending(w)


def misc_dressing(w):
    """Plain data between odd but harmless lines."""
    w.tags.append('dressing')
    r = w.r
    h = std(w)
    k = r.randrange(9)
    w.tags.append(f'dressing:{k}')
    if k == 0:
        h = [x for y in h for x in (y, '')]
    elif k == 1:
        h = ['+' + '-' * 30] + h + ['+' + '-' * 30]
    elif k == 2:
        h = ['----- 以下、回答 -----'] + h + ['----- 以上 -----']
    elif k == 3:
        h = ['（ここから）'] + h + ['（ここまで）']
    elif k == 4:
        h = ['☆登録内容☆', ''] + h
    elif k == 5:
        h = ['【回答】', ''] + h
    elif k == 6:
        h = ['記', ''] + h + ['', '　　　　　　　　　　　　　　以上']
    elif k == 7:
        h = ['様式１', '【連絡事項】', ''] + h
    else:
        h = ['　' + x if x else x for x in h]
    return dress_body(w, h)


def regions(w):
    w.tags.append('regions')
    out = []
    for i, (n, a) in enumerate(w.rows):
        if i % 3 == 0:
            out.append(w.c('【県北地域】', '（県南）', '○東部', '［西部地区］', '〈中部圏域〉', '■北部管内', '◆南部ブロック'))
        out.append(f'{n} {a}')
    return dress_body(w, ['<自治体（保健所設置主体）>', f'{w.name} {w.a_addr}', '', '<保健所>'] + out)


def wrapped(w):
    """Names on one line, addresses on the next, with blank lines or labels between."""
    w.tags.append('wrapped')
    k = w.r.randrange(4)
    gap = [[''], ['（感染症担当）'], ['　メールアドレス'], ['　TEL 03-1234-5678']][k]
    w.tags.append(f'wrapped:{k}')
    f = lambda n, a: [n] + gap + ['　' + a]
    return dress_body(w, ['<自治体（保健所設置主体）>'] + f(w.name, w.a_addr) + ['', '<保健所>'] + [x for n, a in w.rows for x in f(n, a)])


def extra_tenant_lines(w):
    """Contact blocks: several details for each tenant, one of them the address."""
    w.tags.append('blocks')
    r = w.r
    k = r.randrange(4)
    w.tags.append(f'blocks:{k}')
    lab = r.choice(['メール：', 'E-mail: ', 'Mail ', 'メールアドレス　', '✉ ', '　'])

    def f(n, a):
        if k == 0:
            return [n, '　担当：' + r.choice(FAMILY), '　電話：03-1234-5678', '　' + lab + a]
        if k == 1:
            return [n, '　〒100-0001　中央1-1-1', '　TEL 03-1234-5678　FAX 03-1234-5679', '　' + lab + a, '']
        if k == 2:
            return [n + '　感染症対策課', '　課長　' + r.choice(FAMILY), '　' + lab + a, '　電話：03-1234-5678']
        return ['◆' + n, '・電話番号：03-1234-5678（内線 123）', '・' + lab + a, '・備考：平日8:30～17:15', '']
    return dress_body(w, ['【自治体（保健所設置主体）】'] + f(w.name, w.a_addr) + ['【保健所】'] + [x for n, a in w.rows for x in f(n, a)])


def history(w):
    """An earlier mail of ours or of the sender below: no data."""
    w.tags.append('history')
    x, y = w.addr(), w.addr()
    w.must_not += [x, y]
    old = ['お世話になっております。', '', '<自治体（保健所設置主体）>', f'{w.name} {x}', '<保健所>', f'{w.rows[0][0]} {y}', '', 'よろしくお願いします。']
    k = w.r.randrange(3)
    w.tags.append(f'history:{k}')
    b = dress_body(w, sections(w))
    F = w.me
    if k == 0:
        return b + ['', f'2020年4月25日(土) 10:00 {w.name} <{F}>:'] + ['> ' + z for z in old]
    if k == 1:
        return b + ['', '-----Original Message-----', f'From: {w.name} <{F}>', 'Sent: Friday, April 24, 2020 6:10 PM', 'To: covid19@bigtreetc.com', 'Subject: x', ''] + old
    return b + ['', '________________________________', f'差出人: {w.name} <{F}>', '送信日時: 2020年4月25日 10:00', '宛先: covid19@bigtreetc.com', '件名: x', ''] + old


def confirm(w):
    """Nothing but thanks above our own receipt."""
    w.kind_, w.review, w.accept_kind = 'other', 'may', ['inquiry']
    w.tags.append('confirm')
    x, y = w.a_addr, w.rows[0][1]
    w.must_not += [x, y]
    w.subject = 'Re: 登録受付のお知らせ（' + w.name + '）'
    old = ['下記の内容で登録しました。', '', '<自治体（保健所設置主体）>', f'{w.name} {x}', '<保健所>', f'{w.rows[0][0]} {y}']
    t = [w.c('内容を確認しました。相違ありません。', '承知しました。ありがとうございます。', '確認いたしました。よろしくお願いいたします。', '登録内容のとおりで問題ございません。')]
    w.rows, w.a_addr = [], None
    return opening(w)[:2] + t + ending(w) + ['', w.c('2020年4月25日(土) 10:00 covid19 <covid19@bigtreetc.com>:', 'On 2020/04/25 10:00, covid19 wrote:', '<covid19@bigtreetc.com> さんは書きました:')] + ['> ' + z for z in old]


def foreign_sender(w):
    w.must()
    w.me = 'hoken' + str(w.r.randint(1, 99)) + '@' + w.c('gmail.com', 'yahoo.co.jp', 'rei-consul.co.jp', 'rei-hosp.or.jp', 'outlook.com', 'rei-inc.com', 'docomo.ne.jp')
    w.tags.append('foreign-sender')
    return dress_body(w, std(w))


def link_differs(w):
    w.must()
    w.tags.append('link-differs')
    i = w.r.randrange(len(w.rows))
    x = w.addr()
    w.must_not.append(x)
    w.force = 'html'
    rows = ''.join(f'<p>{n}　<a href="mailto:{x if j == i else a}">{a}</a></p>' for j, (n, a) in enumerate(w.rows))
    w.html = ''.join(f'<p>{z or "&nbsp;"}</p>' for z in opening(w)) + f'<p>＜自治体（保健所設置主体）＞</p><p>{w.name}　{w.a_addr}</p><p>＜保健所＞</p>' + rows + '<p>以上</p>'
    return ['']


def struck(w):
    """A struck-out address beside the new one."""
    w.soft()
    w.tags.append('struck')
    i = w.r.randrange(len(w.rows))
    x = w.addr()
    w.must_not.append(x)
    w.force = 'html'
    t = w.c(('<s>', '</s>'), ('<del>', '</del>'), ('<strike>', '</strike>'), ('<span style="text-decoration:line-through">', '</span>'), ('<span style="TEXT-DECORATION: line-through">', '</span>'), ('<font style="text-decoration : line-through">', '</font>'), ('<span style=\'text-decoration:underline line-through\'>', '</span>'))
    w.tags.append('strike:' + t[0][:12])
    rows = ''.join(f'<p>{n}　' + (t[0] + x + t[1] + '　' if j == i else '') + f'{a}</p>' for j, (n, a) in enumerate(w.rows))
    w.html = ''.join(f'<p>{z or "&nbsp;"}</p>' for z in opening(w)) + f'<p>＜自治体（保健所設置主体）＞</p><p>{w.name}　{w.a_addr}</p><p>＜保健所＞</p>' + rows + '<p>以上</p>'
    return ['']


CASES = [(plain, 40), (with_quote, 12), (tables, 8), (html_table, 6), (prose, 1), (no_headings, 2), (several, 3), (typo, 9), (pending, 4), (foreign, 2), (question, 3), (pending_sentence, 1), (note_nothing, 6), (forward, 3), (between, 2), (correction, 7), (inquiry, 4), (auto_reply, 3), (spam, 1), (other, 2), (unknown, 2), (two_authorities, 2), (subject_other, 1), (attachment_only, 2), (ditto, 1), (count, 2), (date_change, 2), (branches, 2), (personal, 2), (contradiction, 6), (apart, 2), (joint, 2), (by_authority, 3), (damaged, 2), (missing_section, 4), (template_only, 1), (template_left, 2), (new_contact, 2), (withdraw, 2), (misc_dressing, 5), (regions, 3), (wrapped, 3), (extra_tenant_lines, 5), (history, 3), (confirm, 1), (foreign_sender, 1), (link_differs, 1), (struck, 2)]


def show_name(w):
    r = w.r
    if getattr(w, 'shown_a', None) is None:
        n = w.name
        pre = w.a['prefecture'] if w.a['prefecture'] != w.name and not getattr(w, 'unknown', False) else ''
        w.shown_a = r.choice([n] * 10 + [pre + n, pre + ' ' + n if pre else n, n + ' ' + w.dept, n + w.dept, f'{n}（{w.dept}）', '　'.join(n) if len(n) < 4 else n, n + ('庁' if w.end in '都道府県' else '役所')])
        if w.shown_a.endswith('庁') and w.end == '道':
            w.shown_a = n + '庁'
    return w.shown_a


def show_centre(w, n):
    r = w.r
    k = w.centre_style
    if k == 'short' and n.startswith(w.name) and len(n) > len(w.name) + 3:
        return n[len(w.name):]
    if k == 'full' and not n.startswith(w.name):
        return w.name + n
    if k == 'also' and w.also.get(n) and '、' not in w.also[n]:
        return f'{n}（{w.also[n]}）'
    if k == 'office' and w.also.get(n) and '、' not in w.also[n]:
        return f'{w.also[n]}（{n}）'
    if k == 'dept':
        return n + '　保健予防課'
    if k == 'space':
        return n.replace('保健所', '　保健所')
    if k == 'wide' and len(n) < 6:
        return '　'.join(n)
    if k == 'ke':
        return n.replace('ヶ', 'ケ').replace('ケ', 'ヶ' if len(w.rows) % 2 else 'が')
    return n


World.show_name = show_name
World.show_centre = show_centre


# --- the dress: how the text becomes bytes -----------------------------------------------------------------------------
def jis(text, form):
    out = b''
    text = text.replace('\u2011', '-').replace('\u200b', '').replace('📧', '').replace('✉', '')
    for line in text.split('\n'):
        try:
            out += line.encode('iso2022_jp') + b'\n'
        except UnicodeEncodeError:
            # CP50220: the row 13 and IBM extensions by way of CP932
            enc, two = b'', False
            for ch in line:
                try:
                    b = ch.encode('cp932')
                except UnicodeEncodeError:
                    b = '＊'.encode('cp932')
                if len(b) == 1 and b[0] < 0x80:
                    if two:
                        enc, two = enc + b'\x1b(B', False
                    enc += b
                elif len(b) == 1:
                    enc += (b'\x1b(I' if form != 'so' else b'\x0e') + bytes([b[0] - 0x80]) + (b'\x1b(B' if form != 'so' else b'\x0f')
                    two = False
                else:
                    h, l = b
                    h = h - 0x70 if h < 0xa0 else h - 0xb0
                    if h >= 0xfa - 0xb0:
                        h = 0x21 + 0x10
                        l = 0x40
                        b = '・'.encode('cp932')
                        h, l = b[0] - 0x70, b[1]
                    h *= 2
                    if l >= 0x9f:
                        l -= 0x7e
                    else:
                        h -= 1
                        l -= 0x20 if l >= 0x80 else 0x1f
                    if not two:
                        enc, two = enc + b'\x1b$B', True
                    enc += bytes([h, l])
            if two:
                enc += b'\x1b(B'
            out += enc + b'\n'
    return out[:-1]


def encode(text, cs):
    if cs == 'jis':
        return jis(text, 'esc')
    if cs == 'jis-so':
        return jis(text, 'so')
    return text.encode(cs, 'replace' if cs != 'utf-8' else 'strict').replace(b'?', b'?')


LOSSY = set('\u2011\u200b📧✉➢➤✓')


def encodable(text, cs):
    if cs == 'utf-8' or cs == 'utf-8-sig':
        return True
    if cs.startswith('jis'):
        cs = 'cp932'
        if any('\uff61' <= c <= '\uff9f' for c in text):
            return False
    try:
        text.encode(cs)
        return True
    except UnicodeEncodeError:
        return False


def word(text, cs, label, cut):
    b = encode(text, cs)
    if cut == 'raw':
        return b
    if cut == 'q':
        return b'=?' + label.encode() + b'?Q?' + b''.join(b'=%02X' % x for x in b) + b'?='
    n = {'whole': 4000, 'mid': 20, 'long': 45}[cut]
    return b'\r\n '.join(b'=?' + label.encode() + b'?B?' + base64.b64encode(b[i:i + n]) + b'?=' for i in range(0, len(b), n))


def build(w, body, number):
    r = w.r
    text = '\n'.join(body)
    force = getattr(w, 'force', None)
    choice = r.choice([('utf-8', 'UTF-8')] * 5 + [('jis', 'ISO-2022-JP')] * 4 + [('cp932', 'Shift_JIS'), ('cp932', 'cp932'), ('cp932', 'windows-31j'), ('euc_jp', 'EUC-JP'), ('jis', 'cp50221'), ('jis-so', 'iso-2022-jp'), ('utf-8', 'us-ascii'), ('cp932', 'utf-8'), ('cp932', None), ('jis', None), ('utf-8', None), ('euc_jp', None), ('cp932', 'iso-8859-1'), ('jis', 'utf-8'), ('cp932', 'gb2312'), ('jis', 'gb2312'), ('utf-8', 'gb2312'), ('utf-8-sig', 'utf-8'), ('cp932', 'iso-2022-jp'), ('utf-8', 'iso-2022-jp'), ('euc_jp', 'shift_jis'), ('gb18030', 'gb2312'), ('utf-16', 'utf-16'), ('jis', 'us-ascii')])
    cs, label = choice
    if cs == 'jis' and r.random() < .02:
        pass
    full = text + getattr(w, 'html', '') + w.subject + w.person + w.dept
    if not encodable(full, cs):
        cs, label = 'utf-8', 'UTF-8'
    wrong = label is None or (cs, label) in [('utf-8', 'us-ascii'), ('cp932', 'utf-8'), ('cp932', 'iso-8859-1'), ('jis', 'utf-8'), ('cp932', 'gb2312'), ('jis', 'gb2312'), ('utf-8', 'gb2312'), ('cp932', 'iso-2022-jp'), ('utf-8', 'iso-2022-jp'), ('euc_jp', 'shift_jis'), ('jis', 'us-ascii'), ('gb18030', 'gb2312')]
    if wrong:
        w.soft()
    w.tags.append(f'cs:{cs}/{label}')
    ct = f'; charset={label}' if label else ''
    mode = force or r.choice(['plain'] * 6 + ['html', 'alt', 'alt', 'flowed', 'signed'])
    if label is None and mode == 'html' and force is None:
        mode = 'plain'
    cte = r.choice(['8bit', 'base64', 'base64', 'quoted-printable'])
    if cs.startswith('jis'):
        cte = r.choice(['7bit', '7bit', '7bit', 'base64', 'quoted-printable'])
    if cs.startswith('utf-16'):
        cte = 'base64'
    w.tags += [f'mime:{mode}', f'cte:{cte}']

    def part(t, sub, extra=''):
        b = encode(t, cs)
        if not cs.startswith('utf-16'):
            b = b.replace(b'\n', b'\r\n')
        if cte == 'base64':
            b = base64.encodebytes(b).replace(b'\n', b'\r\n')
        elif cte == 'quoted-printable':
            b = re.sub(rb'\r?\n', b'\r\n', quopri.encodestring(b.replace(b'\r\n', b'\n')))
        return f'Content-Type: text/{sub}{ct}{extra}\r\nContent-Transfer-Encoding: {cte}\r\n\r\n'.encode() + b + b'\r\n'

    def esc(s):
        return s.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')

    def page(t):
        h = getattr(w, 'html', None)
        if h:
            return f'<html><head><style>a@b.c{{x:y}}</style></head><body>{h}</body></html>'
        rows = t.split('\n')
        k = r.choice(['p', 'div', 'br', 'pre'])
        w.tags.append('page:' + k)
        if k == 'p':
            inner = '\n'.join(f'<p class="MsoNormal"><span style="font-size:10.5pt">{esc(x).replace("  ", "&nbsp; ").replace(chr(9), "&nbsp;&nbsp;&nbsp; ") or "<o:p>&nbsp;</o:p>"}</span></p>' for x in rows)
        elif k == 'div':
            inner = ''.join(f'<div>{esc(x) or "<br>"}</div>' for x in rows)
        elif k == 'br':
            inner = '<br>\n'.join(esc(x).replace(chr(9), ' &nbsp; ') for x in rows)
        else:
            inner = '<pre>' + esc(t) + '</pre>'
        return f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={label or "utf-8"}"><style>a@b.c{{x:y}}</style></head><body>{inner}</body></html>'

    if mode == 'plain':
        payload = part(text, 'plain')
    elif mode == 'flowed':
        payload = part('\n'.join(x.rstrip(' ') if x != '-- ' else x for x in body), 'plain', '; format=flowed')
    elif mode == 'html':
        payload = part(page(text), 'html')
    elif mode == 'alt':
        payload = b'Content-Type: multipart/alternative; boundary="alt"\r\n\r\n--alt\r\n' + part(text, 'plain') + b'--alt\r\n' + part(page(text), 'html') + b'--alt--\r\n'
    else:
        payload = b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="sig"\r\n\r\n--sig\r\n' + part(text, 'plain') + b'--sig\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n\r\nMIIBfake\r\n--sig--\r\n'
    if w.attach:
        payload = b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n--mix\r\n' + payload + b''.join(b'--mix\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="' + word(n, 'utf-8', 'UTF-8', 'whole') + b'"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + base64.encodebytes(d) + b'\r\n' for n, d in w.attach) + b'--mix--\r\n'
    hl = label or 'UTF-8'
    hcs = cs
    if cs.startswith('utf-16') or wrong or cs == 'utf-8-sig':
        hcs, hl = 'utf-8', 'UTF-8'
    cut = r.choice(['whole', 'whole', 'long', 'mid', 'q', 'raw'])
    if hcs.startswith('jis') and cut in ('mid', 'long'):
        cut = 'whole'
    w.tags.append('subject:' + cut)
    shown = r.choice([f'{w.name} {w.person.split()[0]}', w.person, w.name + w.dept, ''])
    head = [b'From: ' + (word(shown, hcs, hl, 'whole') + b' ' if shown else b'') + f'<{w.me}>'.encode(), b'To: covid19@bigtreetc.com', b'Cc: follow-up@mhlw.go.jp', b'Subject: ' + word(w.subject, hcs, hl, cut), b'Date: Mon, 27 Apr 2020 11:32:00 +0900', f'Message-ID: <{number}.v@{w.domain}>'.encode(), b'MIME-Version: 1.0'] + [h.encode() for h in w.headers]
    return b'\r\n'.join(head) + b'\r\n' + payload


SUBJECTS = ['自治体・保健所メールアドレスの連絡（{n}）'] * 12 + ['自治体・保健所メールアドレスの連絡({n})', 'Re: 自治体・保健所メールアドレスの連絡（{n}）', '自治体・保健所メールアドレスの連絡【{n}】', '【{n}】自治体・保健所メールアドレスの連絡', '自治体・保健所メールアドレスの連絡（[[{n}]]）', '自治体・保健所メールアドレスの連絡　{n}', '自治体・保健所メールアドレスの連絡_{n}', '（{n}）自治体・保健所メールアドレスの連絡', '自治体・保健所のメールアドレスについて（{n}）', '保健所メールアドレスの報告（{n}）', '{n}　自治体・保健所メールアドレスの連絡', '【回答】自治体・保健所メールアドレスの連絡（{n}）', '自治体・保健所メールアドレスの連絡（{n}分）', '自治体・保健所メールアドレスの連絡（{p}{n}）', '自治体・保健所メールアドレスの連絡＜{n}＞', 'メールアドレスの連絡（{n}）', 'メールアドレス登録（{n}）', '帰国者フォローアップシステムのメールアドレス登録について（{n}）', '自治体･保健所ﾒｰﾙｱﾄﾞﾚｽの連絡（{n}）', '自治体、保健所メールアドレスの連絡（{n}）', 'RE: 【厚生労働省】帰国者フォローアップシステムの導入準備について（{n}）', '自治体・保健所メールアドレスの連絡（{n}役所）', '自治体・保健所メールアドレスの連絡（{n} 健康増進課）']


def make(number, seed):
    r = random.Random(f'{seed}/{number}')
    w = World(r)
    w.gap = r.random() < .1
    w.centre_style = r.choice(['as-is'] * 6 + ['short', 'full', 'also', 'office', 'dept', 'space', 'wide', 'ke'])
    if r.random() < .5:
        w.subject = r.choice(SUBJECTS).format(n=w.name, p=w.a['prefecture'] if w.a['prefecture'] != w.name else '')
    case = r.choices([c for c, _ in CASES], [k for _, k in CASES])[0]
    w.tags.append('case:' + case.__name__)
    w.tags.append('cstyle:' + w.centre_style)
    body = case(w)
    raw = build(w, body, number)
    data = w.kind_ in ('registration', 'correction')
    an = sorted({w.name, w.a['prefecture'] + w.name if not getattr(w, 'unknown', False) else w.name, getattr(w, 'loose_authority', w.name)})
    truth = {'file': f'{number:05d}.eml', 'kind': w.kind_, 'kind_accept': w.accept_kind, 'review': w.review, 'tags': w.tags, 'must_not': sorted(set(w.must_not))}
    if data:
        truth['authority'] = {'name': w.name, 'accept': an, 'address': w.a_addr, 'guess': w.a_guess}
        truth['centres'] = [{'name': n, 'accept': names_ok(w, n) + [w.show_centre(n)], 'address': a, **({'guess': w.guess[i]} if i in w.guess else {})} for i, (n, a) in enumerate(w.rows)]
        truth['partial'] = w.partial
        if w.second:
            truth['second_authority'] = w.second
    return raw, truth


def main():
    out, count, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else '1'
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, 'truth.jsonl'), 'w', encoding='utf-8') as t:
        for number in range(1, count + 1):
            raw, truth = make(number, seed)
            with open(os.path.join(out, truth['file']), 'wb') as f:
                f.write(raw)
            t.write(json.dumps(truth, ensure_ascii=False) + '\n')


main()
