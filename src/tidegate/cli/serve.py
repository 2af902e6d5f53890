"""The commands that serve: a store, or one with example workflows for a first look. What they do is in `serving` and in `demo`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from tidegate.cli.options import shared_options, strict_option, workers_option

HOST, PORT = "127.0.0.1", 8433


@click.command("serve")
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@workers_option
@strict_option
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which clients call this server, besides localhost; repeatable.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Speak TLS: the certificate.",
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Speak TLS: its private key."
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="A proxy in front speaks TLS, and only it can reach this port; the last address in its X-Forwarded-For is believed.",
)
@click.option(
    "--pass-env",
    multiple=True,
    metavar="NAME",
    help="A variable that tasks get, too, such as 'AWS_*'; repeatable. They get PATH, HOME, locale, time zone and Python's by themselves.",
)
@click.option(
    "--grace",
    default=25.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    metavar="SECONDS",
    help="How long running tasks may go on after SIGTERM or Ctrl-C.",
)
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=N",
    help="What a project may have: launches=1000000 executions, history=20Gi bytes; repeatable. These are the defaults.",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Let a restored store act: the one that it is a copy of does not any more.",
)
@shared_options
def serve_command(
    *, home: Path, grace: float, adopt: bool, quotas: tuple[str, ...], **given: Any
) -> int:
    """
    Serve the store: run its executions, and take launches and answers over HTTP.

    SIGTERM or Ctrl-C stops it: no task begins any more, launches are refused, answers are still taken. It ends once no task runs, after the
    grace, or at a second signal. What still runs then is repeated by the next `tidegate serve`, `run` or `resume`; nothing is lost.
    """
    # Loaded here: the door takes longer to be loaded than the help to be shown.
    from tidegate.api.settings import Settings  # noqa: PLC0415
    from tidegate.cli.backup import let_act  # noqa: PLC0415
    from tidegate.cli.serving import serve_store  # noqa: PLC0415
    from tidegate.runtime import open_runtime  # noqa: PLC0415

    if adopt:
        let_act(home)
    runs = {name: given.pop(name) for name in ("workers", "strict", "pass_env")}
    take = partial(open_runtime, home, serve_door=False, **runs)
    return serve_store(home, take, Settings(**given), grace=grace, quotas=read_quotas(quotas))


def read_quotas(words: tuple[str, ...]) -> dict[str, int]:
    """Return the quotas of a server: the defaults, unless one is named. Errors: `click.UsageError`."""
    # Loaded here: as above.
    from tidegate.ir.amounts import UNITS  # noqa: PLC0415
    from tidegate.service.quotas import DEFAULTS  # noqa: PLC0415

    found = dict(DEFAULTS)
    for word in words:
        name, _, amount = word.partition("=")
        digits = amount.rstrip("kKMGTPEi")
        unit = UNITS.get(amount[len(digits) :])
        if name not in found or unit is None or not digits.isdecimal() or len(digits) > 15:
            raise click.UsageError(
                f"--quota {word}: give one of {', '.join(found)} and a number, as in history=20Gi"
            )
        found[name] = int(digits) * unit
    return found


@click.command("demo")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@shared_options
def demo_command(*, home: Path, port: int) -> int:
    """
    Serve the store, with example workflows that wait for you.

    They work on the yearly flow of the Nile from 1871 to 1970. Those that still wait from the last time are not launched again.
    """
    from tidegate.api.settings import Settings  # noqa: PLC0415 - as above
    from tidegate.cli.demo import serve_demo  # noqa: PLC0415

    return serve_demo(home, Settings(host=HOST, port=port))
