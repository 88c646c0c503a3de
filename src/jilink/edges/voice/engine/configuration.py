"""The engine's configuration, written anew at every start from the settings. Phones and trunks are not in it: `edges.voice.phones`.

Modules, directories and the traps among them were found by running Asterisk 22.10; its documentation names none of them in one place.
"""

import os
from pathlib import Path

from jilink.edges.voice.ari import APPLICATION
from jilink.edges.voice.engine import certificates, places, sounds
from jilink.edges.voice.engine.places import Programs
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings, addresses

REALM = "jilink"
NOTE = "Written at every start of the process `engine`; edit the settings (JILINK_VOICE_...) instead."

MODULES = """
res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb res_http_websocket res_websocket_client res_crypto
res_stasis res_stasis_answer res_stasis_playback res_stasis_recording res_stasis_snoop res_stasis_device_state res_ari_model
res_ari res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_device_states res_ari_endpoints
res_ari_events res_ari_playbacks res_ari_recordings res_ari_sounds res_rtp_asterisk res_srtp res_musiconhold bridge_simple
bridge_softmix bridge_holding bridge_native_rtp bridge_builtin_features bridge_builtin_interval_features chan_bridge_media
res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest
res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_registrar res_pjsip_sdp_rtp res_pjsip_caller_id
res_pjsip_nat res_pjsip_dtmf_info res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs res_pjsip_transport_websocket
res_pjsip_path res_pjsip_outbound_registration res_pjsip_dlg_options chan_pjsip codec_ulaw codec_alaw codec_a_mu codec_resample
codec_g722 codec_gsm codec_opus_open_source format_pcm format_wav format_sln pbx_config app_stasis app_playback app_verbose
app_senddtmf app_mixmonitor func_callerid func_channel func_logic func_math
"""

_MAIN = """\
; {note}
[directories]
astetcdir => {etc}
astmoddir => {modules}
astvarlibdir => {share}
astdbdir => {var}
astkeydir => {var}
astdatadir => {var}
astagidir => {var}
astspooldir => {spool}
astrundir => {run}
astlogdir => {log}
astsbindir => {var}
[options]
systemname = {node}
maxfiles = 65536
documentation_language = en_US
hideconnect = yes
"""

_ARI = """\
; {note}
[general]
enabled = yes
pretty = no
websocket_write_timeout = 500
[{user}]
type = user
read_only = no
password = {secret}
"""

_MANAGER = """\
; {note}
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {manager}
[{user}]
secret = {secret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = no
write = call,system
"""

_HTTP = """\
; {note}
[general]
enabled = yes
enable_static = no
enable_status = no
bindaddr = 127.0.0.1
bindport = {http}
sessionlimit = 2000
session_keep_alive = 20000
{tls}[/ari]
type = restriction
deny = 0.0.0.0/0
permit = 127.0.0.1
"""

_TLS = """\
tlsenable = yes
tlsbindaddr = {wss}
tlscertfile = {certificate}
tlsdisablev1 = yes
tlsdisablev11 = yes
"""

_SORCERY = """\
; Endpoints live in memory alone and are pushed by the process `voice`.
[res_pjsip]
endpoint = memory
auth = memory
aor = memory
[res_pjsip_endpoint_identifier_ip]
identify = memory
[res_pjsip_outbound_registration]
registration = memory
"""

_CONTEXT = """\
[{context}]
exten => {pattern},1,Set(TRIES=0)
 same => n,Ringing()
 same => n(try),Stasis({application},arrived)
 same => n,GotoIf($["${{STASISSTATUS}}" != "FAILED"]?over)
 same => n,Set(TRIES=$[${{TRIES}} + 1])
 same => n,Wait(1)
 same => n,GotoIf($[${{TRIES}} < {tries}]?try)
 same => n,Answer()
 same => n,Wait(0.3)
 same => n,Playback({busy})
 same => n(over),Hangup()
"""
CONTEXTS = (("phones", "_[+*#0-9a-zA-Z]!"), ("trunks", "_[+*#0-9a-zA-Z]!"), ("trunks", "s"))

_RTP = """\
; {note}
[general]
rtpstart = {first}
rtpend = {last}
icesupport = yes
strictrtp = yes
"""

_MUSIC = """\
; {note}
[default]
mode = files
directory = {music}
"""

_TONES = """\
; {note}
[general]
country = cn
[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
callwaiting = 450/400,0/4000
dialrecall = 450
record = 950/400,0/10000
info = 450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400
stutter = 450+425
"""
"""National tones (GB/T 3380)."""
EMPTY = ("acl", "ccss", "features", "pjproject", "udptl", "websocket_client")

