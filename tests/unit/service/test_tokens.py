"""Tokens and logins: made once, known by their hash, gone at once."""

import re
import stat
import threading
from hashlib import sha256

import pytest

from tidegate.errors import InvalidValue, NameTaken, Unauthenticated, UnknownToken
from tidegate.service import tokens as module
from tidegate.service.access import LOCAL, POLICIES, Action, Namespace, Where, allows
from tidegate.service.tokens import Tokens
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import GrantView, ListTokens, MakeToken, RevokeToken

NOON = 1_800_000_000_000_000
SECOND = 1_000_000
DAY = 24 * 3_600 * SECOND


class Hands:
    """A clock that is moved by hand."""

    instant = NOON

    def now(self):
        return self.instant


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def store():
    store = SqliteStore.memory()
    yield store
    store.close()


@pytest.fixture
def tokens(store, clock):
    return Tokens(store.access, clock)


def wish(name="ada", role="viewer", project="*", domain="*", **fields):
    return MakeToken(
        name=name, grants=[GrantView(role=role, project=project, domain=domain)], **fields
    )


def changed(text):
    """Yield a token with one character changed, for some of its characters."""
    for place in (0, 3, 5, 13, 20, 77, 80, 85):
        other = "0" if text[place] != "0" else "1"
        yield text[:place] + other + text[place + 1 :]


# -- tokens --


def test_a_token_is_known_by_its_text_and_says_who_holds_it(tokens):
    made = tokens.make(wish("ada", "approver", "flow*", "dev", who="root"))
    found = tokens.holder(made.secret)

    assert (found.name, found.via, found.token, found.local) == ("ada", "api", made.token.id, False)
    assert allows(found, Action.ANSWER, Namespace("flow-1", "dev"))
    assert not allows(found, Action.ANSWER, Namespace("flow-1", "live"))
    assert (made.token.name, made.token.creator) == ("ada", "root")


def test_a_token_has_256_random_bits_and_a_form_that_scanners_find(tokens):
    texts = [tokens.make(wish(f"n{n}")).secret for n in range(20)]

    assert all(re.fullmatch(r"tdg_[0-9a-f]{8}_[0-9a-f]{64}_[0-9a-f]{8}", text) for text in texts)
    assert len({text.split("_")[2] for text in texts}) == 20


def test_the_store_holds_the_hash_of_the_secret_and_not_the_secret(tokens, store):
    secret = tokens.make(wish()).secret.split("_")[2]
    login = tokens.log_in(tokens.holder(tokens.make(wish("bob")).secret))

    assert sha256(secret.encode()).digest() in {row.hash for row in store.access.tokens()}
    assert secret not in repr(store.access.tokens())
    assert login.secret not in repr(store.access.logins())


def test_every_wrong_token_is_told_alike(tokens, clock):
    made = tokens.make(wish())
    ended = tokens.make(wish("bob", lasts=1.0))
    revoked = tokens.make(wish("eve"))
    tokens.revoke(RevokeToken(token="eve"))
    clock.instant += 2 * SECOND

    wrong = [*changed(made.secret), ended.secret, revoked.secret, "", "tdg", "ü" * 87, "\ud800"]
    assert [tokens.holder(text) for text in wrong] == [None] * len(wrong)
    assert tokens.holder(made.secret) is not None
    assert tokens.holder(made.secret + "\n") is None


@pytest.mark.parametrize("lasts", [1.0, 90 * 86_400.0])
def test_a_token_ends_at_its_instant_and_not_before(tokens, clock, lasts):
    made = tokens.make(wish(lasts=lasts))
    clock.instant = NOON + int(lasts * SECOND) - 1
    holder = tokens.holder(made.secret)
    assert holder is not None
    assert tokens.is_valid(holder)

    clock.instant += 1
    assert tokens.holder(made.secret) is None
    assert not tokens.is_valid(holder)


