"""What a page says, for a terminal."""

import pytest

from tidegate.cli.page_text import words_of


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\t\nc"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ("<head><title>x</title></head><h1>T &amp; U</h1><h2>V</h2>", "T & U\nV"),
        ("<STYLE>p {}</Style><script>if (a<b) {}</script>a", "a"),
        ("<style>p {} a", ""),
        ('see <img src="x" alt="y">.', "see  [image: y] ."),
        ('see <img src="x">.', "see  [image] ."),
        ("<p>a</p>\n \t\n\n<p>b</p>\n", "a\n\nb"),
        ("a &lt;p&gt; b", "a <p> b"),
        ("a <b", "a"),
        ("<>a</>", "<>a"),
        ("<p", ""),
        ("İ<style>x</style>İ", "İİ"),
        ("", ""),
    ],
)
def test_text_is_shown_and_tags_are_not(page, words):
    assert words_of(page) == words
