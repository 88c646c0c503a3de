"""Pretend telephones for the bench: agents who register and pick up at once, and callers of a carrier, by sipp (Debian's sip-tester).

Agents send back the sound they hear. Callers send a tone all the time, so that both sides of a recording hold sound.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jilink.site.bench.figures import NotMeasured
from jilink.site.bench.rig import RigFailed

CARRIER, FLOOR = "127.0.0.2", "127.0.0.3"
"""Where the callers come from, and where the agents' telephones are."""
PLAIN, RECORDED = "95001", "95002"
"""Numbers of a queue that records nothing and of one that records all."""
REGISTERED_WITHIN_S = 60
ENDED_WITHIN_S = 120
_TERMINAL = {"TERM": "xterm"}

_REGISTER = """<?xml version="1.0"?><scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 3600
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
[field1]
Expires: 3600
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""
_AGENT = """<?xml version="1.0"?><scenario name="agent">
<recv request="INVITE" crlf="true"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]a[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]a[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=agent 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000

]]></send>
<recv request="ACK" crlf="true"/>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""
_CALLER = """<?xml version="1.0"?><scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1390431[call_number]@[local_ip]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
Allow: INVITE, ACK, BYE, CANCEL, UPDATE
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000

]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1390431[call_number]@[local_ip]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
SOUND
<pause/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1390431[call_number]@[local_ip]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


class Telephones:
    """All telephones of a measurement, at an engine's address, with their files in a folder."""

    def __init__(self, folder: Path, engine: str, ports: Iterator[int]) -> None:
        if shutil.which("sipp") is None:
            raise NotMeasured("sipp is missing; as root run: apt-get install sip-tester")
        self._folder, self._engine, self._ports = folder, engine, ports
        self._tone = folder / "tone.ulaw"
        self._tone.write_bytes((b"\x9f" * 9 + b"\x1f" * 9) * 900)  # two seconds of 444 Hz, mu-law at 8 kHz (ITU-T G.711)

    @contextmanager
    def agents(self, logins: Sequence[tuple[str, str]]) -> Iterator[None]:
        """Register these (user, password) and pick up whatever rings there. Raises RigFailed."""
        port = next(self._ports)
        lines = [f"{user};[authentication username={user} password={password}]" for user, password in logins]
        (self._folder / "agents.csv").write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n")
        # both from one port: an engine calls a telephone back where its registration came from
        options = ("-inf", "agents.csv", "-m", str(len(logins)), "-r", "50", "-l", "50")
        status = self._start(self._command("register", _REGISTER, FLOOR, port, *options)).wait(REGISTERED_WITHIN_S)
        if status:
            raise RigFailed(f"the agents' telephones could not register: sipp ended with status {status}")
        process = self._start(self._command("agent", _AGENT, FLOOR, port, "-rtp_echo", "-aa", "-mp", str(next(self._ports))))
        try:
            yield
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def callers(
        self, number: str, *, rate: int, at_once: int, calls: int, seconds: float, sound: bool
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Let so many call, each for so long once they are answered; yields sipp's process, whose status 0 says that all went well."""
        scenario = _CALLER.replace("SOUND", "")
        if sound:
            stream = f'<nop><action><exec rtp_stream="{self._tone},-1,0,PCMU/8000"/></action></nop>'
            scenario = _CALLER.replace("SOUND", stream).replace("[media_port]", "[rtpstream_audio_port]")
        first = next(self._ports)
        rates = ("-r", str(rate), "-l", str(at_once), "-m", str(calls), "-d", str(round(seconds * 1000)))
        media = ("-min_rtp_port", str(first), "-max_rtp_port", str(first + 4 * at_once)) if sound else ("-mp", str(first))
        options = (*rates, *media, "-aa", "-s", number, "-timeout", str(ENDED_WITHIN_S))
        command = self._command("caller", scenario, CARRIER, next(self._ports), *options)
        process = self._start(command)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _command(self, name: str, scenario: str, address: str, port: int, *options: str) -> list[str]:
        path = self._folder / f"{name}.xml"
        path.write_text(scenario)
        return ["sipp", "-sf", str(path), "-i", address, "-p", str(port), "-nostdin", *options, self._engine]

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self._folder, stdin=quiet, stdout=quiet, stderr=quiet, env=os.environ | _TERMINAL)
