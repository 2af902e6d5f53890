"""The commands that serve: a store, or one with example workflows. Their work is in `serving` and in `demo`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from tidegate.cli.options import executor_options, shared_options, strict_option

HOST, PORT = "127.0.0.1", 8433


@click.command("serve")
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 chooses a free one.",
)
@executor_options
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
    help="Serve TLS with this certificate (PEM).",
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its private key (PEM)."
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="A proxy in front terminates TLS, and only it can reach this port; the last address in its X-Forwarded-For is trusted.",
)
@click.option(
    "--pass-env",
    multiple=True,
    metavar="NAME",
    help="An environment variable to pass on to tasks, such as 'AWS_*'; repeatable. PATH, HOME, locale, time zone and Python's variables are always passed.",
)
@click.option(
    "--grace",
    default=25.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    metavar="SECONDS",
    help="How long running tasks may continue after SIGTERM or Ctrl-C.",
)
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=N",
    help="Quota of a project: launches=1000000 executions, history=20Gi bytes; repeatable. These are the defaults.",
)
@click.option(
    "--advertise",
    default="",
    metavar="URL",
    help="Where other servers of the same store on Postgres reach this one, if not at the address it listens on (or, with --host 0.0.0.0, by the first --allow-host).",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Let a restored store act: the original no longer does.",
)
@shared_options
def serve_command(
    *,
    home: Path,
    grace: float,
    adopt: bool,
    quotas: tuple[str, ...],
    **given: Any,
) -> int:
    """
    Serve the store: run its executions, and accept launches and answers over HTTP.

    SIGTERM or Ctrl-C stops it: no new task starts, launches are refused, answers are still accepted. It exits once no task is running, after the
    grace period, or at a second signal. Tasks interrupted by that are repeated by the next `tidegate serve`, `run` or `resume`; nothing is lost.
    """
    # Loaded here: loading the door takes longer than showing the help.
    from tidegate.api.settings import Settings  # noqa: PLC0415
    from tidegate.cli.backup import let_act  # noqa: PLC0415
    from tidegate.cli.serving import serve_store  # noqa: PLC0415
    from tidegate.runtime import open_server  # noqa: PLC0415

    if adopt:
        let_act(home)
    runs = {name: given.pop(name) for name in ("workers", "strict", "pass_env")}

    take = partial(open_server, home, **runs)
    return serve_store(home, take, Settings(**given), grace=grace, quotas=read_quotas(quotas))


def read_quotas(words: tuple[str, ...]) -> dict[str, int]:
    """Return the quotas of a server: the defaults, unless overridden. Errors: `click.UsageError`."""
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
    help="The port to listen on; 0 chooses a free one.",
)
@shared_options
def demo_command(*, home: Path, port: int) -> int:
    """
    Serve the store, with example workflows that wait for you.

    They use the annual flow of the Nile from 1871 to 1970. Those still waiting from the last time are not launched again.
    """
    from tidegate.api.settings import Settings  # noqa: PLC0415 - as above
    from tidegate.cli.demo import serve_demo  # noqa: PLC0415

    return serve_demo(home, Settings(host=HOST, port=port))
