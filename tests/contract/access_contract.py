"""What every store promises about tokens and sessions. Used as `JournalContract` is."""

import pytest
from tests.contract.store_rows import NOON

from tidegate.ir.graph import Instant
from tidegate.ports.access import SessionRow, TokenRow
from tidegate.ports.audit import SIGN_IN, SIGN_OUT, TOKEN_MADE, AuditQuery, AuditRow
from tidegate.ports.store import Store


def token(name="ada", at=NOON, **fields):
    grants = (("viewer", "*", "*"), ("approver", "flow", "de*"))
    row = {"id": f"id-{name}", "name": name, "hash": name.encode(), "grants": grants}
    return TokenRow(**{**row, "creator": "local", "created": at, **fields})


def session(secret=b"s1", token="id-ada", at=NOON, expires=NOON + 10, name="ada"):
    return SessionRow(secret, secret.hex(), name, token, "Firefox", at, at, expires)


def note(kind=TOKEN_MADE, **fields):
    return AuditRow(NOON, kind, "local", "user:0", "cli", about="ada", **fields)


def put(store, *rows):
    store.access.put_tokens(rows, note())


class AccessContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_a_token_comes_back_as_it_was_put(self, store: Store):
        plain = token("ada")
        full = token("bob", NOON + 1, expires=NOON + 5, revoked=NOON + 4, used=NOON + 3, grants=())
        put(store, full, plain)

        assert store.access.tokens() == [plain, full]

    def test_of_a_stored_token_only_its_end_can_change(self, store: Store):
        put(store, token())
        store.access.put_session(session(), (), note(SIGN_IN))
        put(store, token(grants=(("admin", "*", "*"),), expires=NOON + 9, revoked=NOON + 7))

        assert store.access.tokens() == [token(expires=NOON + 9, revoked=NOON + 7)]
        assert store.access.sessions() == [session()]

    def test_two_tokens_of_one_secret_are_a_bug_and_leave_no_note(self, store: Store):
        put(store, token("ada"))
        with pytest.raises(AssertionError):
            put(store, token("bob", hash=b"ada"))
        assert len(store.audit.page(AuditQuery()).rows) == 1

    def test_uses_are_noted_for_what_there_is(self, store: Store):
        put(store, token("ada"), token("bob"))
        store.access.put_session(session(), (), note(SIGN_IN))
        tokens = {"id-ada": Instant(NOON + 5), "id-eve": Instant(NOON + 6)}
        store.access.note_uses(tokens, {b"s1": Instant(NOON + 7), b"s2": Instant(NOON + 8)})

        assert [(row.name, row.used) for row in store.access.tokens()] == [
            ("ada", NOON + 5),
            ("bob", None),
        ]
        assert [row.used for row in store.access.sessions()] == [NOON + 7]

    def test_sessions_come_back_until_they_are_ended(self, store: Store):
        put(store, token())
        store.access.put_session(session(b"s1"), (), note(SIGN_IN))
        store.access.put_session(session(b"s2", "", NOON + 1), (), note(SIGN_IN))
        assert store.access.sessions() == [session(b"s1"), session(b"s2", "", NOON + 1)]

        store.access.end_sessions([b"s1", b"s3"], note(SIGN_OUT))
        assert store.access.sessions() == [session(b"s2", "", NOON + 1)]
        store.access.put_session(session(b"s4", at=NOON + 2), [b"s2"], note(SIGN_IN))
        assert store.access.sessions() == [session(b"s4", at=NOON + 2)]

    def test_expired_sessions_are_forgotten_when_another_is_put(self, store: Store):
        put(store, token())
        for row in (
            session(b"s1", expires=NOON + 10),
            session(b"s2", expires=NOON + 11),
            session(b"s3", at=NOON + 10, expires=NOON + 20),
        ):
            store.access.put_session(row, (), note(SIGN_IN))

        assert [row.hash for row in store.access.sessions()] == [b"s2", b"s3"]

    def test_a_session_of_no_token_is_a_bug(self, store: Store):
        with pytest.raises(AssertionError):
            store.access.put_session(session(), (), note(SIGN_IN))

    def test_whatever_changes_who_may_come_in_is_noted_with_it(self, store: Store):
        put(store, token())
        store.access.put_session(session(), (), note(SIGN_IN))
        store.access.end_sessions([b"s1"], note(SIGN_OUT))

        kinds = [row.kind for row in store.audit.page(AuditQuery()).rows]
        assert kinds == [SIGN_OUT, SIGN_IN, TOKEN_MADE]
