"""What is damaged of an execution is known until it is read back, and is told with what to do."""

from tidegate.engine.damage import REMEDY, Damage, damaged
from tidegate.errors import StoreDamaged


def test_what_cannot_be_read_is_told_with_its_execution_and_the_remedy_once():
    error = damaged("e1", StoreDamaged("line 3 has another checksum"))

    assert error.message == f"execution e1 is damaged: line 3 has another checksum; {REMEDY}"
    assert damaged("e1", error) is error


def test_what_was_noticed_is_known_until_it_is_whole_again():
    damage = Damage()
    assert (damage.why(1), damage.is_unreadable(1)) == ("", False)

    damage.noticed(1, "e1", StoreDamaged("a broken line"))
    damage.lacks(2, "its code is missing")

    assert "a broken line" in damage.why(1)
    assert damage.why(2) == "its code is missing"
    assert [damage.is_unreadable(key) for key in (1, 2, 3)] == [True, False, False]

    for key in (1, 2, 3):
        damage.lacks(key, "")
    assert [damage.why(key) for key in (1, 2, 3)] == ["", "", ""]


def test_no_number_of_damaged_executions_takes_more_than_its_share_of_memory():
    damage = Damage()

    for key in range(30_000):
        damage.lacks(key, "x" * 200)

    assert damage.why(29_999)
    assert not damage.why(0)
