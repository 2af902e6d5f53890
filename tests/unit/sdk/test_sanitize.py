"""The author's HTML in a deck runs nothing and loads nothing, what is dropped is listed, and it takes as long as it is."""

import re
import time

import pytest

from tidegate.sdk.sanitize import LISTED, sanitize

KEPT = {
    "words": "<p>a &amp; <b>b</b></p>",
    "a table": '<table><tr><td class="n">1</td></tr></table>',
    "a style": "<style>p > b{color:red}</style>",
    "a picture that is there": '<img src="data:image/png;base64,AA" alt="é">',
    "a link to follow": '<a href="https://example.org/">x</a>',
    "a drawing": '<svg viewBox="0 0 1 1"><linearGradient id="a"></linearGradient><path d="M0 0" fill="url(#a)"></path></svg>',
    "what folds": "<details><summary>s</summary>b</details>",
}

DROPPED = {
    "<script>fetch('x')</script>": "<script>",
    "<img src=http://elsewhere/x>": "<img src=http://elsewhere/x>",
    "<img srcset='http://elsewhere 2x'>": "<img>",
    "<iframe src=http://elsewhere></iframe>": "<iframe src=http://elsewhere>",
    "<iframe srcdoc='<script>x</script>'></iframe>": "<iframe>",
    "<link rel=preconnect href=//elsewhere>": "<link>",
    "<meta http-equiv=refresh content='0;url=http://elsewhere'>": "<meta>",
    "<base href=//elsewhere>": "<base>",
    "<object data=x></object>": "<object>",
    "<embed src=x>": "<embed src=x>",
    "<video src=x poster=y></video>": "<video src=x>",
    "<audio><source src=x></audio>": "<source src=x>",
    "<form action=//elsewhere><button>b</button></form>": "<form>",
    "<svg><image href=http://elsewhere></image></svg>": "<image>",
    "<svg><use href=http://elsewhere#a></use></svg>": "href=http://elsewhere#a",
    "<svg><foreignObject><iframe></iframe></foreignObject></svg>": "<iframe>",
    "<p onclick=x()>a</p>": "onclick=x()",
    "<a href=javascript:x>a</a>": "href=javascript:x",
    "<a href='&#106;avascript:x'>a</a>": "href=javascript:x",
    "<p style='background:url(//elsewhere)'>a</p>": "CSS that loads",
    "<style>@import '//elsewhere'</style>": "CSS that loads",
    "<style>p{background:\\75rl(//elsewhere)}</style>": "CSS that loads",
    "<svg><rect fill='url(//elsewhere)'></rect></svg>": "CSS that loads",
    "<svg></p><style><a id='</style><img src=1 onerror=x()>'>": "<img src=1>",
    "<svg><style><meta http-equiv=refresh></style></svg>": "",
    "<math><mtext><style><img src=x></style></mtext></math>": "<math>",
    "<noscript><img src=x></noscript>": "<img src=x>",
    "<textarea><img src=x></textarea>": "<textarea>",
    "<plaintext><img src=x>": "<plaintext>",
    "<xmp><img src=x></xmp>": "<xmp>",
    "<!--><img src=x>-->": "<img src=x>",
    "<template><img src=x></template>": "<template>",
}
ACTIVE = ("<script", "<img", "<iframe", "<link", "<meta", "<base", "<object", "<embed", "<video", "<audio", "<source", "<form", "<image",
          "<foreign", " onclick", "javascript:", "elsewhere", "<math", "<noscript", "<textarea", "<plaintext", "<xmp", "<template", "<!--")  # fmt: skip


@pytest.mark.parametrize("html", KEPT.values(), ids=KEPT)
def test_what_shows_something_is_kept_as_it_is(html: str):
    found = sanitize(html)

    assert found.html == html
    assert found.note == ""


@pytest.mark.parametrize(("html", "listed"), DROPPED.items())
def test_what_runs_or_loads_is_dropped_and_listed(html: str, listed: str):
    found = sanitize(f"before {html} after")

    assert not [each for each in ACTIVE if each in found.html.lower()]
    assert found.html.startswith("before ")
    assert any(listed in each for each in found.dropped) or not listed


def test_every_angle_bracket_is_of_a_tag_that_was_let_through():
    found = sanitize("1 < 2 <<b>> </i <3 <a title='<x>'>y</a> <style>a<b</style>").html

    assert re.sub(r'</?(?:b|a|style)(?: title="[^"<]*")?>', "", found).count("<") == 0


def test_what_is_dropped_is_named_escaped_and_counted():
    note = sanitize(
        "<foo>" * 3 + '<img src="http://x/<b>">' + "".join(f"<x{n}>" for n in range(99))
    ).note

    assert "<code>&lt;foo&gt;</code> (3 times)" in note
    assert "&lt;img src=http://x/&lt;b&gt;" in note
    assert f"and {101 - LISTED} more" in note


@pytest.mark.parametrize(
    "pattern",
    ["<style ", "<", "<b>", "<p>x", "&", '<a b="', "<!--", "</p>", "<td>", "<svg><style>", "<b id=x><p>", "<a><div>", " a=1", "<a a=1 ", "\0"],
)  # fmt: skip
def test_the_time_grows_with_the_length(pattern: str):
    def cost(size: int) -> float:
        html, best = pattern * (size // len(pattern)), float("inf")
        for _ in range(3):
            began = time.process_time()
            sanitize(html)
            best = min(best, time.process_time() - began)
        return best

    assert cost(160_000) < 20 * cost(16_000) + 0.02


def test_what_cannot_be_seen_is_marked_in_texts_and_attributes():
    found = sanitize("<p title='a\u202eb'>100\u202e\x1b[2J&#x200b;</p><p>שלום</p>").html

    assert found == '<p title="a‹U+202E›b">100‹U+202E›‹U+001B›[2J‹U+200B›</p><p>שלום</p>'