def test_a_token_lasts_ninety_days_unless_something_else_is_said(tokens):
    assert (tokens.make(wish("a")).token.expires - tokens.make(wish("b")).token.created).days == 90
    assert tokens.make(wish("c", lasts=None)).token.expires is None


def test_a_revoked_token_is_worth_nothing_at_once(tokens):
    made = tokens.make(wish())
    holder = tokens.holder(made.secret)
    login = tokens.log_in(holder)

    ended = tokens.revoke(RevokeToken(token="ada"))

    assert [each.id for each in ended.items] == [made.token.id]
    assert tokens.holder(made.secret) is None
    assert tokens.visitor(login.secret) is None
    assert not tokens.is_valid(holder)
    with pytest.raises(Unauthenticated):
        tokens.log_in(holder)


def test_a_token_is_revoked_by_its_id_too_and_again_without_effect(tokens, clock):
    made = tokens.make(wish())
    first = tokens.revoke(RevokeToken(token=made.token.id)).items
    clock.instant += DAY
    assert tokens.revoke(RevokeToken(token=made.token.id)).items == first
    with pytest.raises(UnknownToken, match="'ada'"):
        tokens.revoke(RevokeToken(token="ada"))
    with pytest.raises(UnknownToken, match="tidegate token list"):
        tokens.revoke(RevokeToken(token="nobody"))


def test_a_name_is_one_token_at_a_time(tokens, clock):
    tokens.make(wish("ada"))
    with pytest.raises(NameTaken, match="'ada'"):
        tokens.make(wish("ada"))
    tokens.revoke(RevokeToken(token="ada"))
    tokens.make(wish("ada", lasts=5.0))
    clock.instant += 5 * SECOND
    tokens.make(wish("ada"))

    assert [each.name for each in tokens.all_of(ListTokens()).items] == ["ada"] * 3


@pytest.mark.parametrize(
    "wanted",
    [
        wish("admin"),
        wish("local"),
        wish(""),
        wish("a b"),
        wish("a\n"),
        wish("x" * 65),
        wish(role="king"),
        wish(project="a b"),
        wish(domain="[x]"),
        wish(lasts=0.0),
        wish(lasts=float("nan")),
        wish(lasts=float("inf")),
        wish(lasts=1e10),
        MakeToken(name="ada", grants=[]),
        MakeToken(name="ada", grants=[GrantView(role="viewer")] * 21),
    ],
    ids=repr,
)
def test_what_makes_no_sense_as_a_token_is_refused(tokens, wanted):
    with pytest.raises(InvalidValue):
        tokens.make(wanted)
    assert tokens.all_of(ListTokens()).items == []


def test_a_list_of_tokens_says_when_each_was_used_and_never_a_secret(tokens, store, clock):
    made = tokens.make(wish())
    clock.instant += DAY
    tokens.holder(made.secret)

    (shown,) = tokens.all_of(ListTokens()).items
    assert (shown.used - shown.created).days == 1
    assert made.secret.split("_")[2] not in repr(shown)

    assert store.access.tokens()[0].used is None
    tokens.keep_uses()
    assert store.access.tokens()[0].used == NOON + DAY


def test_the_next_owner_of_the_store_knows_the_same_tokens_and_logins(tokens, store, clock):
    made = tokens.make(wish())
    login = tokens.log_in(tokens.holder(made.secret))

    after = Tokens(store.access, clock)

    assert after.visitor(login.secret).name == "ada"
    assert after.holder(made.secret).name == "ada"


