"""Ports that are taken are told in one line."""

import socket

import pytest

from jilink.kernel.settings import Settings
from jilink.site import ports
from tests.site.installation import environment


def test_free_ports_pass_and_a_taken_one_names_the_setting_that_moves_it(tmp_path):
    settings = Settings.from_environment(environment(tmp_path))
    ports.require_free(settings)
    host, port = settings.web.split(":")
    with socket.create_server((host, int(port))), pytest.raises(ports.PortTaken) as refused:
        ports.require_free(settings)
    assert f"port {port} on 127.0.0.1 (web)" in str(refused.value)
    assert "JILINK_WEB=127.0.0.1:" in str(refused.value)


def test_a_listener_on_all_addresses_conflicts_with_ours(tmp_path):
    settings = Settings.from_environment(environment(tmp_path))
    with socket.create_server(("0.0.0.0", settings.nats_port)), pytest.raises(ports.PortTaken, match="JILINK_NATS_PORT"):
        ports.require_free(settings)


def test_with_a_set_nats_server_no_port_is_needed_for_ours(tmp_path):
    settings = Settings.from_environment(environment(tmp_path, JILINK_NATS_URL="nats://nats.example:4222"))
    assert "spine" not in {place.process for place in ports.listeners(settings)}
