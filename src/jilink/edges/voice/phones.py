"""Phones and trunks as objects of the engine's SIP channel, pushed into its memory through ARI. No file of the engine names a phone.

Asterisk documentation, "Module Configuration: res_pjsip", "Pushing PJSIP configuration with ARI".
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog

from jilink.edges.voice import ari
from jilink.edges.voice.link import EngineRefused, Link
from jilink.kernel.errors import Malformed
from jilink.spine import calls

log = structlog.get_logger(__name__)

REALM = "jilink"
CODECS = ("alaw", "ulaw")
BROWSER_CODECS = ("opus", "alaw", "ulaw")
KNOWN_CODECS = frozenset({"alaw", "ulaw", "g722", "opus", "gsm"})
SIP = "res_pjsip"
KINDS = ((SIP, "aor"), (SIP, "auth"), (SIP, "endpoint"), (SIP, "identify"), (SIP, "registration"))
"""In the order in which they are made; they are taken away in the reverse order."""

OURS = re.compile(r"o[0-9]+-[0-9]{2,10}|t[0-9]+")
"""Keys of phones and of trunks: nothing else in an engine is touched."""

Fields = dict[str, str]
Object = tuple[str, str, str]
"""Configuration class, kind, name."""
NOBODY: dict[Object, Fields] = {(SIP, "endpoint", "nobody"): {"context": "nobody", "identify_by": "ip", "disallow": "all", "allow": "alaw"}}
"""An endpoint that nothing can be: as long as the engine has none at all it refuses to be asked about phones."""


class NotALine(Malformed):
    """A phone or trunk in the bucket that no engine could have."""


def objects(key: str, value: bytes, unseal: Callable[[str], str]) -> dict[Object, Fields]:
    """Return what a phone (``o1-3001``) or trunk (``t5``) consists of; nothing where it is disabled. Raises NotALine, SealedElsewhere."""
    if not OURS.fullmatch(key):
        raise NotALine("key", f"{key!r} is no key of a phone or trunk")
    try:
        if key.startswith("t"):
            found = _trunk(key, msgspec.json.decode(value, type=calls.Trunk), unseal)
        else:
            found = _phone(key, msgspec.json.decode(value, type=calls.Phone))
    except msgspec.DecodeError as error:
        raise NotALine("value", f"{key}: {error}") from error
    for fields in found.values():
        for text in fields.values():
            if not text.isprintable() or len(text) > 500:
                raise NotALine("text", f"{key}: a value that no engine could have")
    return found


def _phone(key: str, phone: calls.Phone) -> dict[Object, Fields]:
    if not phone.enabled:
        return {}
    if not re.fullmatch(r"[0-9a-f]{32}", phone.ha1):
        raise NotALine("ha1", f"{key}: the digest is no MD5 in hexadecimal")
    endpoint = {
        "context": "phones",
        "aors": key,
        "auth": key,
        "identify_by": "username,auth_username",
        "disallow": "all",
        "allow": _codecs(key, phone.codecs, BROWSER_CODECS if phone.webrtc else CODECS),
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "rewrite_contact": "yes",
        "dtmf_mode": "rfc4733",
        "device_state_busy_at": "0",
        "set_var": "PJSIP_TRANSFER_HANDLING()=ari-only",
    }
    if phone.caller or phone.caller_name:
        endpoint["callerid"] = f'"{_plain(phone.caller_name)}" <{_plain(phone.caller)}>'
    if phone.webrtc:
        endpoint["webrtc"] = "yes"
    return {
        (SIP, "aor", key): {"max_contacts": "1", "remove_existing": "yes", "minimum_expiration": "30", "qualify_frequency": "0"},
        (SIP, "auth", key): {"auth_type": "md5", "username": key, "md5_cred": phone.ha1, "realm": REALM},
        (SIP, "endpoint", key): endpoint,
    }


def _trunk(key: str, trunk: calls.Trunk, unseal: Callable[[str], str]) -> dict[Object, Fields]:
    if not trunk.enabled:
        return {}
    if trunk.host and not re.fullmatch(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?", trunk.host):
        raise NotALine("host", f"{key}: {trunk.host!r} is no host")
    found: dict[Object, Fields] = {}
    way = ";transport=tcp" if trunk.transport == "tcp" else ""
    endpoint = {
        "context": "trunks",
        "identify_by": "ip",
        "disallow": "all",
        "allow": _codecs(key, trunk.codecs, CODECS),
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "dtmf_mode": "rfc4733",
        "trust_id_inbound": "yes",
        "send_pai": "yes",
        "transport": trunk.transport,
        "set_var": "PJSIP_TRANSFER_HANDLING()=ari-only",
    }
    if trunk.host:
        found[(SIP, "aor", key)] = {"contact": f"sip:{trunk.host}{way}", "qualify_frequency": "0"}
        endpoint["aors"] = key
    if trunk.user:
        found[(SIP, "auth", key)] = {"auth_type": "userpass", "username": trunk.user, "password": unseal(trunk.sealed)}
        endpoint |= {"outbound_auth": key, "from_user": trunk.user}
    found[(SIP, "endpoint", key)] = endpoint
    if trunk.addresses:
        found[(SIP, "identify", key)] = {"endpoint": key, "match": ",".join(trunk.addresses)}
    if trunk.register and trunk.host and trunk.user:
        found[(SIP, "registration", key)] = {
            "server_uri": f"sip:{trunk.host}{way}",
            "client_uri": f"sip:{trunk.user}@{trunk.host}",
            "contact_user": trunk.user,
            "outbound_auth": key,
            "endpoint": key,
            "line": "yes",
            "transport": trunk.transport,
            "retry_interval": "30",
            "max_random_initial_delay": "2",
            "forbidden_retry_interval": "300",
            "max_retries": "1000000",
        }
    return found


def _codecs(key: str, given: tuple[str, ...], usual: tuple[str, ...]) -> str:
    if set(given) - KNOWN_CODECS:
        raise NotALine("codec", f"{key}: no engine knows {', '.join(sorted(set(given) - KNOWN_CODECS))}")
    return ",".join(given or usual)


def may_bring(trunk: calls.Trunk, dialled: str) -> bool:
    """Return whether a call of a trunk may dial a number."""
    return not trunk.numbers or any(dialled.startswith(one[:-1]) if one.endswith("*") else dialled == one for one in trunk.numbers)


def _plain(text: str) -> str:
    return re.sub(r'["<>\\\r\n;]', "", text)


class Lines:
    """What one engine should have and what it was given: `push` makes the difference good. One at a time."""

    def __init__(self, unseal: Callable[[str], str]) -> None:
        """`unseal` returns the password of a trunk."""
        self._unseal = unseal
        self.wanted: dict[str, dict[Object, Fields]] = {"": NOBODY}
        self.trunks: dict[str, calls.Trunk] = {}
        self.phones: set[str] = set()
        self._given: dict[Object, Fields] = {}
        self._turn = asyncio.Lock()

    def change(self, key: str, value: bytes | None) -> None:
        """Note a phone or trunk as it is in its bucket now; one that cannot be is left out and told of."""
        self.wanted.pop(key, None)
        self.trunks.pop(key, None)
        self.phones.discard(key)
        if value is None:
            return
        try:
            self.wanted[key] = objects(key, value, self._unseal)
        except Malformed as error:
            log.warning("voice.line_left_out", reason=error.reason, said=str(error))
            return
        if key.startswith("t"):
            self.trunks[key] = msgspec.json.decode(value, type=calls.Trunk)
        else:
            self.phones.add(key)

    def forget(self) -> None:
        """Take it that nobody knows what the engine has: it was started anew, or another owner gave it what it has."""
        self._given = {}

    async def sweep(self, link: Link, there: Iterable[str]) -> None:
        """Take from the engine what an owner of before gave it and nobody wants any more. Raises EngineDown."""
        async with self._turn:
            for key in {*(one for one in there if OURS.fullmatch(one)), *self.wanted} - {""}:
                for kind in reversed(KINDS):
                    if (*kind, key) not in self.wanted.get(key, {}):
                        await link.ask_if_there(ari.request("DELETE", "asterisk", "config", "dynamic", *kind, key))

    async def push(self, link: Link) -> int:
        """Give the engine what it lacks and take what it should not have; return how many objects. Raises EngineDown."""
        async with self._turn:
            wanted = {name: fields for found in self.wanted.values() for name, fields in found.items()}
            changed = 0
            for name in sorted(self._given.keys() - wanted.keys(), key=_rank, reverse=True):
                await link.ask_if_there(ari.request("DELETE", "asterisk", "config", "dynamic", *name))
                del self._given[name]
                changed += 1
            for name in sorted(wanted, key=_rank):
                if self._given.get(name) != wanted[name]:
                    changed += await self._give(link, name, wanted[name])
            return changed

    async def _give(self, link: Link, name: Object, fields: Mapping[str, str]) -> int:
        body = {"fields": [{"attribute": attribute, "value": value} for attribute, value in fields.items()]}
        path = ("asterisk", "config", "dynamic", *name)
        for last in (False, True):
            try:
                await link.ask(ari.request("PUT", *path, body=body))
            except EngineRefused as error:
                if last:
                    log.warning("voice.line_refused", kind=name[1], line=name[2], said=str(error))
                    break
                await link.ask_if_there(ari.request("DELETE", *path))  # an endpoint with variables refuses to be changed
            else:
                self._given[name] = dict(fields)
                return 1
        return 0


def _rank(name: Object) -> tuple[int, str]:
    return KINDS.index(name[:2]), name[2]
