"""Sessions: a browser is signed in until it is idle, a week has passed, its token ends, or somebody says so."""

import pytest
from tests.unit.service.test_tokens import DAY, NOON, SECOND, Hands, wish

from tidegate.errors import Unauthenticated, UnknownSession
from tidegate.ports.audit import AuditQuery
from tidegate.service import sessions as module
from tidegate.service.access import LOCAL, Action, Namespace, allows, owner
from tidegate.service.sessions import Sessions
from tidegate.service.tokens import Tokens
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import EndSession, ListSessions, RevokeToken, RotateToken

HOUR = 3_600 * SECOND


class World:
    """A store, its tokens and its sessions."""

    def __init__(self):
        self.clock = Hands()
        self.store = SqliteStore.memory()
        self.begin()

    def begin(self):
        self.tokens = Tokens(self.store.access, self.clock)
        self.sessions = Sessions(self.store.access, self.clock, self.tokens)

    def made(self, name="ada", *roles, **fields):
        return self.tokens.make(wish(name, *roles, **fields))

    def signed_in(self, secret, **said):
        return self.sessions.sign_in(self.tokens.holder(secret), **said)

    def ids(self, principal):
        return [each.id for each in self.sessions.all_of(ListSessions(), principal).items]


@pytest.fixture
def world():
    world = World()
    yield world
    world.store.close()


def test_a_session_is_its_tokens_holder_until_a_week_has_passed(world):
    made = world.made("ada", "approver")
    cookie = world.signed_in(made.secret)
    visitor = world.sessions.visitor(cookie.secret)

    assert (visitor.name, visitor.via) == ("ada", "ui")
    assert visitor.credential == f"session:{world.ids(visitor)[0]}"
    assert allows(visitor, Action.ANSWER, Namespace())
    assert cookie.lasts == 7 * 86_400
    assert world.sessions.visitor(cookie.secret + "x") is None
    assert world.sessions.visitor(made.secret) is None
    assert world.tokens.holder(cookie.secret) is None
    assert cookie.secret not in repr(world.store.access.sessions())

    for _ in range(14):
        assert world.sessions.visitor(cookie.secret) is not None
        world.clock.instant += 12 * HOUR - 1
    world.clock.instant += 14
    assert world.sessions.visitor(cookie.secret) is None


def test_a_session_that_is_not_used_for_twelve_hours_ends(world):
    cookie = world.signed_in(world.made().secret)
    world.clock.instant += 12 * HOUR - 1
    visitor = world.sessions.visitor(cookie.secret)
    assert visitor is not None
    world.tokens.keep_uses(world.sessions.take_uses())
    world.begin()  # after a restart, too
    world.clock.instant += 12 * HOUR - 1
    assert world.sessions.visitor(cookie.secret) is not None

    world.clock.instant += 12 * HOUR
    assert not world.sessions.is_valid(visitor)
    assert world.sessions.visitor(cookie.secret) is None
    assert world.ids(visitor) == []


def test_a_session_lasts_no_longer_than_its_token(world):
    made = world.made(lasts=60.0)
    cookie = world.signed_in(made.secret)
    assert cookie.lasts == 60
    world.tokens.rotate(RotateToken(name="ada", overlap=5.0))
    assert world.sessions.visitor(cookie.secret) is not None
    world.clock.instant += 5 * SECOND
    assert world.sessions.visitor(cookie.secret) is None


def test_a_session_ends_with_a_token_that_is_revoked(world):
    made = world.made()
    holder = world.tokens.holder(made.secret)
    cookie = world.signed_in(made.secret)
    visitor = world.sessions.visitor(cookie.secret)

    world.tokens.revoke(RevokeToken(token="ada"))

    assert world.sessions.visitor(cookie.secret) is None
    assert not world.sessions.is_valid(holder)
    assert not world.sessions.is_valid(visitor)
    with pytest.raises(Unauthenticated):
        world.sessions.sign_in(holder)


