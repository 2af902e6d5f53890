"""What a terminal says when a task fails: the author's own lines, and what was printed last, at every command that tells of it."""

import pytest

FLOWS = """
import os
from tidegate import task, workflow

def inner(key):
    return {"a": 1}[key]

@task
def fine() -> str:
    print("all is well")
    return "b"

@task
def boom(key: str, lines: int) -> int:
    for number in range(lines):
        print("line", number)
    return inner(key)

@task
def crash() -> int:
    print("\\x1b[31mthe last words", flush=True)
    os.abort()

@workflow
def raises(lines: int = 3) -> int:
    return boom(key=fine(), lines=lines)

@workflow
def crashes() -> int:
    return crash()
"""


@pytest.fixture
def flows(tidegate):
    tidegate.write("flows.py", FLOWS)
    return tidegate


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_run_shows_what_was_printed_the_author_s_lines_and_the_error_in_this_order(flows):
    done = flows("run", "flows.py", "raises", "--id", "e")
    assert done.code == 1
    assert in_order(
        done.err,
        "fine | all is well\nboom | line 0\nboom | line 1\nboom | line 2\n",
        'File "flows.py", line 17, in boom',
        'File "flows.py", line 6, in inner',
        "error: node 'boom' failed: KeyError: 'b'",
    )
    assert done.err.count("KeyError") == 1


@pytest.mark.parametrize("words", [("show", "e"), ("logs", "e"), ("logs", "e", "boom")])
def test_show_and_logs_tell_it_too(flows, words):
    flows("run", "flows.py", "raises", "--id", "e")
    said = flows(*words).out
    assert 'File "flows.py", line 6, in inner' in said
    assert "line 2\n" in said
    assert "KeyError: 'b'" in said


def test_logs_of_another_node_do_not(flows):
    flows("run", "flows.py", "raises", "--id", "e")
    said = flows("logs", "e", "fine").out
    assert said.endswith("all is well\n")


def test_of_much_that_was_printed_the_end_is_shown_and_where_the_rest_is(flows):
    flows("run", "flows.py", "raises", "--id", "e", "--lines", "500")
    said = flows("show", "e").out
    assert "  ... 490 lines before; all of it: " in said
    assert said.count("  line ") == 10
    assert "  line 499\n" in said


def test_of_a_process_that_ended_itself_what_it_printed_is_shown_and_is_not_a_command(flows):
    done = flows("run", "flows.py", "crashes", "--id", "c")
    assert in_order(done.err, "crash | the last words\n", "error: node 'crash' failed")
    said = flows("show", "c").out
    assert in_order(said, "error: node 'crash' failed", "crash printed:\n", "  the last words\n")
    assert "\x1b" not in done.err + said
    assert done.err.count("the last words") == said.count("the last words") == 1


def test_a_number_of_frames_is_left_out_of_a_deep_recursion(flows):
    deep = FLOWS.replace("return {", "return inner(key + 'x') if len(key) < 300 else {")
    flows.write("flows.py", deep)
    done = flows("run", "flows.py", "raises", "--id", "d")
    assert len(done.err.splitlines()) < 60
    assert done.err.splitlines()[-1].startswith("error: node 'boom' failed: KeyError")
