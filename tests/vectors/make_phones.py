"""Makes the table of calling codes and the vectors of phone numbers from libphonenumber's data.

    python3 -m venv /tmp/phones && /tmp/phones/bin/pip install phonenumbers==9.0.43
    /tmp/phones/bin/python tests/vectors/make_phones.py

It writes core/src/contact/calling_codes.rs and tests/vectors/phones.jsonl, the same bytes each
time, and prints what it counted. It is run by hand when the data is to be newer: the version above
and READ_ON below change with it. Nothing of Laika runs it.

"Possible" is libphonenumber's `is_possible_number_with_reason` == IS_POSSIBLE: a length that the
plan has and that can be dialled from abroad; IS_POSSIBLE_LOCAL_ONLY is not enough. Non-geographic
codes (+800, +808, +870, +878, +881, +882, +883, +888, +979) are in it like any other.

One line of phones.jsonl: `number` as typed, `possible`, and `e164` where what is kept is not what
was typed, or `reason` where libphonenumber has one. What is kept is what libphonenumber makes of a
number, and of that again: it drops one `0` of `+44 00…` and would drop the other the next time.

Left out are the numbers that libphonenumber rewrites by the carrier-selection or local-dialling
rules of one country (`+54 11 15…` becomes `+54 9 11…`, `+261` with seven digits gets `20` before
them, `+57 07…` names a carrier): those are not E.164 as typed, and guessing a line from them is not
for us. They are those where the pattern of what is dialled before a number matches more than the
plain prefix. Counted as `rewritten`.
"""

import json
import pathlib
import random
import re

import phonenumbers as lib
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

VERSION = "9.0.43"
READ_ON = "2026-11-22"
ROOT = pathlib.Path(__file__).resolve().parents[2]

# What stands before a national number only when dialled at home, by the row's lowest four bits.
TRUNKS = [(), ("0",), ("1",), ("8",), ("06",), ("0", "8")]
# The national prefixes that libphonenumber removes, as patterns, where they are not one literal.
# Belarus has 8 and 80 too, but also numbers that begin with them; which is which takes its plan.
SPECIAL = {"[08]": ("0", "8"), "0|80?": ("0",)}

# E.164: at most 15 digits with the calling code. Longer ones that libphonenumber knows of (in +49,
# +62, +81, +82 and +234) are service numbers of one country, which nobody abroad can reach.
DIGITS_MOST = 15


def rows():
    """(code, region, lengths, trunk class), in the order of the codes."""
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        data = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        most = DIGITS_MOST - len(str(code))
        lengths = [n for n in data.general_desc.possible_length if n <= most]
        parsing = data.national_prefix_for_parsing
        trunk = SPECIAL.get(parsing) or ((data.national_prefix,) if data.national_prefix else ())
        yield code, regions[0], lengths, TRUNKS.index(trunk)


def table():
    """calling_codes.rs."""
    trunks = ", ".join("&[" + ", ".join(f'"{t}"' for t in each) + "]" for each in TRUNKS)
    lines = [
        "//! The calling codes of the world and how long their numbers can be. Made by",
        "//! `tests/vectors/make_phones.py`; never edited by hand.",
        "//!",
        f"//! *Source*: libphonenumber's metadata, package phonenumbers {VERSION}, {READ_ON}.",
        "",
        "/// What stands before a national number only when it is dialled at home; a row's lowest",
        "/// four bits say which of these its country uses.",
        f"pub(super) const TRUNKS: [&[&str]; {len(TRUNKS)}] = [{trunks}];",
        "",
        "/// Calling code, and a set of bits: bit 4 to 14 for national numbers of so many digits,",
        "/// and in the lowest four the country's place in [`TRUNKS`].",
        "#[rustfmt::skip]",
    ]
    body, raw = [], 0
    for code, region, lengths, trunk in rows():
        assert all(4 <= n <= 14 for n in lengths), (code, lengths)
        bits = sum(1 << n for n in lengths) | trunk
        said = " ".join(str(n) for n in lengths)
        drop = f", drop {' '.join(TRUNKS[trunk])}" if trunk else ""
        body.append(f"    ({code}, 0x{bits:04x}), // {region}: {said}{drop}")
        raw += 4
    lines.append(f"pub(super) const CALLING_CODES: [(u16, u16); {len(body)}] = [")
    return "\n".join(lines + body + ["];", ""]), raw


