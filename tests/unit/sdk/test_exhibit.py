"""What a person sees of a value at a terminal: a table where it is one, never more than a screen, and what is left out is counted."""

from tidegate.sdk.exhibit import ALL, SCREEN, cells_wide, exhibit

DIGEST = "ab" * 32


def test_a_list_of_rows_is_a_table_whose_columns_stand_below_each_other():
    rows = [{"city": "Zürich", "n": 1}, {"city": "東京", "n": 22}]
    assert exhibit({}, rows).lines == ["city    n", "Zürich  1", "東京    22"]
    assert exhibit({}, rows).left_out == ""


def test_of_a_long_table_its_head_is_shown_and_the_rest_counted():
    rows = [{"n": n, "words": "long " * 20} for n in range(10_000)]

    shown = exhibit({}, rows)

    assert len(shown.lines) == SCREEN.rows + 1
    assert shown.left_out == "10 of 10,000 rows, 10 cells shortened"
    assert max(map(len, shown.lines)) < 80


def test_of_a_wide_table_the_columns_that_are_left_out_are_counted():
    rows = [{f"c{n:02d}": n for n in range(40)} | {"pay_to": "somebody", "amount": 1}] * 2

    shown = exhibit({}, rows)
    whole = exhibit({}, rows, ALL)

    assert shown.left_out == "8 of 42 columns"
    assert "pay_to" not in shown.lines[0]
    assert whole.left_out == ""
    assert whole.lines[0].split()[-2:] == ["pay_to", "amount"]


def test_rows_that_differ_are_not_a_table():
    assert exhibit({}, [{"a": 1}, {"b": 2}]).lines == ['[{"a": 1}, {"b": 2}]']
    assert exhibit({}, [{"a": [1]}, {"a": [2]}]).lines == ['[{"a": [1]}, {"a": [2]}]']
    assert exhibit({}, [[], []]).lines == ["[[], []]"]


def test_of_anything_else_that_is_long_the_beginning_is_shown_and_the_rest_counted():
    shown = exhibit({}, {f"key {n}": n for n in range(1_000)})
    assert len(shown.lines) == SCREEN.lines
    assert shown.left_out == "24 of 1,002 lines"

    shown = exhibit({}, "x" * 5_000)
    assert shown.left_out == "1,000 of 5,000 characters of it"
    assert exhibit({}, "x" * 5_000, ALL).lines == ["x" * 5_000]

    shown = exhibit({}, "\n".join(["x" * 5_000] * 100))
    assert shown.left_out == "24 of 100 lines, 24,000 of 120,000 characters of these"
    assert exhibit({}, "").lines == [""]


def test_what_cannot_be_seen_is_a_mark_in_every_cell():
    shown = "".join(exhibit({}, [{"a\x1b[2J": "\u202ered"}, {"a\x1b[2J": "x\u200b"}]).lines)
    assert shown.isprintable()
    assert "‹U+001B›" in shown
    assert "‹U+202E›" in shown
    assert "‹U+200B›" in shown


def test_a_blob_is_what_was_found_of_it_and_a_dict_that_looks_like_one_shows_everything():
    blob = {"$blob": DIGEST, "size": 1, "media": "image/png", "name": "a.png"}
    found = {DIGEST: (76, "text/html")}

    assert exhibit({}, blob, files=found).lines == [
        f"<a.png, 76 bytes, text/html, sha256 {DIGEST}>"
    ]
    assert exhibit({}, blob, files={}).lines == [f"<a.png, not inspected, sha256 {DIGEST}>"]
    for more in ({"amount": 1_000_000}, {"size": "1"}, {"$uri": "http://x"}, {"$blob": "not one"}):
        shown = "".join(exhibit({}, blob | more, files=found).lines)
        for name, value in (blob | more).items():
            assert str(value) in shown, name


def test_the_width_of_a_text_is_that_of_its_cells():
    assert [cells_wide(each) for each in ("abc", "東京", "e\u0301")] == [3, 4, 1]
