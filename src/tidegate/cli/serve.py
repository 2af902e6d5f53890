"""The command that serves: the engine, its workers, and the HTTP door, in one process tree."""

import gc
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click

from tidegate.api.app import make_app
from tidegate.api.server import listen, serve
from tidegate.cli.options import shared_options
from tidegate.cli.render import tell
from tidegate.runtime import open_runtime

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
@click.option(
    "--workers",
    type=click.IntRange(1, 1000),
    help="Processes that run tasks (else one a processor).",
)
@shared_options
def serve_command(*, home: Path, host: str, port: int, workers: int | None) -> int:
    """
    Serve the store: run its executions, and take launches and answers over HTTP.

    SIGTERM or Ctrl-C stops it. What runs then is repeated by the next `tidegate serve`, `run` or `resume`; nothing is lost.
    """
    listening = listen(host, port)
    try:
        with open_runtime(home, workers=workers) as runtime:
            app = make_app(runtime.service, home, version("tidegate"))
            # What is there now stays for good: the collector need not look at it again and again.
            gc.freeze()
            shown = f"[{host}]" if ":" in host else host
            url = f"http://{shown}:{listening.getsockname()[1]}"
            ready = partial(tell, f"tidegate serves {home} at {url}")
            serve(app, listening, ready=ready, stopping=runtime.service.close)
    finally:
        listening.close()
    tell("stopped; everything accepted is stored")
    sys.stdout.flush()
    return 0
