"""Tokens: made once, known by their hash, gone at once; a name is a person."""

import re
import stat
import threading
from hashlib import sha256

import pytest

from tidegate.errors import InvalidValue, NameTaken, Unauthenticated, UnknownToken
from tidegate.ports.audit import AuditQuery
from tidegate.service.access import POLICIES, Action, Namespace, Where, allows
from tidegate.service.tokens import Tokens
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import GrantView, ListTokens, MakeToken, RevokeToken, RotateToken
from tidegate.wire.proof import id_and_hash, prove

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

    assert sha256(secret.encode()).digest() in {row.hash for row in store.access.tokens()}
    assert secret not in repr(store.access.tokens())


def test_every_wrong_token_gets_the_same_reply(tokens, clock):
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
    assert tokens.is_live(holder.token)

    clock.instant += 1
    assert tokens.holder(made.secret) is None
    assert not tokens.is_live(holder.token)


def test_a_token_lasts_ninety_days_unless_something_else_is_said(tokens):
    assert (tokens.make(wish("a")).token.expires - tokens.make(wish("b")).token.created).days == 90
    assert tokens.make(wish("c", lasts=None)).token.expires is None


def test_a_revoked_token_is_worth_nothing_at_once(tokens):
    made = tokens.make(wish())
    assert tokens.grants_of(made.token.id) is not None

    ended = tokens.revoke(RevokeToken(token="ada"))

    assert [each.id for each in ended.items] == [made.token.id]
    assert tokens.holder(made.secret) is None
    assert not tokens.is_live(made.token.id)
    assert tokens.grants_of(made.token.id) is None
    with pytest.raises(Unauthenticated):
        tokens.proof(made.token.id, b"nonce")


def test_a_token_is_revoked_by_its_id_too_and_again_without_effect(tokens, clock):
    made = tokens.make(wish())
    first = tokens.revoke(RevokeToken(token=made.token.id)).items
    clock.instant += DAY
    assert tokens.revoke(RevokeToken(token=made.token.id)).items == first
    with pytest.raises(UnknownToken, match="'ada'"):
        tokens.revoke(RevokeToken(token="ada"))
    with pytest.raises(UnknownToken, match="tidegate token list"):
        tokens.revoke(RevokeToken(token="nobody"))


def test_a_name_is_never_given_to_somebody_else(tokens, clock):
    tokens.make(wish("ada", lasts=5.0))
    tokens.make(wish("Eve"))
    tokens.revoke(RevokeToken(token="eve"))
    clock.instant += 5 * SECOND

    for name in ("ada", "ADA", "Eve", "eve"):
        with pytest.raises(NameTaken, match=f"tidegate token rotate {name}"):
            tokens.make(wish(name))
    assert {each.name for each in tokens.all_of(ListTokens()).items} == {"ada", "Eve"}


@pytest.mark.parametrize("name", ["root", "Root", "ROOT", "Admin", "LOCAL", "daemon"])
def test_a_token_cannot_be_named_as_a_user_of_the_machine_or_as_the_owner(tokens, name):
    with pytest.raises(InvalidValue, match="invalid token name"):
        tokens.make(wish(name))


def test_a_rotated_token_is_the_same_person_with_a_new_credential(tokens, store, clock):
    first = tokens.make(wish("ada", "approver", "flow*", lasts=60.0))
    clock.instant += 10 * SECOND
    second = tokens.rotate(RotateToken(name="ADA", overlap=5.0, who="root", credential="user:0"))

    old, new = tokens.holder(first.secret), tokens.holder(second.secret)
    assert (new.name, new.grants) == (old.name, old.grants)
    assert new.credential != old.credential
    assert (second.token.expires - second.token.created).seconds == 60
    clock.instant += 5 * SECOND
    assert tokens.holder(first.secret) is None
    assert tokens.holder(second.secret) is not None
    assert [(row.kind, row.who) for row in store.audit.page(AuditQuery()).rows] == [
        ("token_rotated", "root"),
        ("token_made", ""),
    ]


def test_an_overlap_makes_no_token_last_longer(tokens, clock):
    first = tokens.make(wish("ada", lasts=5.0))
    clock.instant += 1
    tokens.rotate(RotateToken(name="ada", overlap=60.0))
    clock.instant += 1
    second = tokens.rotate(RotateToken(name="ada", overlap=0.0))

    assert tokens.holder(first.secret) is None
    assert tokens.holder(second.secret) is not None
    tokens.revoke(RevokeToken(token="ada"))
    clock.instant += 1
    third = tokens.rotate(RotateToken(name="ada"))
    assert tokens.holder(third.secret) is not None
    with pytest.raises(UnknownToken, match="'bob'"):
        tokens.rotate(RotateToken(name="bob"))


def test_a_proof_is_made_with_what_is_stored_and_checked_with_the_token(tokens):
    made = tokens.make(wish())
    id_, hash_ = id_and_hash(made.secret)

    assert id_ == made.token.id
    assert tokens.proof(id_, b"a nonce") == prove(hash_, b"a nonce")
    assert tokens.proof(id_, b"another") != prove(hash_, b"a nonce")
    with pytest.raises(Unauthenticated):
        tokens.proof("00000000", b"a nonce")
    assert id_and_hash("secret") is None


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
    tokens.keep_uses({})
    assert store.access.tokens()[0].used == NOON + DAY


def test_the_next_owner_of_the_store_knows_the_same_tokens(tokens, store, clock):
    made = tokens.make(wish())

    after = Tokens(store.access, clock)

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


# -- the token of the owner --


def test_the_owners_token_is_in_a_file_that_only_they_can_read(tokens, tmp_path):
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
    assert "restricted" in caplog.text
    assert text not in caplog.text
