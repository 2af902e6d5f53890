"""What cannot be seen is drawn as a mark; what is written with such characters stays text."""

import json
import time

import pytest

from tidegate.types.marks import escaped, marked

UNSEEN = [
    *map(chr, range(9)), "\x0b", "\x0c", "\r", *map(chr, range(14, 32)), *map(chr, range(0x7F, 0xA0)),
    "\u00ad", "\u061c", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", *map(chr, range(0x2028, 0x202F)),
    *map(chr, range(0x2060, 0x2070)), "\u3164", "\ufeff", "\ufff9", "\ud800", *map(chr, range(0xE0000, 0xE0080)), "\ufe0f", "\U000e0101",
]  # fmt: skip

TEXTS = {
    "Hebrew": "שלום עולם 123",
    "Arabic": "السعر ١٢٣",
    "Persian, with joiners that keep apart": "می\u200cخواهم",
    "Hindi, with a half form": "क\u094d\u200dष र\u094d\u200d",
    "a family": "👨\u200d👩\u200d👧",
    "somebody who flies": "👩🏽\u200d🚀",
    "a heart on fire": "❤\ufe0f\u200d🔥",
    "a key": "1\ufe0f\u20e3",
    "a form of an ideograph": "葛\U000e0100",
    "accents": "e\u0301 o\u0308",
    "lines and tabs": "a\tb\nc",
    "Greek, Chinese and signs": "αβγ 東京 → ✓ €",
}


@pytest.mark.parametrize("letter", UNSEEN, ids=lambda letter: f"U+{ord(letter):04X}")
def test_a_character_that_cannot_be_seen_is_a_mark(letter: str):
    assert marked(f"100{letter}2") == f"100‹U+{ord(letter):04X}›2"


@pytest.mark.parametrize("words", TEXTS.values(), ids=TEXTS)
def test_text_stays_text(words: str):
    assert marked(words) == escaped(words) == words


def test_a_joiner_that_joins_nothing_is_a_mark_also_where_others_join():
    assert marked("a\u200db") == "a‹U+200D›b"
    assert marked("\u200d👩") == "‹U+200D›👩"
    assert marked("م\u200c\u200cم") == "م‹U+200C›‹U+200C›م"
    assert marked("❤\ufe0f\ufe0f") == "❤\ufe0f‹U+FE0F›"


def test_a_line_end_of_windows_is_a_line_end_and_a_return_alone_is_not():
    assert marked("a\r\nb\rc") == "a\nb‹U+000D›c"


def test_in_json_they_are_escapes_for_the_same_characters():
    value = {"".join(each for each in UNSEEN if each != "\ud800"): "\U000e0041x\u202e"}

    shown = escaped(json.dumps(value, ensure_ascii=False))

    assert shown.isprintable()
    assert json.loads(shown) == value


@pytest.mark.parametrize("pattern", ["\u200d", "a\u202e", "م\u200c", "👩\u200d", "\r\n"])
def test_the_time_grows_with_the_length(pattern: str):
    def cost(count: int) -> float:
        text = pattern * count
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            marked(text)
            best = min(best, time.process_time() - began)
        return best

    assert cost(80_000) < 30 * cost(8_000) + 0.01
