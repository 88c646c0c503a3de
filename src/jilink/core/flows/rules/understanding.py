"""What people write and say, made comparable: full-width and traditional signs, words, digits and amounts."""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

_TRADITIONAL = str.maketrans(
    "價錢門電話語國號碼請問報買賣養雞豬鴨魚蟲藥肥雲風災訂閱開關聽說轉員務時間東馬車長學會個這來對",
    "价钱门电话语国号码请问报买卖养鸡猪鸭鱼虫药肥云风灾订阅开关听说转员务时间东马车长学会个这来对",
)
_CJK = re.compile(r"[㐀-鿿豈-﫿぀-ヿ가-힣]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DIGITS = {
    sign: number
    for number, signs in enumerate(("零〇○洞", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾"))
    for sign in signs
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_ARABIC = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?|[+-]?\.\d+")
_HALF = Decimal("0.5")
_CHINESE = re.compile(f"[{''.join(_DIGITS)}{''.join(_UNITS)}万亿点半]+")
LONGEST = 2000


def plain(text: str) -> str:
    """Return a text as it is compared: compatibility forms (NFKC), small letters, simplified signs, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).casefold().translate(_TRADITIONAL).split())


def words_of(text: str) -> list[str]:
    """Return the words of a text that parts them by blanks."""
    return _WORD.findall(plain(text))


def has_word(text: str, word: str) -> bool:
    """Return whether a word is in a text: anywhere where it is Chinese, Japanese or Korean, as a whole word otherwise.

    Korean endings stick to their word, and Chinese words to each other, so that a part is what can be looked for.
    """
    wanted = plain(word)
    if not wanted:
        return False
    if _CJK.search(wanted):
        return wanted.replace(" ", "") in plain(text).replace(" ", "")
    return f" {' '.join(words_of(wanted)) or wanted} " in f" {' '.join(words_of(text)) or plain(text)} "


def has_any(text: str, words: Iterable[str]) -> bool:
    """Return whether one of the words is in a text."""
    return any(has_word(text, word) for word in words)


def keys_of(text: str) -> str:
    """Return what was pressed or written as keys of a telephone, "" where it is something else."""
    signs = [str(_DIGITS[sign]) if sign in _DIGITS else sign for sign in plain(text) if sign not in " -.,，。、"]
    keys = "".join(signs)
    return keys if keys and set(keys) <= set("0123456789*#abcd") and (len(keys) == 1 or not set("abcd") & set(keys)) else ""


def amount_of(text: str) -> Decimal | None:
    """Return the first amount in a text as people write it: ``120斤``, ``1,200.5``, ``一百二``, ``两万三``; None without one."""
    said = plain(text)
    arabic, chinese = _ARABIC.search(said), _CHINESE.search(said)
    if arabic is not None and (chinese is None or arabic.start() < chinese.start()):
        rest = said[arabic.end() :].lstrip()[:1]
        return Decimal(arabic[0].replace(",", "")) * _MYRIADS.get(rest, _UNITS.get(rest, 1))
    if chinese is None:
        return None
    value = _chinese(chinese[0])
    return value + _HALF if value is not None and said[chinese.end() + 1 : chinese.end() + 2] == "半" else value  # 两亩半


def _chinese(signs: str) -> Decimal | None:
    if signs == "半":
        return _HALF
    half = _HALF if signs.endswith("半") else Decimal(0)
    whole, _, part = signs.removesuffix("半").partition("点")
    if not whole or any(sign not in _DIGITS for sign in part):
        return None
    plainly = all(sign in _DIGITS for sign in whole)
    total = Decimal("".join(str(_DIGITS[sign]) for sign in whole) if plainly else _by_units(whole))
    return total + half + (Decimal("0." + "".join(str(_DIGITS[sign]) for sign in part)) if part else 0)


def _by_units(signs: str) -> int:
    total = section = digit = 0
    unit, last = 1, ""
    for sign in signs:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _UNITS:
            unit = _UNITS[sign]
            section += (digit or (1 if not last or last in "零〇" or unit == 10 else 0)) * unit
            digit = 0
        elif sign in _MYRIADS:
            unit = _MYRIADS[sign]
            total = (total + section + digit) * unit if unit > 10_000 else total + (section + digit) * unit
            section = digit = 0
        last = sign
    if digit and len(signs) > 1 and signs[-2] in {**_UNITS, **_MYRIADS} and unit >= 100:
        digit *= unit // 10  # 一百二 is 120
    return total + section + digit