def test_a_name_is_given_once_however_many_ask_at_once(tokens):
    def make():
        try:
            results.append(tokens.make(wish("ada")))
        except NameTaken as error:
            results.append(error)

    results: list = []
    threads = [threading.Thread(target=make) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sum(isinstance(each, NameTaken) for each in results) == 7
    assert len(tokens.all_of(ListTokens()).items) == 1


# -- logins --


def test_a_login_is_its_tokens_holder_until_it_ends(tokens, clock):
    made = tokens.make(wish("ada", "approver"))
    login = tokens.log_in(tokens.holder(made.secret))
    visitor = tokens.visitor(login.secret)

    assert (visitor.name, visitor.via) == ("ada", "ui")
    assert allows(visitor, Action.ANSWER, Namespace())
    assert login.lasts == 7 * 86_400
    assert tokens.visitor(login.secret + "x") is None
    assert tokens.visitor(made.secret) is None
    assert tokens.holder(login.secret) is None

    clock.instant += login.lasts * SECOND
    assert tokens.visitor(login.secret) is None


def test_a_login_lasts_no_longer_than_its_token(tokens):
    made = tokens.make(wish(lasts=60.0))
    assert tokens.log_in(tokens.holder(made.secret)).lasts == 60


def test_who_logs_out_is_out_at_once_and_alone(tokens):
    made = tokens.make(wish())
    first, second = (tokens.log_in(tokens.holder(made.secret)) for _ in range(2))
    visitor = tokens.visitor(first.secret)

    tokens.log_out(visitor)
    tokens.log_out(visitor)
    tokens.log_out(LOCAL)

    assert tokens.visitor(first.secret) is None
    assert not tokens.is_valid(visitor)
    assert tokens.visitor(second.secret) is not None
    assert tokens.holder(made.secret) is not None


def test_of_too_many_logins_the_oldest_is_forgotten(tokens, store, clock, monkeypatch):
    monkeypatch.setattr(module, "MAX_LOGINS", 3)
    holder = tokens.holder(tokens.make(wish()).secret)
    other = tokens.log_in(tokens.holder(tokens.make(wish("bob")).secret))
    logins = []
    for _ in range(5):
        clock.instant += 1
        logins.append(tokens.log_in(holder))

    known = [tokens.visitor(each.secret) is not None for each in logins]
    assert known == [False, False, True, True, True]
    assert len(store.access.logins()) == 4
    assert tokens.visitor(other.secret) is not None


# -- the token of the owner --


def test_the_owners_token_is_in_a_file_that_only_he_can_read(tokens, tmp_path):
    file = tmp_path / "token"
    text = tokens.admin_token(file)

    assert file.read_text() == f"{text}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token"]
    holder = tokens.holder(text)
    assert holder.name == "admin"
    assert {action for action in Action if not allows(holder, action)} == {
        action for action in Action if POLICIES[action].where is Where.LOCAL
    }
    assert tokens.all_of(ListTokens()).items[0].expires is None


def test_the_owners_token_stays_the_same_from_start_to_start(tokens, store, clock, tmp_path):
    text = tokens.admin_token(tmp_path / "token")
    clock.instant += 1_000 * DAY
    assert Tokens(store.access, clock).admin_token(tmp_path / "token") == text
    assert len(store.access.tokens()) == 1


@pytest.mark.parametrize("left", [None, "", "tdg_nonsense", "ü"])
def test_without_a_valid_file_there_is_a_new_token_and_the_old_one_ends(tokens, tmp_path, left):
    file = tmp_path / "token"
    old = tokens.admin_token(file)
    file.unlink()
    if left is not None:
        file.write_text(left)
        file.chmod(0o600)

    new = tokens.admin_token(file)

    assert new != old
    assert tokens.holder(old) is None
    assert tokens.holder(new).name == "admin"


def test_a_token_of_somebody_else_in_the_file_is_not_the_owners(tokens, tmp_path):
    file = tmp_path / "token"
    file.write_text(tokens.make(wish("ada", "admin")).secret)

    assert tokens.holder(tokens.admin_token(file)).name == "admin"


def test_a_file_that_others_could_read_is_closed_to_them(tokens, tmp_path, caplog):
    file = tmp_path / "token"
    text = tokens.admin_token(file)
    file.chmod(0o644)

    assert tokens.admin_token(file) == text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "closed" in caplog.text
    assert text not in caplog.text
