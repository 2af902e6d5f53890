"""Logs are found again under the names they were written for, whatever these look like."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.logs import MAX_LOG, MAX_NAME, Logs, Seen, keep_log


def write(home: Path, execution: str, node: str, attempt: int, text: str) -> None:
    source = home / "printed"
    source.write_text(text)
    with source.open("r+b") as file:
        keep_log(file.fileno(), Logs(home).path(execution, node, attempt))


@settings(deadline=None)
@given(
    execution=st.text(min_size=1, max_size=80).filter(lambda s: s.isprintable()),
    node=st.lists(st.text("abn.0129% -\\é", min_size=1, max_size=40), min_size=1, max_size=5),
)
def test_any_name_has_a_directory_of_its_own_below_the_logs(
    tmp_path_factory: pytest.TempPathFactory, execution: str, node: list[str]
):
    home = tmp_path_factory.mktemp("home")
    name = "/".join(node)

    write(home, execution, name, 2, "text")

    (log,) = Logs(home).read(execution)
    assert (log.node, log.attempt, log.text) == (name, 2, "text")
    assert Logs(home).path(execution, name, 2).resolve().is_relative_to(home / "logs")


@pytest.mark.parametrize("name", [".", "..", "../..", "", "a/b", "x" * 1000, "\0"])
def test_an_execution_cannot_lead_out_of_the_logs(tmp_path: Path, name: str):
    write(tmp_path, name, "n0", 1, "text")

    assert [log.text for log in Logs(tmp_path).read(name)] == ["text"]
    assert Logs(tmp_path).path(name, "n0", 1).resolve().is_relative_to(tmp_path / "logs")
    assert Logs(tmp_path).path(name, "n0", 1).parents[1].parent == tmp_path / "logs"


def test_long_names_that_begin_alike_are_told_apart(tmp_path: Path):
    one, two = "x" * MAX_NAME + "1", "x" * MAX_NAME + "2"
    write(tmp_path, one, "n0", 1, "one")
    write(tmp_path, two, "n0", 1, "two")

    assert [log.text for log in Logs(tmp_path).read(one)] == ["one"]


def test_logs_come_by_node_and_attempt(tmp_path: Path):
    for node, attempt in [("n10", 1), ("n2/n1", 1), ("n2", 11), ("n2", 2), ("n0", 1)]:
        write(tmp_path, "e", node, attempt, "x")

    order = [(log.node, log.attempt) for log in Logs(tmp_path).read("e")]

    assert order == [("n0", 1), ("n2", 2), ("n2", 11), ("n2/n1", 1), ("n10", 1)]
    assert [log.attempt for log in Logs(tmp_path).read("e", "n2")] == [2, 11]


def test_a_log_stands_before_what_was_seen_of_it_live(tmp_path: Path):
    write(tmp_path, "e", "n0", 1, "whole")
    Logs(tmp_path).live_path("e", "n0", 1).write_text("who")
    Logs(tmp_path).live_path("e", "n0", 2).write_text("part")

    assert [(log.text, log.live) for log in Logs(tmp_path).read("e")] == [
        ("whole", False),
        ("part", True),
    ]


def test_what_is_not_text_is_shown_as_far_as_it_is(tmp_path: Path):
    path = Logs(tmp_path).path("e", "n0", 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a\xffb")

    assert Logs(tmp_path).read("e")[0].text == "a\N{REPLACEMENT CHARACTER}b"


def test_nothing_is_kept_of_nothing(tmp_path: Path):
    with Path(os.devnull).open("rb") as nothing:
        keep_log(nothing.fileno(), Logs(tmp_path).path("e", "n0", 1))

    assert not (tmp_path / "logs").exists()


def keep_as_earlier(home: Path, node: str, attempt: int, page: str) -> None:
    """Write a deck where earlier versions kept it."""
    path = Logs(home)._directory("decks", "e", node) / f"{attempt}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page)


def test_decks_of_earlier_versions_are_found_by_node_and_the_last_attempt_counts(tmp_path: Path):
    keep_as_earlier(tmp_path, "n0/ü", 2, "first")
    keep_as_earlier(tmp_path, "n0/ü", 10, "última")

    assert Logs(tmp_path).read_deck("e", "n0/ü") == (10, "última")
    assert Logs(tmp_path).read_deck("e", "n0/ü", 2) == (2, "first")
    assert Logs(tmp_path).read_deck("e", "n0/ü", 3) is None
    assert Logs(tmp_path).read_deck("e", "n0") is None
    assert Logs(tmp_path).read_deck("../e", "n0/ü") is None
    assert Logs(tmp_path).nodes_with_decks("f", ["n0/ü"]) == frozenset()


def test_of_few_nodes_and_of_many_the_same_have_decks(tmp_path: Path):
    keep_as_earlier(tmp_path, "n0/ü", 1, "deck")
    many = [f"n{number}" for number in range(200)]

    assert Logs(tmp_path).nodes_with_decks("e", ["n0", "n0/ü"]) == {"n0/ü"}
    assert Logs(tmp_path).nodes_with_decks("e", ["n0", "n0/ü", *many]) == {"n0/ü"}
    assert Logs(tmp_path).nodes_with_decks("e", []) == frozenset()


def test_what_an_attempt_publishes_is_its_own_and_the_last_counts(tmp_path: Path):
    logs = Logs(tmp_path)
    logs.publish_deck("e", "n0/ü", 2, b"first")
    logs.publish_deck("e", "n0/ü", 2, b"second")

    assert logs.read_published("e", "n0/ü", 2) == b"second"
    assert logs.read_published("e", "n0/ü", 3) is logs.read_published("e", "n0", 2) is None

    logs.remove_published("e", "n0/ü", 2)
    assert not logs.has_published("e", "n0/ü", 2)


def test_what_attempts_have_published_that_are_gone_is_removed_with_the_drafts(tmp_path: Path):
    Logs(tmp_path).publish_deck("e", "n0", 1, b"page")

    Logs(tmp_path).remove_drafts()

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_of_too_long_a_log_the_beginning_and_the_end_are_kept_and_what_is_missing_is_said(
    tmp_path: Path,
):
    lines = [f"{number:09}\n" for number in range(300_000)]
    write(tmp_path, "e", "n0", 1, "".join(lines))

    (log,) = Logs(tmp_path).read("e")
    first, note, last = log.text.partition("\n... ")[0], log.text, log.text.rpartition(" ...\n")[2]
    assert "".join(lines).startswith(first)
    assert "".join(lines).endswith(last)
    assert len(first) == len(last) == MAX_LOG // 2
    assert f"\n... {3_000_000 - MAX_LOG} bytes left out ...\n" in note


def test_a_file_that_was_printed_into_is_emptied_also_if_no_log_can_be_written(tmp_path: Path):
    (tmp_path / "logs").touch()
    printed = tmp_path / "printed"
    printed.write_text("x" * 1000)

    with printed.open("r+b") as file, pytest.raises(OSError):
        keep_log(file.fileno(), Logs(tmp_path).path("e", "n0", 1))

    assert printed.read_text() == ""


class TestNews:
    """Anyone who reads on from where they stood reads each byte once, whatever is written meanwhile."""

    def read_on(self, logs: Logs, seen: Seen, node: str | None = None) -> tuple[str, Seen]:
        text = ""
        while True:
            found, seen = logs.news("e", node, seen)
            if not found:
                return text, seen
            text += "".join(each.text for each in found)

    def live(self, home: Path, node: str, body: str) -> Path:
        path = Logs(home).live_path("e", node, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        return path

    def test_of_what_runs_whole_lines_are_read_and_the_rest_when_it_has_ended(self, tmp_path: Path):
        logs = Logs(tmp_path)
        path = self.live(tmp_path, "n0", "one\ntw")
        text, seen = self.read_on(logs, Seen())
        assert text == "one\n"
        path.write_text("one\ntwo\nthr")
        text, seen = self.read_on(logs, seen)
        assert text == "two\n"
        path.unlink()
        write(tmp_path, "e", "n0", 1, "one\ntwo\nthree")
        text, seen = self.read_on(logs, seen)
        assert text == "three"
        assert self.read_on(logs, seen)[0] == ""

    def test_an_attempt_that_began_and_ended_between_two_looks_is_read(self, tmp_path: Path):
        logs = Logs(tmp_path)
        seen = Seen()
        for number in range(50):
            # Within one tick of the file system's clock.
            write(tmp_path, "e", f"n{number}", 1, f"said by {number}\n")
            text, seen = self.read_on(logs, seen)
            assert text == f"said by {number}\n"

    def test_where_one_stands_stays_small_however_many_have_ended(self, tmp_path: Path):
        logs = Logs(tmp_path)
        for number in range(200):
            write(tmp_path, "e", f"n{number}", 1, "said\n")
            os.utime(logs.path("e", f"n{number}", 1), ns=(number * 10**9, number * 10**9))
        _, seen = self.read_on(logs, Seen())
        _, seen = self.read_on(logs, seen)
        assert len(seen.bytes) < 3

    def test_so_it_does_if_very_many_end_at_once(self, tmp_path: Path):
        logs = Logs(tmp_path)
        for number in range(1_000):
            write(tmp_path, "e", f"n{number}", 1, f"{number}\n")
            os.utime(logs.path("e", f"n{number}", 1), ns=(10**18 + number, 10**18 + number))
        text, seen = self.read_on(logs, Seen())
        assert sorted(map(int, text.split())) == list(range(1_000))
        assert len(seen.bytes) <= 200
        write(tmp_path, "e", "late", 1, "late\n")
        assert self.read_on(logs, seen)[0] == "late\n"

    def test_very_much_is_read_in_pieces_that_end_with_a_line(self, tmp_path: Path):
        logs = Logs(tmp_path)
        body = "".join(f"{'é' * 50} {number}\n" for number in range(8_000))
        write(tmp_path, "e", "n0", 1, body)
        write(tmp_path, "e", "n1", 1, body)
        found, seen = logs.news("e", None, Seen())
        assert found
        assert all(each.text.endswith("\n") and "\ufffd" not in each.text for each in found)
        text, _ = self.read_on(logs, seen)
        assert len("".join(each.text for each in found) + text) == 2 * len(body)

    def test_what_was_printed_before_is_not_news_to_who_stands_at_the_end(self, tmp_path: Path):
        logs = Logs(tmp_path)
        write(tmp_path, "e", "n0", 1, "before\n")
        path = self.live(tmp_path, "n1", "before\n")
        seen = logs.end("e", None)
        path.write_text("before\nafter\n")
        write(tmp_path, "e", "n2", 1, "after, too\n")
        assert self.read_on(logs, seen)[0] == "after\nafter, too\n"
