"""Tasks get the usual variables of their server's environment, those that are named, and the umask as its user had it."""

import pytest

from tidegate.executors.surroundings import Surroundings, passed, taken_umask

ENVIRONMENT = {
    "PATH": "/bin",
    "HOME": "/home/ada",
    "LC_ALL": "C",
    "PYTHONPATH": "/x",
    "OMP_NUM_THREADS": "2",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "here",
    "DATABASE_URL": "secret",
    "path": "/other",
    "TIDEGATE_TOKEN": "secret",
}


@pytest.mark.parametrize(
    ("names", "more"),
    [
        ((), set()),
        (("AWS_REGION",), {"AWS_REGION"}),
        (("AWS_*",), {"AWS_REGION", "AWS_SECRET_ACCESS_KEY"}),
        (("DATABASE_URL", "x"), {"DATABASE_URL"}),
    ],
)
def test_what_is_usual_and_what_is_named_is_passed_on_and_nothing_else(names, more):
    usual = {"PATH", "HOME", "LC_ALL", "PYTHONPATH", "OMP_NUM_THREADS"}
    assert passed(ENVIRONMENT, names).keys() == usual | more


def test_the_umask_travels_beside_them_and_is_taken_out_where_it_arrives(monkeypatch):
    monkeypatch.setenv("OTHER", "x")
    found = Surroundings((), 0o022).variables()
    assert "OTHER" not in found
    assert Surroundings().variables()["OTHER"] == "x"

    monkeypatch.setenv("TIDEGATE_UMASK", found["TIDEGATE_UMASK"])
    assert (taken_umask(), taken_umask()) == (0o022, None)
