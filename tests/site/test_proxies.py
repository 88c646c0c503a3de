"""Whom the site believes about who the client is."""

import asyncio
from typing import Any

import pytest

from jilink.kernel.settings import SettingsRefused
from jilink.site.proxies import behind, networks

PROXIES = networks("10.0.0.0/24, ::1")


def seen(peer: str | None, **headers: str) -> tuple[str | None, str, set[str]]:
    """What the application is told: the client, the scheme and the names of the headers."""
    told: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        told.append(scope)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "client": (peer, 5000) if peer else None, "headers": [(b"host", b"x"), *pairs]}
    asyncio.run(behind(PROXIES, application)(scope, None, None))  # type: ignore[arg-type]  # -- neither is used
    (scope,) = told
    return scope["client"] and scope["client"][0], scope["scheme"], {name.decode() for name, _value in scope["headers"]}


FORGED = {
    "x_forwarded_for": "1.2.3.4",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "evil",
    "forwarded": "for=1.2.3.4",
    "x_real_ip": "1.2.3.4",
}


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.1.1", None])
def test_whoever_is_no_proxy_is_not_believed(peer: str | None) -> None:
    assert seen(peer, **FORGED) == (peer, "http", {"host"})


def test_a_proxy_is_believed_about_the_client_and_tls() -> None:
    assert seen("10.0.0.7", **FORGED) == ("1.2.3.4", "https", {"host"})
    assert seen("::1", x_forwarded_for="2001:db8::5", x_forwarded_proto="http")[:2] == ("2001:db8::5", "http")
    assert seen("::ffff:10.0.0.7", x_forwarded_for="1.2.3.4")[0] == "1.2.3.4"


def test_what_a_client_wrote_before_the_proxies_counts_for_nothing() -> None:
    assert seen("10.0.0.7", x_forwarded_for="9.9.9.9, 1.2.3.4, 10.0.0.8")[0] == "1.2.3.4"
    assert seen("10.0.0.7", x_forwarded_for="1.2.3.4, rubbish")[0] == "10.0.0.7"
    assert seen("10.0.0.7", x_forwarded_proto="https, http")[1] == "http"
    assert seen("10.0.0.7")[:2] == ("10.0.0.7", "http")


def test_a_setting_that_names_no_network_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="WEB_PROXIES"):
        networks("proxy.example")