def test_a_user_of_the_machine_is_signed_in_under_the_name_of_the_user_and_not_as_local(world):
    cookie = world.sessions.sign_in(owner(0))
    visitor = world.sessions.visitor(cookie.secret)

    assert (visitor.name, visitor.via, visitor.local) == ("root", "ui", False)
    assert allows(visitor, Action.LIST_AUDIT)
    assert not allows(visitor, Action.MAKE_TOKEN), "a browser makes no tokens"
    (row,) = world.store.audit.page(AuditQuery()).rows
    assert (row.kind, row.who, row.credential) == ("sign_in", "root", "user:0")


def test_who_signs_out_is_out_at_once_and_alone(world):
    made = world.made()
    first, second = (world.signed_in(made.secret) for _ in range(2))
    visitor = world.sessions.visitor(first.secret)

    world.sessions.sign_out(visitor)
    world.sessions.sign_out(visitor)
    world.sessions.sign_out(LOCAL)

    assert world.sessions.visitor(first.secret) is None
    assert not world.sessions.is_valid(visitor)
    assert world.sessions.visitor(second.secret) is not None
    assert world.tokens.holder(made.secret) is not None
    kinds = [row.kind for row in world.store.audit.page(AuditQuery()).rows]
    assert kinds == ["sign_out", "sign_in", "sign_in", "token_made"]


def test_to_sign_in_ends_the_session_whose_cookie_came_along_no_matter_whose_it_was(world):
    old = world.sessions.visitor(world.signed_in(world.made("ada").secret).secret)
    new = world.signed_in(world.made("bob").secret, replaced=old.session)

    assert not world.sessions.is_valid(old)
    assert world.sessions.visitor(new.secret).name == "bob"
    assert [row.name for row in world.store.access.sessions()] == ["bob"]


def test_the_owner_of_sessions_sees_and_ends_them_and_nobody_else_does(world):
    made = world.made()
    here, there, third = (
        world.sessions.visitor(world.signed_in(made.secret, agent=f"Browser {n}").secret)
        for n in range(3)
    )
    bob = world.tokens.holder(world.made("bob", "admin").secret)
    shown = world.sessions.all_of(ListSessions(), here).items
    assert [(each.agent, each.current) for each in shown] == [
        ("Browser 0", True),
        ("Browser 1", False),
        ("Browser 2", False),
    ]
    assert world.ids(bob) == []
    with pytest.raises(UnknownSession):
        world.sessions.end(EndSession(id=shown[1].id), bob)
    assert world.sessions.is_valid(there)

    world.sessions.end(EndSession(id=shown[1].id), here)
    assert not world.sessions.is_valid(there)
    world.sessions.end(EndSession(id="all"), here)
    assert world.sessions.is_valid(here)
    assert not world.sessions.is_valid(third)
    assert world.store.audit.page(AuditQuery(kind="session_ended")).rows[0].who == "ada"


def test_of_too_many_sessions_the_oldest_is_forgotten(world, monkeypatch):
    monkeypatch.setattr(module, "MAX_SESSIONS", 3)
    other = world.signed_in(world.made("bob").secret)
    made, cookies = world.made(), []
    for _ in range(5):
        world.clock.instant += 1
        cookies.append(world.signed_in(made.secret))

    known = [world.sessions.visitor(each.secret) is not None for each in cookies]
    assert known == [False, False, True, True, True]
    assert len(world.store.access.sessions()) == 4
    assert world.sessions.visitor(other.secret) is not None


def test_the_next_owner_of_the_store_knows_the_same_sessions(world):
    cookie = world.signed_in(world.made().secret)
    world.begin()
    assert world.sessions.visitor(cookie.secret).name == "ada"
    assert NOON < world.store.access.sessions()[0].expires <= NOON + 7 * DAY


def test_how_long_somebody_may_go_on_is_what_is_left_of_the_token_and_of_the_session(world):
    short, endless = world.made("ada", lasts=60.0), world.made("bob", lasts=None)
    seconds_left = world.sessions.seconds_left
    visitor = world.sessions.visitor(world.signed_in(endless.secret).secret)

    assert seconds_left(world.tokens.holder(short.secret)) == 60
    assert seconds_left(world.tokens.holder(endless.secret)) == float("inf")
    assert seconds_left(visitor) == module.LASTS
    assert seconds_left(LOCAL) == float("inf")
    holder = world.tokens.holder(short.secret)
    world.clock.instant += 61 * SECOND
    assert seconds_left(holder) == 0
