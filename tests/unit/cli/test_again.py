"""What a recovery says before it happens, as a terminal shows it."""

import io

from tidegate.cli.again import fitted, what_becomes_of
from tidegate.wire import RecoveryNode, RecoveryView


class Screen(io.StringIO):
    """A terminal, or not."""

    def __init__(self, *, is_one: bool) -> None:
        super().__init__()
        self.is_one = is_one

    def isatty(self) -> bool:
        return self.is_one


def told(count: int) -> list[str]:
    nodes = [
        RecoveryNode(node=f"n{i}", name=f"label-{i}", kind="input", becomes="kept", who="ann")
        for i in range(count)
    ]
    found = RecoveryView(
        execution="one",
        phase="FAILED",
        workflow="flow.wf",
        version="a",
        new_version="b",
        same_code=False,
        nodes=nodes,
    )
    return what_becomes_of(found, most=count)


def test_a_line_is_broken_between_words_and_no_name_is(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = told(30)[1]
    lines = fitted(said, Screen(is_one=True)).splitlines()
    assert len(lines) > 5
    assert max(map(len, lines)) <= 80
    assert all(each.startswith("    ") for each in lines[1:])
    assert " ".join(each.strip() for each in lines) == said.strip()
    assert all(f"label-{i} " in " ".join(lines) for i in range(30))


def test_a_pipe_gets_one_line_for_each_kind_of_thing():
    assert fitted(told(30)[1], Screen(is_one=False)) == told(30)[1]
