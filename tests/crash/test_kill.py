"""
A process that commits is killed at any moment: what it had acknowledged is there, and the next one goes on at once.

Method: a child commits the batches of a seeded story and prints the number of each that is acknowledged.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.crash.story import Story, contents

from tidegate.stores.sqlite import SqliteStore

KILLS = 5

CHILD = """
import sys
from tests.crash.story import WORKFLOW, Story
from tidegate.stores.sqlite import SqliteStore

story, done = Story(5), int(sys.argv[2])
store = SqliteStore.open(sys.argv[1])
store.catalog.put_workflow(WORKFLOW)
for n in range(done, done + 5000):
    store.journal.append(story.tell(n))
    print(n + 1, flush=True)
"""


@pytest.mark.timeout(60)
def test_what_a_killed_process_had_acknowledged_is_there(tmp_path: Path):
    path, story, done, chance = tmp_path / "tidegate.db", Story(5), 0, random.Random(3)
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), str(done)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(chance.randrange(1, 200))]
        child.kill()
        lines += child.communicate()[0].splitlines()
        acknowledged = int(lines[-1])
        assert acknowledged > done

        store = SqliteStore.open(path)
        found = contents(store)
        assert store.problems() == []
        store.close()

        done = acknowledged
        if found != story.after(done):
            # Killed after the commit, before it could say so.
            done += 1
            assert found == story.after(done)
