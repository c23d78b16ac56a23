"""Makes the vectors of e-mail addresses and labels, and the table of combining marks.

    python3 -m venv /tmp/texts && /tmp/texts/bin/pip install unicodedata2==18.0.0 regex==2026.11.15
    /tmp/texts/bin/python tests/vectors/make_texts.py

It writes tests/vectors/emails.jsonl, tests/vectors/labels.jsonl and core/src/label/marks.rs, the
same bytes each time. It is run by hand when Unicode is to be newer. Nothing of Laika runs it.

An address is good when the regular expression of the HTML Standard matches all of it and it is
within the lengths of RFC 5321. How many characters a label has is what `regex` counts as grapheme
clusters, which is another implementation of Unicode UAX #29 than ours; Burmese, where ours counts
otherwise (core/src/label.rs says how), has no count.
"""

import json
import pathlib
import random
import re

import regex
import unicodedata2 as unicode

ROOT = pathlib.Path(__file__).resolve().parents[2]

# *Source*: HTML Standard, section "E-mail state", the expression as printed there.
HTML = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


def good(address):
    fits = len(address) <= 254 and len(address.rpartition("@")[0]) <= 64
    return fits and HTML.fullmatch(address) is not None


def addresses(dice):
    """Every ASCII character and some others at every kind of place; lengths at their limits; and
    addresses made of pieces at random."""
    others = "é例🐴\u0301\u200b\u200d\u202e\u3000\u0430＠．\ufeff\u0660"
    for c in [*map(chr, range(128)), *others]:
        for shape in ("a{}b@x.org", "{}b@x.org", "a{}@x.org", "a@x{}y.org", "a@{}y.org",
                      "a@x{}.org", "a@x.o{}g", "a@x.org{}z"):
            yield shape.format(c)
    for n in (1, 63, 64, 65):
        yield "a" * n + "@x.org"
        yield "a@" + "b" * n + ".org"
        yield "a@x." + "c" * n
    for n in range(250, 258):
        yield "a@" + ".".join(["b" * 61] * 5)[: n - 2]
        yield ("a" * 64 + "@" + ".".join(["b" * 63] * 4))[:n]
    yield from (
        "a..b@x.org", ".a@x.org", "a.@x.org", "...@x.org", "-@x.org", "a@b", "a@1", "a@1.2.3.4",
        "a@[1.2.3.4]", "a@b-", "a@-b", "a@b--c.org", "a@b..org", "a@.org", "a@org.", "a@", "@b",
        "@", "a", "a@b@c", '"a b"@x.org', '"a"@x.org', "a(c)@x.org", "<a@x.org>", "mailto:a@x.org",
        "a,b@x.org", "a@x.org,b@x.org", "a@x.org;b@x.org", "a@x.org\r\nBcc: b@x.org", "a%0ab@x.org",
        "a@xn--fsqu00a.xn--fiqs8s", "用户@例子.中国", "a@例子.中国", "josé@x.org", "A@X.ORG",
        "a'--@x.org", "=1+1@x.org", "a@x.org\u0000", "a\u0000@x.org", "a@x\u0000.org",
    )
    pieces = ["a", "Z", "0", ".", "-", "@", "+", "_", "'", "..", " ", '"', "é", "\t", "org", "x.y"]
    for _ in range(1500):
        yield "".join(dice.choice(pieces) for _ in range(dice.randint(1, 9)))


def emails(dice):
    seen = set()
    for address in addresses(dice):
        # White space round an address is dropped, as a browser's own field does; not judged here.
        if address and address == address.strip() and address not in seen:
            seen.add(address)
            yield {"email": address, "good": good(address)}


# One thing as people of many places would call it. Each is a good label.
NAMES = [
    "Travel", "Ma ligne d’été", "Zażółć gęślą jaźń", "Đường về nhà", "Straße nach Überlingen",
    "İstanbul hattı", "Ελληνική γραμμή", "Моя линия", "Подорож до Києва", "Քայլող գիծ",
    "ჩემი ხაზი", "קו לנסיעות", "הַקַּו שֶׁלִּי", "خط السفر", "خَطُّ السَّفَرِ", "سفر می‌روم",
    "میری لائن", "ސަފަރު", "ܩܘ ܕܝܠܝ", "यात्रा लाइन", "क्षत्रिय", "শ্রীমঙ্গল যাত্রা",
    "ਮੇਰੀ ਲਾਈਨ", "મારી લાઇન", "ମୋ ଲାଇନ", "எனது இணைப்பு", "నా లైన్", "ನನ್ನ ಲೈನ್",
    "എന്റെ ലൈൻ", "ශ්‍රී ලංකා", "สายเดินทาง", "ສາຍເດີນທາງ", "བོད་ལ་འགྲོ", "ခရီးသွား",
    "ខ្សែធ្វើដំណើរ", "የጉዞ መስመር", "ᏣᎳᎩ", "ᓄᓇᕗᑦ", "ᠮᠣᠩᠭᠣᠯ", "我的旅行线路", "旅行用の回線",
    "がぎぐげご", "여행 회선", "ꦗꦮ", "ᨅᨔ ᨕᨘᨁᨗ", "𐐔𐐯𐑅𐐨𐑉𐐯𐐻", "𠮷野家",
    "👨‍👩‍👧‍👦 family", "👩🏽‍🚀", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 London", "🇪🇸🇫🇷", "1️⃣ first", "❤️‍🔥", "☎️",
    "=1+1", "+34 612", "-5", "@ana", "a\tb".replace("\t", ","), '"quoted"', "<b>bold</b>",
    "'; DROP TABLE lines; --", "50 % of “it”", "A/B\\C", "{{name}}", "%s %n", "~", "0", "é",
]

