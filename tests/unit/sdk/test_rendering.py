"""Things as HTML: the author's own stays as it is, values are escaped, and figures become images."""

import pytest

from tidegate import Deck

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


def test_html_is_the_authors_own_and_values_are_escaped():
    deck = Deck("Fits", "<b>own</b>").table([{"<th>": "<script>", "n": 1}]).text("a < b")

    assert "<b>own</b>" in deck.html
    assert "<script>" not in deck.html
    assert "&lt;script&gt;" in deck.html
    assert "&lt;th&gt;" in deck.html
    assert "<pre>a &lt; b</pre>" in deck.html


def test_markdown_becomes_html_and_html_in_it_does_not():
    deck = Deck("Notes").markdown(
        "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>x</script> [y](javascript:z)"
    )

    assert "<h1>Title</h1>" in deck.html
    assert "<td>2</td>" in deck.html
    assert "<script>" not in deck.html
    assert "href" not in deck.html


def test_images_stand_in_the_page_itself():
    assert 'src="data:image/png;base64,' in Deck("Plot", PIXEL).html
    assert 'alt="&quot;two&quot;"' in Deck("Plot").image(PIXEL, '"two"').html


def test_bytes_that_are_not_an_image_are_refused():
    with pytest.raises(TypeError, match="not an image"):
        Deck("Plot").append(b"PK")


def test_a_data_frame_is_a_table_and_its_values_are_escaped():
    pandas = pytest.importorskip("pandas")

    html = Deck("Frame", pandas.DataFrame({"a": ["<b>"], "b": [2]})).html

    assert "<table" in html
    assert "&lt;b&gt;" in html


class Drawing:
    """Saves itself as matplotlib's figures do."""

    def savefig(self, file, **options):
        assert options["format"] == "png"
        file.write(PIXEL)


class Chart:
    """Speaks as plotly's figures do, on a machine that cannot draw them."""

    def to_image(self, **_):
        raise ValueError("Image export requires the kaleido package <b>\nmore")

    def to_plotly_json(self):
        return {"data": [{"type": "scatter", "name": "<speed>", "x": [1, 2], "y": [3.5]}]}


class Shown:
    """Shows itself in a notebook."""

    def _repr_svg_(self):
        return "<svg/>"


def test_figures_become_images():
    assert "data:image/png" in Deck("Figure", Drawing()).html
    assert "data:image/svg+xml" in Deck("Figure", Shown()).html


def test_a_figure_that_cannot_be_drawn_is_shown_by_its_points():
    html = Deck("Figure", Chart()).html

    assert "kaleido package &lt;b&gt;" in html
    assert "&lt;speed&gt;" in html
    assert "<td class=n>3.5</td>" in html


def test_what_cannot_be_shown_is_refused_by_its_type():
    with pytest.raises(TypeError, match="cannot show a object"):
        Deck("Nothing").append(object())
