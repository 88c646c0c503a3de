"""The agent's desk: the browser's phone, where it connects, and whose desk is shown."""

from dataclasses import replace
from pathlib import Path

import pytest

from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.kernel.settings import Settings
from jilink.services.contact.actions.designing import digest
from jilink.services.contact.actions.desk import open_phone
from jilink.services.contact.models import Phone
from jilink.services.contact.pages.desk_phone import address
from jilink.services.contact.reads import mine
from jilink.services.contact.rules.states import AgentState
from tests.core.world import World


def test_a_phone_that_is_opened_again_stops_the_one_before_and_keeps_no_password(world: World) -> None:
    agent = access.actor_of_account(world.person(Role.AGENT, world.north).pk)
    first = open_phone(organisation=world.north, by=agent)
    second = open_phone(organisation=world.north, by=agent)
    row = Phone.objects.get()
    assert (first.user, first.phone) == (second.user, second.phone) and first.password != second.password
    assert row.ha1 == digest(second.user, second.password) and row.webrtc
    assert mine.browser_phone(agent, world.north) == row.pk


def test_who_serves_no_queue_there_has_neither_phone_nor_desk(world: World) -> None:
    agent = access.actor_of_account(world.person(Role.AGENT, world.south).pk)
    viewer = access.actor_of_account(world.person(Role.AUDITOR, world.north).pk)
    with pytest.raises(NotFound):
        open_phone(organisation=world.north, by=agent)
    with pytest.raises(NotFound):
        mine.desk(viewer)
    assert mine.desk(agent).state is AgentState.OFF and mine.desk(agent).organisation == world.south


@pytest.mark.parametrize(
    ("wss", "nodes", "host", "expected"),
    [
        ("", "", "127.0.0.1", "ws://127.0.0.1:14088/ws"),
        ("", "", "calls.example.cn", ""),
        ("0.0.0.0:8089", "", "calls.example.cn", "wss://calls.example.cn:8089/ws"),
        ("10.0.0.4:8089", "", "calls.example.cn", "wss://10.0.0.4:8089/ws"),
        ("0.0.0.0:8089", "east=http://10.1.0.5:8088", "calls.example.cn", ""),
    ],
)
def test_a_browser_is_told_the_one_address_by_which_it_reaches_the_engine(
    tmp_path: Path, wss: str, nodes: str, host: str, expected: str
) -> None:
    program = tmp_path / "usr/sbin/asterisk"
    program.parent.mkdir(parents=True)
    program.touch()
    known = replace(Settings(), voice_root=str(tmp_path), voice_wss=wss, voice_nodes=nodes)
    assert address(known, host) == expected
