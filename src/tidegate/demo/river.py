"""A report that people see before they decide: a task draws it into a deck, and an approval waits."""

from statistics import fmean, stdev

from tidegate import Deck, approve, task, workflow

WIDTH, HEIGHT = 720, 180


def chart(flows: list[float]) -> bytes:
    """Draw the flows as a line, and their mean."""
    top, step = max(flows), WIDTH / max(1, len(flows) - 1)
    points = " ".join(f"{n * step:.1f},{HEIGHT * (1 - x / top):.1f}" for n, x in enumerate(flows))
    mean = HEIGHT * (1 - fmean(flows) / top)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<line x2="{WIDTH}" y1="{mean:.1f}" y2="{mean:.1f}" stroke="gray" stroke-dasharray="4"/>'
        f'<polyline points="{points}" fill="none" stroke="teal" stroke-width="2"/></svg>'
    ).encode()


@task
def find_change(first_year: int, flows: list[float]) -> dict:
    """Find the year after which the mean differs most from before, in units of the spread within."""

    def contrast(n: int) -> float:
        before, after = flows[:n], flows[n:]
        spread = (stdev(before) ** 2 / len(before) + stdev(after) ** 2 / len(after)) ** 0.5
        return abs(fmean(before) - fmean(after)) / spread

    at = max(range(5, len(flows) - 5), key=contrast)
    found = {
        "year": first_year + at - 1,
        "mean before": round(fmean(flows[:at]), 1),
        "mean after": round(fmean(flows[at:]), 1),
        "contrast": round(contrast(at), 2),
    }
    Deck("Flow of the river").image(chart(flows), "the flow of each year, and the mean").table(
        [found]
    )
    return found


@workflow
def change_wf(first_year: int, flows: list[float]) -> dict:
    """Find when the flow of a river changed, and have somebody look at it before it is published."""
    found = find_change(first_year=first_year, flows=flows)
    return approve(found, "publish", prompt="Did the river change in that year? See the report.")
