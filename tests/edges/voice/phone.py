"""A telephone for tests: SIP over UDP (RFC 3261), digest sign-in, sound by RTP with a tone of its own, keys by RFC 4733, REFER.

It meets the engine as a phone or a carrier would; what it hears is kept, so that a test can say who hears whom.
"""

import asyncio
import hashlib
import re
import secrets
import struct
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from tests.edges.voice import sound

ULAW, KEYS = 0, 101


@dataclass
class Message:
    """A SIP message; headers by small letters."""

    first: str
    headers: dict[str, list[str]]
    body: str

    def get(self, name: str) -> str:
        return (self.headers.get(name) or [""])[0]

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        return self.get("cseq").split()[-1]


def parse(data: bytes) -> Message:
    head, _, body = data.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return Message(first, headers, body)


class _Sound(asyncio.DatagramProtocol):
    def __init__(self, call: "Call") -> None:
        self.call = call

    def datagram_received(self, data: bytes, _peer: object) -> None:
        if len(data) > 12 and data[1] & 0x7F == ULAW:
            self.call.heard.append((time.monotonic(), data[12:]))


@dataclass
class Call:
    """One dialogue of a phone."""

    phone: "Phone"
    id: str
    ours: str
    theirs: str = ""
    target: str = ""
    cseq: int = 1
    state: str = "begun"
    status: int = 0
    invite: Message | None = None
    heard: deque[tuple[float, bytes]] = field(default_factory=lambda: deque(maxlen=3000))
    media: tuple[str, int] | None = None
    hz: float = 0.0
    replies: dict[str, asyncio.Future[Message]] = field(default_factory=dict)
    notified: list[str] = field(default_factory=list)
    _transport: asyncio.DatagramTransport | None = None
    _speaking: asyncio.Task[None] | None = None
    _keys: deque[str] = field(default_factory=deque)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Sound(self), local_addr=(self.phone.host, 0))

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def sdp(self) -> str:
        host = self.phone.host
        return (
            f"v=0\r\no=- 1 {self.cseq} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {self.port} RTP/AVP {ULAW} {KEYS}\r\n"
            f"a=rtpmap:{ULAW} PCMU/8000\r\na=rtpmap:{KEYS} telephone-event/8000\r\na=fmtp:{KEYS} 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    def speak_to(self, body: str) -> None:
        host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
        if host and port:
            self.media = (host[1], int(port[1]))
            if self._speaking is None:
                self._speaking = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        sequence, stamp, source = 1, 0, secrets.randbits(32)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._keys:
                key = "0123456789*#".index(self._keys.popleft())
                for number in range(6):
                    body = struct.pack(">BBH", key, (0x80 if number > 2 else 0) | 10, 160 * (number + 1))
                    self._send(KEYS | (0x80 if number == 0 else 0), sequence, stamp, source, body)
                    sequence += 1
                    due += 0.02
                    await asyncio.sleep(max(0.0, due - loop.time()))
                stamp += 960
                continue
            samples = sound.tone(self.hz, 160, stamp) if self.hz else np.zeros(160, np.int16)
            self._send(ULAW, sequence, stamp, source, sound.encode(samples))
            sequence, stamp, due = sequence + 1, stamp + 160, due + 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, kind: int, sequence: int, stamp: int, source: int, body: bytes) -> None:
        head = struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
        self._transport.sendto(head + body, self.media)

    def press(self, keys: str) -> None:
        """Press keys, one after another."""
        self._keys.extend(keys)

    def hears(self, hz: float, since: float) -> float:
        """How loud a tone is in what came since a moment of the monotonic clock."""
        return sound.strength(self.since(since), hz)

    def since(self, moment: float) -> np.ndarray:
        data = b"".join(body for at, body in self.heard if at >= moment)
        return sound.decode(data).astype(float)

    def close(self) -> None:
        self.state = "ended"
        if self._speaking is not None:
            self._speaking.cancel()
        if self._transport is not None:
            self._transport.close()

    async def hang_up(self) -> None:
        if self.state == "up":
            await self.request("BYE")
        elif self.state in ("begun", "ringing"):
            self.phone.send_request(self, "CANCEL", self.cseq)
        self.close()

    async def request(self, method: str, body: str = "", kind: str = "", **headers: str) -> Message:
        self.cseq += 1
        key = f"{self.cseq} {method}"
        self.replies[key] = asyncio.get_running_loop().create_future()
        self.phone.send_request(self, method, self.cseq, body, kind, **headers)
        return await asyncio.wait_for(self.replies[key], 5)

    async def refer(self, target: str) -> int:
        """Ask that the partner be transferred; return the status of the answer."""
        host, port = self.phone.engine
        return (await self.request("REFER", Refer_To=f"<sip:{target}@{host}:{port}>")).status


