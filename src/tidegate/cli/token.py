"""The command for access over the network: `tidegate token create`, `list`, `rotate` and `revoke`."""

import re
from datetime import timedelta
from pathlib import Path

import click

from tidegate.cli.options import json_option, shared_options
from tidegate.cli.render import line, moment, print_json, table, tell, utc_now
from tidegate.cli.store import StoreWay, open_access, open_reader
from tidegate.home import ADMIN, keep_token
from tidegate.wire import (
    GrantView,
    ListTokens,
    MakeToken,
    RevokeToken,
    RotateToken,
    TokenView,
)

ROLES = ("viewer", "operator", "approver", "admin")
LASTS = re.compile(r"(\d{1,6})([smhdw])\Z")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group("token")
def token_command() -> None:
    """Make, list, rotate and revoke the tokens that others use over the network."""


def _lasts(_: click.Context, __: click.Parameter, given: str) -> float | None:
    if given == "never":
        return None
    match = LASTS.match(given)
    if match is None:
        raise click.BadParameter(f"{given!r} is not a duration; write 12h, 30d, 8w or never")
    return timedelta(**{UNITS[match[2]]: int(match[1])}).total_seconds()


@token_command.command("create")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=click.Choice(ROLES),
    multiple=True,
    required=True,
    help="What its holder may do; repeatable. operator does not include approver.",
)
@click.option("--project", default="*", help="Only in these projects; * stands for any characters.")
@click.option("--domain", default="*", help="Only in these domains; * stands for any characters.")
@click.option(
    "--expires",
    "lasts",
    default="90d",
    show_default=True,
    callback=_lasts,
    metavar="SPAN",
    help="When it expires: 12h, 30d, 8w, or never.",
)
@json_option
@shared_options
def create_command(
    *,
    home: Path,
    name: str,
    roles: tuple[str, ...],
    lasts: float | None,
    as_json: bool,
    **where: str,
) -> None:
    """
    Make a token for NAME, and print it. It is not shown again.

    NAME is recorded with every decision made with it.
    """
    grants = [GrantView(role=role, **where) for role in dict.fromkeys(roles)]
    with StoreWay(home, open_access) as way:
        made = way.ask(MakeToken(name=name, grants=grants, lasts=lasts))
    if as_json:
        print_json(made)
        return
    click.echo(made.secret)
    until = f"until {moment(made.token.expires)}" if made.token.expires else "until it is revoked"
    tell(f"a token for {line(name)}, valid {until}; it is not shown again")


@token_command.command("list")
@json_option
@shared_options
def list_command(*, home: Path, as_json: bool) -> None:
    """List the tokens, oldest first, and whether they are still valid."""
    with StoreWay(home, open_reader) as way:
        found = way.ask(ListTokens()).items
    if as_json:
        print_json(found)
    elif found:
        click.echo(
            table(
                ("ID", "NAME", "MAY", "MADE BY", "CREATED", "EXPIRES", "LAST USED"),
                map(_row, found),
                whole=2,
            )
        )
    else:
        tell("no tokens; make one with: tidegate token create NAME --role viewer")


def _row(token: TokenView) -> tuple[str, ...]:
    may = ", ".join(
        f"{each.role} in {each.project}/{each.domain}"
        if (each.project, each.domain) != ("*", "*")
        else each.role
        for each in token.grants
    )
    ends = moment(token.expires) if token.expires else "never"
    if token.revoked:
        ends = f"revoked {moment(token.revoked)}"
    elif token.expires and token.expires <= utc_now():
        ends = f"expired {ends}"
    used = moment(token.used) if token.used else "never"
    return (
        token.id,
        line(token.name),
        line(may),
        line(token.creator, 40),
        moment(token.created),
        ends,
        used,
    )


@token_command.command("rotate")
@click.argument("name")
@click.option(
    "--overlap",
    default="1h",
    show_default=True,
    callback=_lasts,
    metavar="SPAN",
    help="How long the existing ones remain valid: 0s, 12h, 30d.",
)
@json_option
@shared_options
def rotate_command(*, home: Path, name: str, overlap: float | None, as_json: bool) -> None:
    """
    Make another token for NAME, and print it. It is not shown again.

    It is for the same person, with the same rights. The existing tokens of that name expire after the overlap, and with them the browser sessions they opened.
    """
    if overlap is None:
        raise click.BadParameter("an overlap ends: write 0s, 12h or 30d", param_hint="--overlap")
    with StoreWay(home, open_access) as way:
        made = way.ask(RotateToken(name=name, overlap=overlap))
    if made.token.name == ADMIN:
        # The owner's programs read it there.
        keep_token(home, made.secret)
    if as_json:
        print_json(made)
        return
    click.echo(made.secret)
    tell(f"another token for {line(made.token.name)}; it is not shown again")


@token_command.command("revoke")
@click.argument("token", metavar="NAME|ID")
@json_option
@shared_options
def revoke_command(*, home: Path, token: str, as_json: bool) -> None:
    """Revoke a token at once, and end every browser session it opened."""
    with StoreWay(home, open_access) as way:
        ended = way.ask(RevokeToken(token=token)).items
    if as_json:
        print_json(ended)
    else:
        for each in ended:
            tell(f"revoked {line(each.name)} ({each.id})")
