"""`Deck`: what a task shows while it runs, in every way to run."""

from tidegate import Deck, current_context, task, workflow

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


@task
def draws(x: int) -> int:
    Deck("mine", f"<i>{x}</i>")
    current_context().default_deck.append("<p>first</p>")
    Deck.publish()
    assert [deck.name for deck in current_context().decks] == ["Deck", "mine"]
    return x


@workflow
def draw_wf(x: int) -> int:
    return draws(x=x)


def test_a_task_with_decks_runs_in_a_plain_call_too():
    assert draw_wf(x=2) == 2