class Phone(asyncio.DatagramProtocol):
    """A phone of one user, or a carrier's exchange (without user)."""

    def __init__(self, host: str, engine: tuple[str, int], *, user: str = "", password: str = "", hz: float = 0.0) -> None:
        self.host, self.engine, self.user, self.password, self.hz = host, engine, user, password, hz
        self.calls: dict[str, Call] = {}
        self.answers_after: float | None = 0.05
        """Seconds that it rings; None: until the test answers. Negative: it refuses as busy."""
        self._registering: tuple[str, int, asyncio.Future[Message]] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.rings: asyncio.Queue[Call] = asyncio.Queue()
        self.others: list[Message] = []

    async def open(self) -> "Phone":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        return self

    def close(self) -> None:
        for call in self.calls.values():
            call.close()
        for task in self._tasks:
            task.cancel()
        self._transport.close()

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    async def rung(self) -> Call:
        """The next call that comes in."""
        return await asyncio.wait_for(self.rings.get(), 10)

    # outwards

    async def register(self, expires: int = 120) -> int:
        """Register, signing in when asked; return the last status."""
        call, answer = secrets.token_hex(8), ""
        for number in (1, 2):
            future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            self._registering = (call, number, future)
            uri = f"sip:{self.engine[0]}:{self.engine[1]}"
            who = f"<sip:{self.user}@{self.engine[0]}>"
            lines = [f"REGISTER {uri} SIP/2.0", *self._common(call, number, "REGISTER"), f"From: {who};tag={call[:6]}", f"To: {who}"]
            lines += [f"Contact: <sip:{self.user}@{self.host}:{self.port}>", f"Expires: {expires}", *([answer] if answer else [])]
            self._write(lines)
            reply = await asyncio.wait_for(future, 5)
            if reply.status != 401:
                return reply.status
            answer = "Authorization: " + self._digest(reply.get("www-authenticate"), "REGISTER", uri)
        return reply.status

    async def call(self, number: str, caller: str = "", **headers: str) -> Call:
        """Call a number; the call goes on ringing until the engine answers (`wait`)."""
        call = Call(self, secrets.token_hex(8), secrets.token_hex(4), hz=self.hz)
        call.target = f"sip:{number}@{self.engine[0]}:{self.engine[1]}"
        await call.open()
        self.calls[call.id] = call
        call.caller, call.extra = caller or self.user, headers
        self._invite(call)
        return call

    def _invite(self, call: Call, answer: str = "") -> None:
        lines = [f"INVITE {call.target} SIP/2.0", *self._common(call.id, call.cseq, "INVITE")]
        lines += [f'From: "{call.caller}" <sip:{call.caller}@{self.host}>;tag={call.ours}', f"To: <{call.target}>"]
        lines += [f"Contact: <sip:{self.user or 'trunk'}@{self.host}:{self.port}>", *([answer] if answer else [])]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in call.extra.items()]
        self._write(lines, call.sdp(), "application/sdp")

    def send_request(self, call: Call, method: str, number: int, body: str = "", kind: str = "", **headers: str) -> None:
        lines = [f"{method} {call.target} SIP/2.0", *self._common(call.id, number, method)]
        lines += [f"From: <sip:{self.user or 'trunk'}@{self.host}>;tag={call.ours}"]
        lines += [f"To: <sip:engine@{self.engine[0]}>" + (f";tag={call.theirs}" if call.theirs else "")]
        lines += [f"Contact: <sip:{self.user or 'trunk'}@{self.host}:{self.port}>"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self._write(lines, body, kind)

    def _common(self, call: str, number: int, method: str) -> list[str]:
        branch = hashlib.sha256(f"{call}{number}{'INVITE' if method == 'CANCEL' else method}".encode()).hexdigest()[:16]
        via = f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{branch};rport"
        return [via, "Max-Forwards: 70", f"Call-ID: {call}", f"CSeq: {number} {method}"]

    def _digest(self, challenge: str, method: str, uri: str) -> str:
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        h = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731 -- three times
        ha1 = h(f"{self.user}:{asked['realm']}:{self.password}")
        cnonce = secrets.token_hex(4)
        response = h(f"{ha1}:{asked['nonce']}:00000001:{cnonce}:auth:{h(f'{method}:{uri}')}")
        return (
            f'Digest username="{self.user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", response="{response}", '
            f'algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"' + (f', opaque="{asked["opaque"]}"' if "opaque" in asked else "")
        )

    def _write(self, lines: list[str], body: str = "", kind: str = "") -> None:
        tail = [f"Content-Type: {kind}"] if kind else []
        text = "\r\n".join([*lines, *tail, f"Content-Length: {len(body)}", "", body])
        self._transport.sendto(text.encode(), self.engine)

    # inwards

    def datagram_received(self, data: bytes, _peer: object) -> None:
        if not data.strip():
            return
        message = parse(data)
        if message.status:
            self._replied(message)
        else:
            self._asked(message)

    def _replied(self, message: Message) -> None:
        if message.method == "REGISTER":
            if self._registering and message.get("cseq").startswith(f"{self._registering[1]} ") and not self._registering[2].done():
                self._registering[2].set_result(message)
            return
        call = self.calls.get(message.get("call-id"))
        if call is None or (message.status < 180 and message.method == "INVITE"):
            return
        if message.method != "INVITE":
            future = call.replies.get(message.get("cseq"))
            if future is not None and not future.done() and message.status >= 200:
                future.set_result(message)
            return
        tag = re.search(r"tag=([^;>\s]+)", message.get("to"))
        call.theirs, call.status = tag[1] if tag else "", message.status
        if message.status < 200:
            call.state = "ringing" if call.state == "begun" else call.state
            return
        number = int(message.get("cseq").split()[0])
        if message.status < 300:
            contact = re.search(r"<(sip:[^>]+)>", message.get("contact"))
            call.target = contact[1] if contact else call.target
            self.send_request(call, "ACK", number)
            if call.state != "ended":
                call.state = "up"
                call.speak_to(message.body)
            return
        self.send_request(call, "ACK", number)
        if message.status in (401, 407) and self.password and number == 1:
            call.cseq, call.theirs = 2, ""
            name = "www-authenticate" if message.status == 401 else "proxy-authenticate"
            answer = "Authorization: " if message.status == 401 else "Proxy-Authorization: "
            self._invite(call, answer + self._digest(message.get(name), "INVITE", call.target))
        elif call.state != "ended":
            call.close()

    def _asked(self, message: Message) -> None:
        method, call = message.first.split()[0], self.calls.get(message.get("call-id"))
        if method == "INVITE" and call is None:
            task = asyncio.create_task(self._ring(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif method == "INVITE":
            call.speak_to(message.body)
            self._reply(message, 200, "OK", call)
        elif method == "ACK":
            if call is not None and call.state == "ringing":
                call.state = "up"
        elif method in ("BYE", "CANCEL"):
            self._reply(message, 200, "OK", call)
            if call is not None:
                if method == "CANCEL" and call.invite is not None:
                    self._reply(call.invite, 487, "Request Terminated", call)
                call.close()
        else:
            self.others.append(message)
            if method == "NOTIFY" and call is not None:
                call.notified.append(message.body.strip())
            self._reply(message, 200, "OK", call)

    async def _ring(self, message: Message) -> None:
        tag = re.search(r"tag=([^;>\s]+)", message.get("from"))
        contact = re.search(r"<(sip:[^>]+)>", message.get("contact"))
        call = Call(self, message.get("call-id"), secrets.token_hex(4), tag[1] if tag else "", contact[1] if contact else "", hz=self.hz)
        call.invite, call.state = message, "ringing"
        await call.open()
        self.calls[call.id] = call
        self.rings.put_nowait(call)
        if self.answers_after is not None and self.answers_after < 0:
            self._reply(message, 486, "Busy Here", call)
            return call.close()
        self._reply(message, 180, "Ringing", call)
        if self.answers_after is not None:
            await asyncio.sleep(self.answers_after)
            if call.state == "ringing":
                self._reply(message, 200, "OK", call)
                call.speak_to(message.body)

    def _reply(self, message: Message, status: int, reason: str, call: Call | None) -> None:
        to = message.get("to")
        if "tag=" not in to:
            to += f";tag={call.ours if call else 'none'}"
        lines = [f"SIP/2.0 {status} {reason}", *(f"Via: {via}" for via in message.headers.get("via", []))]
        lines += [f"From: {message.get('from')}", f"To: {to}", f"Call-ID: {message.get('call-id')}", f"CSeq: {message.get('cseq')}"]
        lines += [f"Contact: <sip:{self.user or 'trunk'}@{self.host}:{self.port}>"]
        with_sound = status == 200 and call is not None and message.method == "INVITE"
        self._write(lines, call.sdp() if with_sound else "", "application/sdp" if with_sound else "")
