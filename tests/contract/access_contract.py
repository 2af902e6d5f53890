"""What every store promises about tokens, logins, and what somebody may see. Used as `StoreContract` is."""

import pytest

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ir.graph import Instant
from tidegate.ports.access import LoginRow, TokenRow
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Batch, HistoryRow, LaunchRow, WaitRow
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store

NOON = 1_800_000_000_000_000

PLACES = {1: ("flow", "dev"), 2: ("flow", "live"), 3: ("flower", "dev"), 4: ("", ""), 5: ("x", "")}


def token(name="ada", at=NOON, **fields):
    grants = (("viewer", "*", "*"), ("approver", "flow", "de*"))
    row = {"id": f"id-{name}", "name": name, "hash": name.encode(), "grants": grants}
    return TokenRow(**{**row, "creator": "local", "created": at, **fields})


def login(secret=b"s1", token="id-ada", at=NOON, expires=NOON + 10):
    return LoginRow(secret, token, at, expires)


def launch_in_places(store):
    number = store.put_workflow(WorkflowRow(0, "w", "v", b"g", "b", "m", NOON)).id
    store.commit(
        Batch(
            launches=[
                LaunchRow(key, f"e{key}", number, NOON, "local", project, domain, Phase.WAITING)
                for key, (project, domain) in PLACES.items()
            ],
            history=[HistoryRow(key, 1, b"launched") for key in PLACES],
            waits=[
                WaitRow(key, node, kind, "name", NOON + key, NOON + 100 - key)
                for key in PLACES
                for node, kind in (("n1", "input"), ("n2", "approve"), ("n3", "sleep"))
            ],
        )
    )


SEEN = [
    (None, {1, 2, 3, 4, 5}),
    ((), set()),
    ((("*", "*"),), {1, 2, 3, 4, 5}),
    ((("flow", "*"),), {1, 2}),
    ((("flow*", "dev"),), {1, 3}),
    ((("*low*", "*e*"),), {1, 2, 3}),
    ((("", ""),), {4}),
    ((("*", ""),), {4, 5}),
    ((("flow", "dev"), ("x", "*"), ("FLOW", "live")), {1, 5}),
]


class AccessContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_a_token_comes_back_as_it_was_put(self, store: Store):
        plain = token("ada")
        full = token("bob", NOON + 1, expires=NOON + 5, revoked=NOON + 4, used=NOON + 3, grants=())
        store.put_token(full)
        store.put_token(plain)

        assert store.tokens() == [plain, full]

    def test_of_a_stored_token_only_its_end_can_change(self, store: Store):
        store.put_token(token())
        store.put_login(login())
        store.put_token(token(grants=(("admin", "*", "*"),), expires=NOON + 9, revoked=NOON + 7))

        assert store.tokens() == [token(revoked=NOON + 7)]
        assert store.logins() == [login()]

    def test_two_tokens_of_one_secret_are_a_bug(self, store: Store):
        store.put_token(token("ada"))
        with pytest.raises(AssertionError):
            store.put_token(token("bob", hash=b"ada"))

    def test_uses_are_noted_for_the_tokens_that_there_are(self, store: Store):
        store.put_token(token("ada"))
        store.put_token(token("bob"))
        store.note_uses({"id-ada": Instant(NOON + 5), "id-eve": Instant(NOON + 6)})

        assert [(row.name, row.used) for row in store.tokens()] == [
            ("ada", NOON + 5),
            ("bob", None),
        ]

    def test_logins_come_back_until_they_are_ended(self, store: Store):
        store.put_token(token())
        store.put_login(login(b"s1"))
        store.put_login(login(b"s2", at=NOON + 1))
        assert store.logins() == [login(b"s1"), login(b"s2", at=NOON + 1)]

        store.end_login(b"s1")
        store.end_login(b"s3")
        assert store.logins() == [login(b"s2", at=NOON + 1)]

    def test_expired_logins_are_forgotten_when_another_is_put(self, store: Store):
        store.put_token(token())
        store.put_login(login(b"s1", expires=NOON + 10))
        store.put_login(login(b"s2", expires=NOON + 11))
        store.put_login(login(b"s3", at=NOON + 10, expires=NOON + 20))

        assert [row.hash for row in store.logins()] == [b"s2", b"s3"]

    def test_a_login_of_no_token_is_a_bug(self, store: Store):
        with pytest.raises(AssertionError):
            store.put_login(login())

    @pytest.mark.parametrize(("places", "seen"), SEEN)
    def test_executions_of_other_places_are_not_listed(self, store: Store, places, seen):
        launch_in_places(store)

        rows = store.executions(ExecutionQuery(places=places))
        assert [row.key for row in rows] == sorted(seen, reverse=True)
        page = store.executions(ExecutionQuery(places=places, limit=1))
        assert page == rows[:1]

    @pytest.mark.parametrize(("places", "seen"), SEEN)
    def test_what_waits_in_other_places_is_not_listed(self, store: Store, places, seen):
        launch_in_places(store)

        rows = store.waits(WaitQuery(places=places))
        assert {row.key for row in rows} == seen
        assert len(rows) == 2 * len(seen)
        assert [row.due or 0 for row in rows] == sorted(row.due or 0 for row in rows)
        rest, found = None, []
        while page := store.waits(WaitQuery(places=places, after=rest, limit=2)):
            found += page
            rest = (page[-1].due, page[-1].opened, page[-1].key, page[-1].node)
        assert found == rows
