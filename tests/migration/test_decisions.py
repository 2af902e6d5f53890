"""
Decisions of an earlier version: whose keys they were, what was kept, and that questions of then have a digest now.

`stores/0004b.sql` was made by a Tidegate whose idempotency keys were everybody's, and whose questions had neither handle nor digest.
"""

from pathlib import Path

import apsw
import pytest

from tidegate.errors import AlreadyAnswered, KeyReused
from tidegate.service.checks import check_store
from tidegate.stores.sqlite import SqliteStore
from tidegate.testing import Sandbox

OLD = Path(__file__).parent / "stores" / "0004b.sql"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    connection = apsw.Connection(str(tmp_path / "tidegate.db"))
    connection.execute(OLD.read_text()).fetchall()
    connection.close()
    return tmp_path


def test_its_keys_are_of_who_gave_the_answer(home: Path):
    with Sandbox(home=home) as sandbox:
        run = sandbox.run("asks-1")
        before = run.events
        first = run.answer("a", 1, who="ann", key="k1")
        assert (first.who, first.early) == ("ann", False)
        assert run.answer("c", 3, who="ann", key="k3").who == "ann"
        # Then both were told that theirs was taken; under that key they still are.
        assert run.answer("a", 1, who="bob", key="k2") == first
        for name, value, who, key in (("b", 1, "ann", "k1"), ("a", 2, "bob", "k2")):
            with pytest.raises(KeyReused):
                run.answer(name, value, who=who, key=key)
        with pytest.raises(AlreadyAnswered, match="by ann"):
            run.answer("a", 1, who="bob", key="k1")
        assert run.events == before
        run.answer("b", 2, who="bob", key="k1")
        assert run.outputs == {"o0": 3}


def test_its_questions_have_a_digest_now_and_its_answers_say_that_nothing_was_shown(home: Path):
    with Sandbox(home=home) as sandbox:
        run = sandbox.run("asks-1")
        (question,) = run.questions
        assert [(each.handle, each.digest) for each in sandbox.inbox()] == [
            (question.handle, question.digest)
        ]
        assert run.answer(question.handle, 2, shown=question.digest).signal == "b"
        assert run.signals["a"].answer.shown == "no"
    store = SqliteStore.open(home / "tidegate.db")
    assert check_store(store).problems == []
    store.close()


def test_what_failed_then_is_recovered_with_its_approval(home: Path):
    with Sandbox(home=home) as sandbox:
        run = sandbox.run("failed-1")
        again = run.recover("second")
        kept = again.signals["ok"].answer
        assert (kept.who, kept.comment, kept.kept) == ("ada", "once", "failed-1")
        assert (run.view.successor, again.view.origin) == ("second", "failed-1")


def test_what_was_aborted_then_asks_for_its_approval_again(home: Path):
    with Sandbox(home=home) as sandbox:
        again = sandbox.run("aborted-1").recover("second")
        assert sorted(again.waiting) == ["note", "ok"]
