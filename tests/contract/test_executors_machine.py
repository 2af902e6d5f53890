"""How much memory there is, as the system tells it."""

import os
from pathlib import Path

import pytest

from tidegate.executors import machine

THERE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    return tmp_path / "groups"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_control_groups_it_is_what_the_machine_has(groups: Path):
    assert machine.memory() == THERE


def test_the_lowest_limit_of_a_group_and_those_above_it_counts(groups: Path):
    write(groups.parent / "own", "0::/system.slice/tide.service\n")
    write(groups / "system.slice/tide.service/memory.max", "max\n")
    write(groups / "system.slice/memory.max", "1048576\n")
    write(groups / "memory.max", "2097152\n")
    assert machine.memory() == 1_048_576


def test_the_older_kind_of_group_counts_too_and_a_path_of_the_host_is_not_an_obstacle(groups: Path):
    write(groups.parent / "own", "9:cpu:/x\n4:memory:/docker/of/the/host\n0::/\n")
    write(groups / "memory/memory.limit_in_bytes", "2097152\n")
    assert machine.memory() == 2_097_152


def test_a_limit_above_what_the_machine_has_is_none(groups: Path):
    write(groups.parent / "own", "0::/\n")
    write(groups / "memory.max", str(2**63 - 1))
    assert machine.memory() == THERE
