"""The command that serves: the engine, its workers, and the HTTP door, in one process tree."""

import gc
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from tidegate.api.app import make_app
from tidegate.api.server import listen, serve
from tidegate.api.settings import Settings, check_exposure
from tidegate.cli.line import PATIENCE, PAUSE
from tidegate.cli.options import shared_options, workers_option
from tidegate.cli.render import tell
from tidegate.errors import StoreLocked
from tidegate.remote.local import connect
from tidegate.runtime import Runtime, open_runtime
from tidegate.service.tokens import TOKEN_FILE

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
    help="A proxy in front speaks TLS, and only it can reach this port; its X-Forwarded headers are believed.",
)
@shared_options
def serve_command(*, home: Path, workers: int | None, **reached: Any) -> int:
    """
    Serve the store: run its executions, and take launches and answers over HTTP.

    SIGTERM or Ctrl-C stops it. What runs then is repeated by the next `tidegate serve`, `run` or `resume`; nothing is lost.
    """
    return serve_store(home, workers, Settings(**reached))


def serve_store(
    home: Path,
    workers: int | None,
    settings: Settings,
    prepare: Callable[[Runtime, str], Callable[[], None]] | None = None,
) -> int:
    """Serve the store in `home` until told to stop. `prepare` is called before anything is served, with the address, and returns what to do then."""
    check_exposure(settings)
    listening = listen(settings.host, settings.port)
    try:
        with _take(home, workers) as runtime:
            runtime.service.tokens.admin_token(home / TOKEN_FILE)
            app = make_app(runtime.service, home, version("tidegate"), settings)
            url = _address(settings, listening.getsockname()[1])
            then = None if prepare is None else prepare(runtime, url)
            # What is there now stays for good: the collector need not look at it again and again.
            gc.freeze()

            def ready() -> None:
                tell(f"tidegate serves {home} at {url}")
                if then is not None:
                    then()

            serve(app, listening, settings, ready=ready, stopping=app.close)
    finally:
        listening.close()
    tell("stopped; everything accepted is stored")
    sys.stdout.flush()
    return 0


def _take(home: Path, workers: int | None) -> Runtime:
    """Become the owner of the store; whoever only stores an answer, or is just ending, lets go of it soon."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return open_runtime(home, workers=workers)
        except StoreLocked:
            if connect(home) is not None or time.monotonic() > give_up:
                raise
            time.sleep(PAUSE)


def _address(settings: Settings, port: int) -> str:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'http' if settings.tls_cert is None else 'https'}://{shown}:{port}"
