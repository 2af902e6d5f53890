"""What every store promises about tokens and logins. Used as `JournalContract` is."""

import pytest
from tests.contract.store_rows import NOON

from tidegate.ir.graph import Instant
from tidegate.ports.access import LoginRow, TokenRow
from tidegate.ports.store import Store


def token(name="ada", at=NOON, **fields):
    grants = (("viewer", "*", "*"), ("approver", "flow", "de*"))
    row = {"id": f"id-{name}", "name": name, "hash": name.encode(), "grants": grants}
    return TokenRow(**{**row, "creator": "local", "created": at, **fields})


def login(secret=b"s1", token="id-ada", at=NOON, expires=NOON + 10):
    return LoginRow(secret, token, at, expires)


class AccessContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_a_token_comes_back_as_it_was_put(self, store: Store):
        plain = token("ada")
        full = token("bob", NOON + 1, expires=NOON + 5, revoked=NOON + 4, used=NOON + 3, grants=())
        store.access.put_token(full)
        store.access.put_token(plain)

        assert store.access.tokens() == [plain, full]

    def test_of_a_stored_token_only_its_end_can_change(self, store: Store):
        store.access.put_token(token())
        store.access.put_login(login())
        store.access.put_token(
            token(grants=(("admin", "*", "*"),), expires=NOON + 9, revoked=NOON + 7)
        )

        assert store.access.tokens() == [token(revoked=NOON + 7)]
        assert store.access.logins() == [login()]

    def test_two_tokens_of_one_secret_are_a_bug(self, store: Store):
        store.access.put_token(token("ada"))
        with pytest.raises(AssertionError):
            store.access.put_token(token("bob", hash=b"ada"))

    def test_uses_are_noted_for_the_tokens_that_there_are(self, store: Store):
        store.access.put_token(token("ada"))
        store.access.put_token(token("bob"))
        store.access.note_uses({"id-ada": Instant(NOON + 5), "id-eve": Instant(NOON + 6)})

        assert [(row.name, row.used) for row in store.access.tokens()] == [
            ("ada", NOON + 5),
            ("bob", None),
        ]

    def test_logins_come_back_until_they_are_ended(self, store: Store):
        store.access.put_token(token())
        store.access.put_login(login(b"s1"))
        store.access.put_login(login(b"s2", at=NOON + 1))
        assert store.access.logins() == [login(b"s1"), login(b"s2", at=NOON + 1)]

        store.access.end_login(b"s1")
        store.access.end_login(b"s3")
        assert store.access.logins() == [login(b"s2", at=NOON + 1)]

    def test_expired_logins_are_forgotten_when_another_is_put(self, store: Store):
        store.access.put_token(token())
        store.access.put_login(login(b"s1", expires=NOON + 10))
        store.access.put_login(login(b"s2", expires=NOON + 11))
        store.access.put_login(login(b"s3", at=NOON + 10, expires=NOON + 20))

        assert [row.hash for row in store.access.logins()] == [b"s2", b"s3"]

    def test_a_login_of_no_token_is_a_bug(self, store: Store):
        with pytest.raises(AssertionError):
            store.access.put_login(login())
