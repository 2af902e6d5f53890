"""`localhost` leads to the server by IPv4 and IPv6, or is not a name of it."""

import http.client
import socket
from typing import Any

import pytest
from tests.serving import Server


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="there is no ::1 here")


def status(address: str, port: int, name: str) -> int:
    line = http.client.HTTPConnection(address, port, timeout=30)
    try:
        line.request("GET", "/api/v1/health", headers={"Host": f"{name}:{port}"})
        return line.getresponse().status
    finally:
        line.close()


def test_localhost_reaches_the_server_by_both_families(tidegate: Any):
    server = Server(tidegate.home).ready()
    try:
        for address in ("127.0.0.1", "::1"):
            assert status(address, server.port, "localhost") == 200
    finally:
        server.stop()
        server.close()


def test_where_somebody_else_has_the_other_address_localhost_is_not_a_name_of_the_server(
    tidegate: Any,
):
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", 0))
        other.listen()
        server = Server(tidegate.home, port=other.getsockname()[1]).ready()
        try:
            assert status("127.0.0.1", server.port, "localhost") == 421
            assert status("127.0.0.1", server.port, "127.0.0.1") == 200
            assert "localhost may lead there" in server.said
        finally:
            server.stop()
            server.close()
