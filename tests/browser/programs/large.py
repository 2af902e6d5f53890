"""Questions about values that are too large for a list."""

from tidegate import approve, task, wait_for_input, workflow

ROWS = 11_500


@task
def ledger() -> list[dict]:
    """Return about 900 kB."""
    return [
        {"entry": f"entry {number}", "account": "cash on hand, Cairo and Aswan", "amount": number}
        for number in range(ROWS)
    ]


@task
def letter(words: int) -> str:
    return "Dear reader, " + "word " * words + "and so it ends."


@workflow
def approve_ledger() -> list[dict]:
    return approve(ledger(), "ledger-is-right", prompt="Is the ledger right?")


@workflow
def approve_letter(words: int) -> str:
    return approve(letter(words=words), "letter-is-right")


@workflow
def rewrite_letter(words: int) -> str:
    text = letter(words=words)
    return wait_for_input("letter", expected_type=str, suggested=text, show={"draft": text})


@workflow
def choose(words: int) -> bool:
    return wait_for_input("go-on", expected_type=bool, show={"letter": letter(words=words)})