def stable(number):
    """The form of a number that stays the same when it is read again."""
    kept = lib.format_number(number, PhoneNumberFormat.E164)
    try:
        again = lib.parse(kept)
    except lib.NumberParseException:
        return kept
    return kept if again == number else stable(again)


def judge(typed, code, trunks):
    """What libphonenumber says of `typed`, as a line of the vectors; None where it may rewrite."""
    digits = "".join(c for c in typed if c.isdigit())
    try:
        number = lib.parse(typed)
    except lib.NumberParseException as error:
        reason = "too_long" if error.error_type == error.TOO_LONG else None
        return {"number": typed, "possible": False, **({"reason": reason} if reason else {})}
    kept = stable(number)
    national = digits[len(str(code)):]
    pattern = PhoneMetadata.metadata_for_region_or_calling_code(
        code, COUNTRY_CODE_TO_REGION_CODE[code][0]
    ).national_prefix_for_parsing
    before = re.match(pattern, national) if pattern else None
    if before and before.group() not in ("", *trunks):
        return None
    reason = lib.is_possible_number_with_reason(number)
    if reason == ValidationResult.IS_POSSIBLE:
        more = {} if kept == typed else {"e164": kept}
        return {"number": typed, "possible": True, **more}
    names = {
        ValidationResult.TOO_SHORT: "too_short",
        ValidationResult.TOO_LONG: "too_long",
        ValidationResult.INVALID_LENGTH: "invalid_length",
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "local_only",
    }
    return {"number": typed, "possible": False, "reason": names[reason]}


def typed_numbers(dice):
    """Every calling code x every national length, plain and with what people put before it; and
    an example of every kind of number of every region, as libphonenumber writes it."""
    some = lambda n: "".join(dice.choice("0123456789") for _ in range(n))
    for code, region, lengths, trunk in rows():
        for length in range(1, DIGITS_MOST - len(str(code)) + 1):
            yield code, f"+{code}{dice.choice('2345679')}{some(length - 1)}"
            yield code, f"+{code}{some(length)}"
        for prefix in sorted({"0", *TRUNKS[trunk]}):
            for length in lengths:
                if len(f"{code}{prefix}") + length <= DIGITS_MOST:
                    national = dice.choice("2345679") + some(length - 1)
                    yield code, f"+{code} ({prefix}) {national}"
    kinds = sorted(v for k, v in vars(PhoneNumberType).items() if k.isupper() and v < 99)
    seen = set()
    for region in [*sorted(lib.SUPPORTED_REGIONS), *sorted(lib.COUNTRY_CODES_FOR_NON_GEO_REGIONS)]:
        for kind in kinds:
            if isinstance(region, int):
                number = lib.example_number_for_non_geo_entity(region)
            else:
                number = lib.example_number_for_type(region, kind)
            if number is not None:
                typed = lib.format_number(number, PhoneNumberFormat.INTERNATIONAL)
                if typed not in seen:
                    seen.add(typed)
                    yield number.country_code, typed


def unknown_codes():
    """Every start that is no calling code."""
    known = {str(code) for code in COUNTRY_CODE_TO_REGION_CODE}
    for start in range(1, 1000):
        text = f"{start:03}"
        if not any(text[:n] in known for n in (1, 2, 3)):
            yield f"+{text}23456789"


def main():
    source, raw = table()
    (ROOT / "core/src/contact/calling_codes.rs").write_text(source)
    dice = random.Random(2026)
    lines, rewritten = [], 0
    trunks = {code: TRUNKS[trunk] for code, _, _, trunk in rows()}
    for code, typed in typed_numbers(dice):
        line = judge(typed, code, trunks[code])
        rewritten += line is None
        if line is not None:
            lines.append(line)
    for typed in unknown_codes():
        line = judge(typed, 0, ())
        assert line == {"number": typed, "possible": False}, line
        lines.append({**line, "reason": "unknown_calling_code"})
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (ROOT / "tests/vectors/phones.jsonl").write_text(text)
    possible = sum(line["possible"] for line in lines)
    print(f"{len(list(rows()))} calling codes, {raw} bytes of table")
    print(f"{len(lines)} vectors, {possible} possible, {rewritten} rewritten and left out")


if __name__ == "__main__":
    assert lib.__version__ == VERSION, lib.__version__
    main()
