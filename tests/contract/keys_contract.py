"""What every journal promises of the keys of executions. Used as `JournalContract` is."""

from tests.contract.store_rows import NOON, workflow

from tidegate.ports.journal import Batch, LaunchRow
from tidegate.ports.store import Store


class KeysContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_keys_grow_with_each_launch_and_are_never_given_twice(self, store: Store):
        store.catalog.put_workflow(workflow())
        given: list[int] = []
        for n, at in enumerate((NOON, NOON, NOON - 5, NOON + 9)):
            key = store.journal.new_key(f"e{n}", at)
            given.append(key)
            if n != 1:  # that one is never stored
                assert not store.journal.append(Batch([LaunchRow(key, f"e{n}", 1, at)]))

        assert given == sorted(set(given))
        assert given[0] > 0
        assert store.journal.last_key() == given[-1]

    def test_a_key_is_new_also_after_somebody_else_has_launched(self, store: Store):
        store.catalog.put_workflow(workflow())
        key = store.journal.new_key("e1", NOON)
        assert not store.journal.append(Batch([LaunchRow(key, "theirs", 1, NOON)]))

        assert store.journal.append(Batch([LaunchRow(key, "e1", 1, NOON)])) == {key}

        again = store.journal.new_key("e1", NOON)
        assert not store.journal.append(Batch([LaunchRow(again, "e1", 1, NOON)]))