_LOGGER = """\
; {note}
[general]
dateformat = %F %T
[logfiles]
console => warning,error
"""
TRIES = 20
"""Seconds that a caller hears ringing while the process `voice` is away, before the busy announcement."""


class ConfigurationRefused(Refused):
    """The settings cannot be written into the engine's configuration."""


def write(settings: Settings, programs: Programs, *, node: str) -> Path:
    """Write every file, and return the path of asterisk.conf. Raises ConfigurationRefused, SpeechFailed."""
    base = places.folder(settings) / "engine"
    if any(character in str(base) for character in ";,\n\\ "):
        raise ConfigurationRefused(f"the engine cannot work below {base}: choose a data folder without blanks, commas and semicolons")
    for name in ("etc", "var/keys", "spool/recording", "spool/monitor", "run", "log", "music"):
        (base / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    documentation = base / "var/documentation"  # without it Stasis does not start
    documentation.unlink(missing_ok=True)
    documentation.symlink_to(programs.root / "usr/share/asterisk/documentation")
    sounds.prepare(base, programs)
    values = {
        "note": NOTE,
        "tls": "",
        "application": APPLICATION,
        "node": node,
        "user": places.USER,
        "secret": places.secret(settings),
        "http": settings.voice_http_port,
        "manager": settings.voice_manager_port,
        "modules": programs.modules,
        "share": programs.root / "usr/share/asterisk",
        "busy": base / "busy",
        "tries": TRIES,
        "music": base / "music",
        **{name: base / name for name in ("etc", "var", "spool", "run", "log")},
        **_ports(settings),
    }
    files = {
        "asterisk.conf": _MAIN,
        "ari.conf": _ARI,
        "manager.conf": _MANAGER,
        "http.conf": _HTTP,
        "sorcery.conf": _SORCERY,
        "indications.conf": _TONES,
        "rtp.conf": _RTP,
        "musiconhold.conf": _MUSIC,
        "logger.conf": _LOGGER,
    }
    if settings.voice_wss:
        tls = {"wss": settings.voice_wss, "certificate": certificates.find(settings)}
        values["tls"] = _TLS.format(**tls)
    for name, text in files.items():
        _private(base / "etc" / name, text.format(**values))
    contexts = "".join(_CONTEXT.format(**values, context=context, pattern=pattern) for context, pattern in CONTEXTS)
    _private(base / "etc/extensions.conf", f"; {NOTE}\n[general]\nstatic = yes\nwriteprotect = yes\n{contexts}")
    for name in EMPTY:
        _private(base / "etc" / f"{name}.conf", f"; {NOTE}\n" + ("" if name == "acl" else "[general]\n"))
    for name in ("cdr", "cel"):
        _private(base / "etc" / f"{name}.conf", f"; {NOTE}\n[general]\nenable = no\n")
    _private(base / "etc/pjsip.conf", _pjsip(settings))
    loads = "".join(f"load = {module}.so\n" for module in MODULES.split())
    _private(base / "etc/modules.conf", f"; {NOTE}\n[modules]\nautoload = no\n{loads}")
    return base / "etc/asterisk.conf"


def sip(settings: Settings) -> list[tuple[str, int]]:
    """Return the addresses that phones and trunks speak SIP to, over UDP and TCP."""
    return addresses(settings.voice_sip)


def _ports(settings: Settings) -> dict[str, int]:
    first, _, last = settings.voice_rtp.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) < int(last) <= 65535):
        raise ConfigurationRefused("JILINK_VOICE_RTP must be like 20000-24000, not %(given)r", given=settings.voice_rtp)
    return {"first": int(first) + int(first) % 2, "last": int(last)}


def _pjsip(settings: Settings) -> str:
    lines = [
        f"; {NOTE}",
        "[global]",
        "type = global",
        "user_agent = Jilink",
        f"default_realm = {REALM}",
        "endpoint_identifier_order = username,ip",
        "max_initial_qualify_time = 0",
        "[system]",
        "type = system",
    ]
    for number, (host, port) in enumerate(sip(settings)):
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        for protocol in ("udp", "tcp"):
            lines += [f"[{protocol}{number or ''}]", "type = transport", f"protocol = {protocol}", f"bind = {bind}"]
            if settings.voice_external:
                outside = settings.voice_external
                lines += [f"external_media_address = {outside}", f"external_signaling_address = {outside}"]
                lines += [f"local_net = {network}" for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    for protocol in ("ws", "wss"):
        lines += [f"[{protocol}]", "type = transport", f"protocol = {protocol}", "bind = 127.0.0.1"]
    return "\n".join([*lines, ""])


def _private(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
