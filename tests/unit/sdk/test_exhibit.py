"""What a person sees of a value at a terminal: a table where it is one, and never more than a screen."""

from tidegate.sdk.exhibit import LONGEST_LINE, MOST_LINES, MOST_ROWS, cells_wide, exhibit


def test_a_list_of_rows_is_a_table_whose_columns_stand_below_each_other():
    rows = [{"city": "Zürich", "n": 1}, {"city": "東京", "n": 22}]
    assert exhibit({}, rows) == ["city    n", "Zürich  1", "東京    22"]


def test_of_a_long_table_its_head_is_shown_and_the_rest_counted():
    rows = [{"n": n, "words": "long " * 20} for n in range(10_000)]
    shown = exhibit({}, rows, "tidegate show x --json")
    assert len(shown) == MOST_ROWS + 2
    assert shown[-1] == "… 9,990 more rows; all of it: tidegate show x --json"
    assert max(map(len, shown)) < 80


def test_rows_that_differ_are_no_table():
    assert exhibit({}, [{"a": 1}, {"b": 2}]) == ['[{"a": 1}, {"b": 2}]']
    assert exhibit({}, [{"a": [1]}, {"a": [2]}]) == ['[{"a": [1]}, {"a": [2]}]']
    assert exhibit({}, [[], []]) == ["[[], []]"]


def test_of_anything_else_that_is_long_the_beginning_is_shown_and_the_rest_counted():
    shown = exhibit({}, {f"key {n}": n for n in range(1_000)})
    assert len(shown) == MOST_LINES + 1
    assert shown[-1] == "… 978 more lines"
    assert exhibit({}, "x" * 5_000) == ["x" * LONGEST_LINE + "… 4,000 more characters"]
    assert exhibit({}, "") == [""]


def test_what_steers_a_terminal_is_not_in_a_cell():
    assert "\x1b" not in "".join(exhibit({}, [{"a\x1b[2J": "\x1b[31mred"}, {"a\x1b[2J": "x"}]))


def test_the_width_of_a_text_is_that_of_its_cells():
    assert [cells_wide(each) for each in ("abc", "東京", "e\u0301")] == [3, 4, 1]
