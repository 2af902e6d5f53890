"""A proof is of one nonce under one token's stored hash."""

from hashlib import sha256

import pytest

from tidegate.wire.proof import id_and_hash, prove

TOKEN = f"tdg_0a1b2c3d_{'ab' * 32}_00000000"


def test_both_sides_come_to_the_same_hash_of_a_token():
    assert id_and_hash(TOKEN) == ("0a1b2c3d", sha256(b"ab" * 32).digest())


@pytest.mark.parametrize("text", ["", "secret", "tdg_a_b", "tdg_a_b_c_d", "xyz_a_b_c"])
def test_what_is_not_a_token_has_no_id(text):
    assert id_and_hash(text) is None


def test_a_proof_is_of_one_nonce_and_one_token():
    proofs = {prove(key, nonce) for key in (b"k1", b"k2") for nonce in (b"n1", b"n2")}
    assert len(proofs) == 4
    assert all(len(each) == 32 for each in proofs)
