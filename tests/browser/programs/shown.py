"""An approval of whatever is given, with a prompt of one's own."""

from tidegate import approve, wait_for_input, workflow

PROMPT = "Pay \u2066001\u2069 EUR\u200b to שלום עולם?"


@workflow
def anything(v: dict) -> dict:
    return approve(v, "ok", prompt=PROMPT)


@workflow
def named(v: dict) -> dict:
    return approve(v, "ok", show={"sum": v})


@workflow
def suggested(v: str) -> str:
    return wait_for_input("title", expected_type=str, suggested=v)
