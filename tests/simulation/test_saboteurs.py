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
    Sabotage("a failure goes unnoticed by others", "advance", "            self.abort_begun(scope)\n", ""),
    Sabotage("a failed scope still begins nodes", "advance", "draft.node(planned.holder).phase is not RUNNING:", "draft.node(planned.holder).phase is QUEUED:"),
    Sabotage("a holder ends too early", "state", "if count == 1:", "if count <= 2:"),
    Sabotage("the outputs of another scope", "evaluate", "exprs, inner = graph.outputs, node", "exprs, inner = graph.outputs, planned.scope"),
    Sabotage("step writes into the state", "state", "        self.nodes[node] = state\n", "        self.nodes[node] = self.base.nodes[node] = state\n"),
    Sabotage("an unfolded task counts as running", "state", "self.live -= self.node(node).attempt > 0", "pass"),
    Sabotage("a recovered task is run again", "advance", "if node in reuse.outputs:", "if False:"),
    Sabotage("a recovered answer may be given again", "signals", "and draft.reuse is not None:", "and False:"),
    Sabotage("a sleep is slept again by a recovery", "step", "outputs[id_] = {}", "pass"),
    Sabotage("a recovery forgets what was answered early", "step", "now.phase in (SUCCEEDED, ABORTED, SKIPPED)", "now.phase is SUCCEEDED"),
    Sabotage("a recovery takes a no along", "step", "now.phase in (SUCCEEDED, ABORTED, SKIPPED)", "now.phase >= SUCCEEDED"),
    Sabotage("a recovery of a recovery begins anew", "step", "known = state.reuse or Reuse", "known = Reuse"),
    Sabotage("what has unfolded is unfolded again by a recovery", "step", "graphs[id_] = plan.scopes[id_]", "pass"),
    Sabotage("a key is not looked at", "signals", "if kept is not None:", "if kept is not None and event.at < 0:"),
    Sabotage("a key is looked at after the end of the gate", "signals", "    if event.key:\n", "    if event.key and not draft.phase.is_terminal:\n"),
    Sabotage("an answer goes to another gate of that name", "signals", "draft, node = flow.draft, event.node", "draft, node = flow.draft, next((p[0] for p in flow.draft.plan.signals.values() if event.node in p), event.node)"),
    Sabotage("a gate that ended unasked can be answered", "signals", "now.phase >= SUCCEEDED or not _can_open", "now.phase is SKIPPED or not _can_open"),
    Sabotage("an approval is given before there is anything to approve", "signals", 'if isinstance(planned.node, ApproveNode):\n            return Denied("not_waiting_yet")', "pass"),
    Sabotage("the answer of the timeout is not taken", "advance", "case Defaults(value=value):", "case Defaults(value=value) if draft.at < 0:"),
    Sabotage("a timeout is set too short", "advance", "due = Instant(draft.at + timeout)", "due = Instant(draft.at + timeout // 2)"),
    Sabotage("a sleep is too short", "advance", "due=Instant(at + duration)", "due=Instant(at + duration // 2)"),
    Sabotage("both cases are taken", "state", "self.open_group(node, state.case or 0)", "[self.open_group(node, case) for case in (0, 1, 2)]"),
    Sabotage("a failure inside does not reach what holds it", "advance", "            node, now, phase = scope, draft.node(scope), FAILED\n", "            if draft.node(scope).phase < SUCCEEDED:\n                draft.put(scope, replace(draft.node(scope), phase=SUCCEEDED, ended=draft.at))\n            return\n"),
    Sabotage("a branch hides the failure before it", "advance", "if phase is SKIPPED:\n                before", "if phase is QUEUED:\n                before"),
    Sabotage("what has unfolded is lost at a restart", "state", "            case Expanded(node, graph):\n                self.expand(node, graph)", "            case Expanded(node, graph):\n                pass"),
    Sabotage("keys are lost at a restart", "state", "            case KeyKept(key, node, reply):\n                self.keep_key(key, node, reply)", "            case KeyKept(key, node, reply):\n                pass"),
    Sabotage("timers are lost at a restart", "history", "slim(event), changes", "slim(event), [msgspec.structs.replace(c, state=msgspec.structs.replace(c.state, due=None)) if hasattr(c, 'state') else c for c in changes]"),
    Sabotage("what ran is not found at a restart", "step", "if now.phase is RUNNING and now.attempt and id_ not in plan.scopes", "if False"),
    Sabotage("what was submitted is not submitted again at a restart", "step", "if now.phase is QUEUED and now.attempt\n    ]", "if False\n    ]"),
    Sabotage("a lost attempt is not repeated", "step", "node, replace(now, phase=QUEUED, attempt=now.attempt + 1, lost=now.lost + 1)", "node, replace(now, phase=QUEUED, lost=now.lost + 1)"),
    Sabotage("a failed attempt that may be retried is not", "step", "if not failure.retryable or used", "if failure.retryable or used"),
    Sabotage("an ended execution is aborted", "step", "if draft.phase >= X_SUCCEEDED:\n        return Denied", "if draft.phase < 0:\n        return Denied"),
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
