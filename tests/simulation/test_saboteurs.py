"""
Test the simulation: each bug planted here must be found within a few hundred seeds. A promise that lets one through is too weak.
"""

import pytest

from .machine import Sabotage
from .run import Run

SEEDS = 1500

SABOTEURS = [
    Sabotage("a stale attempt is accepted", "step", "now.attempt != event.attempt\n", "now.attempt == 0\n"),
    Sabotage("a result is taken after the end", "step", "now.phase not in (QUEUED, RUNNING)", "now.phase is SKIPPED"),
    Sabotage("one retry too many", "step", "used >= task.retry.retries", "used > task.retry.retries"),
    Sabotage("a lost attempt uses up a retry", "step", "used = now.attempt - 1 - now.lost", "used = now.attempt - 1 + now.lost"),
    Sabotage("a retry keeps its number", "step", "attempt=now.attempt + 1, failure=failure", "attempt=now.attempt, failure=failure"),
    Sabotage("a timer fires early", "step", "or at < now.due", "or at < now.due - 600_000_000"),
    Sabotage("a timer is left behind", "step", "replace(now, phase=SUCCEEDED, due=None, ended=at)", "replace(now, phase=SUCCEEDED, ended=at)"),
    Sabotage("the timeout is not looked at when an answer comes", "signals", "now.due is not None and event.at >= now.due", "False"),
    Sabotage("the last instant is too late", "signals", "event.at >= now.due", "event.at > now.due"),
    Sabotage("the second answer wins", "signals", "    if old is None:\n", "    if old is None or now.phase is QUEUED:\n"),
    Sabotage("an early answer is lost", "signals", "draft.put(node, replace(now, answer=replace(answer, early=True)))", "pass"),
    Sabotage("an early answer is not used", "advance", "case InputNode() if now.answer is not None:", "case InputNode() if False:"),
    Sabotage("keys are forgotten", "signals", "draft.keep_key(event.key, event.node, reply)", "pass"),
    Sabotage("a no is a yes", "advance", "answer.value is not True", "answer.value is None"),
    Sabotage("a node begins when any need is met", "state", "if left == 1:", "if left <= 2:"),
    Sabotage("dependents are not counted down", "state", "self.pending[node] = left - 1", "self.pending[node] = left"),
    Sabotage("gates are not withdrawn", "advance", "        for upstream in planned.needs:\n            self._withdraw(upstream)\n", ""),
    Sabotage("needed gates are withdrawn", "advance", "or node in plan.wanted:", "or node == ROOT:"),
    Sabotage("the case not taken is not skipped", "advance", "for member in self.draft.plan.groups.get((branch, index), ()):\n            self.skip(member)", "pass"),
    Sabotage("skipping stops at the first node", "advance", "for dependent in planned.dependents:\n            self.skip(dependent)\n        for upstream", "for upstream"),
    Sabotage("abort leaves attempts running", "advance", "self.commands.append(CancelTask(node, now.attempt))", "pass"),
    Sabotage("abort spares open gates", "advance", "            if not node.startswith(prefix):\n", "            if not node.startswith(prefix) or draft.node(node).phase is WAITING:\n"),
    Sabotage("a failure goes unnoticed by others", "advance", "self.abort_begun(planned.scope)\n", "pass\n"),
    Sabotage("a failed scope still begins nodes", "advance", "draft.node(planned.holder).phase is not RUNNING:", "draft.node(planned.holder).phase is QUEUED:"),
    Sabotage("a holder ends too early", "state", "if count == 1:", "if count <= 2:"),
    Sabotage("the outputs of another scope", "evaluate", "exprs, inner = graph.outputs, node", "exprs, inner = graph.outputs, planned.scope"),
    Sabotage("step writes into the state", "state", "        self.nodes[node] = state\n", "        self.nodes[node] = self.base.nodes[node] = state\n"),
    Sabotage("an unfolded task counts as running", "state", "self.live -= self.node(node).attempt > 0", "pass"),
    Sabotage("a recovered task is run again", "advance", "if node in reuse.outputs:", "if False:"),
    Sabotage("a recovered answer may be given again", "signals", "and draft.reuse is not None:", "and False:"),
    Sabotage("history forgets the outputs", "history", "slim(event), changes", "slim(event), changes[:1]"),
]  # fmt: skip


@pytest.mark.parametrize("sabotage", SABOTEURS, ids=lambda s: s.name)
def test_the_simulation_finds(sabotage: Sabotage) -> None:
    """A machine with this bug breaks a promise."""
    machine = sabotage.machine()
    for seed in range(SEEDS):
        try:
            Run(seed, machine).go()
        except Exception:  # noqa: BLE001 - a crash of the sabotaged machine is a find, too
            Run(seed).go()  # the real machine passes this seed: it was the bug that was found
            return
    pytest.fail(f"{SEEDS} seeds let it through")