# Text as typed, and what it becomes.
CHANGED = [
    ("  Travel  ", "Travel"), ("a   b", "a b"), ("\u3000我的\u3000线路\u3000", "我的 线路"),
    ("\u00a0a\u00a0\u2003b\u202f", "a b"), ("a\u1680b", "a b"), ("a \u205f \u2009b", "a b"),
]

# Text as typed, and the first character that cannot be used.
UNUSABLE = [
    *((f"a{chr(n)}b", n) for n in [*range(0x20), 0x7F, *range(0x80, 0xA0)]),
    *((f"{chr(n)}b", n) for n in [0, 9, 10, 13, 0x85]),
    *((f"a{chr(n)}b", n) for n in [0x2028, 0x2029, *range(0x202A, 0x202F)]),
    *((f"a{chr(n)}b", n) for n in range(0x2066, 0x2070)),
    *((f"a{chr(n)}b", n) for n in [0xFFF9, 0xFFFB, 0xFFFE, 0xFFFF, 0xFDD0, 0x1FFFE, 0x10FFFF]),
    *((f"a{chr(n)}b", n) for n in [0xE0001, 0xE0041, 0xE007F, 0xE0FFF]),
    ("\u202eTravel", 0x202E), ("photo\u202egpj.exe", 0x202E), ("a\u2067b\u2069", 0x2067),
    ("a\r\nb", 13), ("a\n", 10), ("\u0301", 0x301), ("\u0301a", 0x301), (" \u0301", 0x301),
    ("a \u0301", 0x301), ("\u093e", 0x93E), ("\u0e31", 0xE31), ("\u200d", 0x200D),
    ("\u200cم", 0x200C), ("a \u200db", 0x200D), ("\ufe0f", 0xFE0F), ("\u20e3", 0x20E3),
    ("a" + "\u0301" * 11, 0x301), ("a" + "\u0489" * 200, 0x489), ("🏁\U000e0067", 0xE0067),
]

# Nothing of it is seen.
EMPTY = ["", " ", "\u3000", "\u200b", "\u200b\u200b", "\ufeff", "\u2060", "\u00ad", "\u3164",
         "\u115f", "\u1160", "\uffa0", "\u2800", "\u200e", "\u200f", "\u061c", "\u180e", " \u200b ",
         "\U0001d173", "\u2063"]

# Invisible, but between what is seen: of use in many scripts.
KEPT = ["ไป\u200bเที่ยว", "عربي\u200e (1)", "שלום\u200f!", "co\u00adop", "a\u2060b", "क\u200dष",
        "a\u034fb"]

# One character each, as people count; forty of them are a label, forty-one are too long.
LONGEST = [
    "a", "我", "👩🏽‍🚀", "🇪🇸", "e\u0301", "\u1112\u1161\u11ab", "👍🏽", "שָׁ", "ที่", "क्षि", "👨‍👩‍👧‍👦",
]


def clusters(text):
    return len(regex.findall(r"\X", text))


def labels():
    kept = NAMES + KEPT
    for name in kept:
        forms = [unicode.normalize(form, name) for form in ("NFC", "NFD")]
        for text in dict.fromkeys([name, *forms]):
            count = {} if re.search("[\u1000-\u109f]", text) else {"characters": clusters(text)}
            yield {"typed": text, "label": text, **count}
    for typed, label in CHANGED:
        yield {"typed": typed, "label": label}
    for typed, code_point in UNUSABLE:
        yield {"typed": typed, "unusable": f"U+{code_point:04X}"}
    for typed in EMPTY:
        yield {"typed": typed, "empty": True}
    for unit in LONGEST:
        yield {"typed": unit * 40, "label": unit * 40}
        yield {"typed": unit * 41, "long": True}
    yield {"typed": "a\u0301" * 39 + "👨" + "\u200d👨" * 161, "long": True}


def marks():
    """marks.rs: general categories Mn, Mc and Me; what is not assigned between two joins them."""
    ranges = []
    bridged = True
    for n in range(0x110000):
        category = unicode.category(chr(n))
        if category[0] == "M":
            if ranges and bridged:
                ranges[-1][1] = n
            else:
                ranges.append([n, n])
            bridged = True
        elif category != "Cn" or 0xFDD0 <= n <= 0xFDEF or n & 0xFFFE == 0xFFFE:
            bridged = False
    cells = [f"(0x{first:x}, 0x{last:x})," for first, last in ranges]
    rows = [""]
    for cell in cells:
        if len(rows[-1]) + len(cell) + 1 > 94:
            rows.append("")
        rows[-1] = f"{rows[-1]} {cell}".strip()
    return "\n".join([
        "//! The combining marks of all scripts. Made by `tests/vectors/make_texts.py`;",
        "//! never edited by hand.",
        "//!",
        f"//! *Source*: Unicode {unicode.unidata_version}, general categories Mn, Mc and Me.",
        "",
        "/// First and last of each run, in order; what no character has yet may be in one.",
        "#[rustfmt::skip]",
        f"pub(super) const MARKS: [(u32, u32); {len(ranges)}] = [",
        *(f"    {row}" for row in rows),
        "];",
        "",
    ])


def write(name, lines):
    text = [json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n" for line in lines]
    (ROOT / "tests/vectors" / name).write_text("".join(text))
    return len(text)


def main():
    (ROOT / "core/src/label/marks.rs").write_text(marks())
    all_emails = list(emails(random.Random(2026)))
    count = write("emails.jsonl", all_emails)
    print(f"{count} addresses, {sum(line['good'] for line in all_emails)} good")
    print(f"{write('labels.jsonl', labels())} labels")


if __name__ == "__main__":
    main()
