"""The web page, as files that are built from `ui/`. An install may lack them: then the page at `/` says so, and all else works."""

import asyncio
import re
import secrets
from importlib.resources import files
from pathlib import Path
from typing import Final

from tidegate.api.desk import Desk
from tidegate.api.route import Call, Content, Header, Reply, Route
from tidegate.errors import UnknownRoute
from tidegate.service.access import Action

NONCE: Final = '<meta name="tidegate-nonce" content="'
"""What stands before the place of the nonce in `index.html`."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: nothing that is not of this server. Styles are made as they are needed, so they carry a nonce."""

NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Tidegate</title>
<h1>The web UI is not built</h1>
<p>The API and the command line work without it. To build it, in a clone: <code>make ui</code>.</p>
<p><a href="/api/openapi.json">The API</a></p>
"""

FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
FOREVER: Final = "public, max-age=31536000, immutable"
HTML: Final = "text/html; charset=utf-8"
MEDIA: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
ACCEPTS = Header("Accept-Encoding", "Whether the files may come compressed.", 1_000)


async def get_page(desk: Desk, call: Call) -> Reply:
    """Return the page."""
    del desk, call
    nonce = secrets.token_urlsafe(16)
    headers = {"content-security-policy": POLICY.format(nonce=nonce)}
    try:
        text = await asyncio.to_thread((built() / "index.html").read_text, "utf-8")
    except FileNotFoundError:
        return Reply(NOT_BUILT.encode(), 503, headers, HTML)
    return Reply(text.replace(NONCE, NONCE + nonce, 1).encode(), 200, headers, HTML)


async def get_asset(desk: Desk, call: Call) -> Reply:
    """Return a file of the page; its name changes with its content."""
    del desk
    return await _file(call, Path("assets"), FOREVER)


async def get_icon(desk: Desk, call: Call) -> Reply:
    """Return the icon of the page."""
    del desk
    return await _file(call, Path(), "public, max-age=3600", "icon.svg")


async def get_licenses(desk: Desk, call: Call) -> Reply:
    """Return the licenses of what the page is built from."""
    del desk
    return await _file(call, Path(), "no-cache", "THIRD_PARTY_LICENSES.txt")


def built() -> Path:
    """Return the directory with the files of the page, whether it is there or not."""
    return Path(str(files("tidegate"))) / "_ui"


async def _file(call: Call, folder: Path, cache: str, name: str = "") -> Reply:
    name = name or call.path["name"]
    if FILE.fullmatch(name) is None:
        raise UnknownRoute(f"there is no file {name[:80]!r} of the page")
    path = built() / folder / name
    media = MEDIA.get(path.suffix, "application/octet-stream")
    headers = {"cache-control": cache, "vary": "accept-encoding"}
    packed = path.with_name(f"{name}.gz")
    try:
        if "gzip" in call.headers[ACCEPTS.name] and await asyncio.to_thread(packed.is_file):
            headers["content-encoding"] = "gzip"
            path = packed
        return Reply(await asyncio.to_thread(path.read_bytes), 200, headers, media)
    except (FileNotFoundError, IsADirectoryError):
        raise UnknownRoute(f"there is no file {name[:80]!r} of the page; load it anew") from None


TAG = "pages"
ANY = {200: Content(("text/html",))}

ROUTES = (
    Route(
        method="GET",
        path="/",
        action=Action.GET_PAGE,
        handler=get_page,
        gives=ANY,
        tag=TAG,
        outside=True,
    ),
    *(
        Route(
            method="GET",
            path=path,
            action=Action.GET_PAGE,
            handler=handler,
            headers=(ACCEPTS,),
            gives=ANY,
            tag=TAG,
            outside=True,
        )
        for path, handler in (
            ("/assets/{name}", get_asset),
            ("/icon.svg", get_icon),
            ("/THIRD_PARTY_LICENSES.txt", get_licenses),
        )
    ),
)
