"""Parameters of the video terminal, 0x0075 to 0x007C (JT/T 1078-2016, 5.2)."""

from __future__ import annotations

from jilink.protocols.jt808.bits import VIDEO_ALARMS
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import AnyKind, Bcd, Flags, Number
from jilink.protocols.wire.records import Nested, Record

ENCODINGS = {0: "constant bit rate", 1: "variable bit rate", 2: "average bit rate"}
RESOLUTIONS = {0: "QCIF", 1: "CIF", 2: "WCIF", 3: "D1", 4: "WD1", 5: "720P", 6: "1080P"}


class Streams(Record):
    """How the live and the stored stream are coded."""

    live_encoding = Number(">u1", "live: bit rate", choices=ENCODINGS)
    live_resolution = Number(">u1", "live: size of the picture", choices=RESOLUTIONS)
    live_key_interval = Number(">u2", "live: frames between key frames", typical=(1, 1000))
    live_frame_rate = Number(">u1", "live: frames", unit="1/s", typical=(1, 120))
    live_bit_rate = Number(">u4", "live: target", unit="kbit/s", typical=(100, 8000))
    stored_encoding = Number(">u1", "stored: bit rate", choices=ENCODINGS)
    stored_resolution = Number(">u1", "stored: size of the picture", choices=RESOLUTIONS)
    stored_key_interval = Number(">u2", "stored: frames between key frames", typical=(1, 1000))
    stored_frame_rate = Number(">u1", "stored: frames", unit="1/s", typical=(1, 120))
    stored_bit_rate = Number(">u4", "stored: target", unit="kbit/s", typical=(100, 8000))
    overlay = Flags(
        ">u2",
        {0: "time", 1: "plate", 2: "channel", 3: "position", 4: "recorder_speed", 5: "gnss_speed", 6: "driving_time"},
        "words laid over the picture",
    )


class VideoStreams(Streams):
    """The same for every channel, and sound."""

    audio_output = Number(">u1", "sound", choices={0: "off", 1: "on"})


class ChannelStreams(Streams):
    """The same for one channel."""

    channel = Number(">u1", "logical", typical=(1, 8))
    order = ("channel", *Streams.fields())


class Channel(Record):
    """One channel."""

    physical = Number(">u1", "number of the socket", typical=(1, 8))
    logical = Number(">u1", "number people use (JT/T 1076-2016)", typical=(1, 8))
    type = Number(">u1", "what it carries", choices={0: "sound and picture", 1: "sound", 2: "picture"})
    gimbal = Number(">u1", "motor attached", choices={0: "no", 1: "yes"})


class Channels(Record):
    """The channels there are."""

    both = Number(">u1", "channels with sound and picture", typical=(0, 8))
    audio = Number(">u1", "channels with sound", typical=(0, 2))
    video = Number(">u1", "channels with picture", typical=(0, 8))
    channels = Repeat(Nested(Channel), "one after another")


class ChannelList(Record):
    """Streams of each channel."""

    channels = Repeat(Nested(ChannelStreams), "one after another", count=">u1")


class SpecialRecording(Record):
    """Recording around an alarm."""

    storage = Number(">u1", "share of the storage kept for it", unit="%", typical=(0, 99))
    duration = Number(">u1", "longest", unit="min", typical=(1, 30))
    before = Number(">u1", "before the alarm", unit="min", typical=(0, 5))


class Analysis(Record):
    """Analysis of the picture."""

    seats = Number(">u1", "passengers allowed", typical=(1, 60))
    fatigue = Number(">u1", "level that is an alarm", unit="%", typical=(0, 100))


class WakeTime(Record):
    """One period of a day."""

    wake = Bcd(2, "hhmm")
    sleep = Bcd(2, "hhmm")


class Wake(Record):
    """What wakes the terminal."""

    mode = Flags(">u1", {0: "by_condition", 1: "by_time", 2: "by_hand"}, "ways")
    condition = Flags(">u1", {0: "emergency", 1: "collision", 2: "door"}, "conditions")
    days = Flags(">u1", dict(enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))), "days by time")
    periods = Flags(">u1", {0: "period1", 1: "period2", 2: "period3", 3: "period4"}, "periods in use")
    first = Nested(WakeTime, "period 1")
    second = Nested(WakeTime, "period 2")
    third = Nested(WakeTime, "period 3")
    fourth = Nested(WakeTime, "period 4")


VIDEO_PARAMETERS: dict[int, tuple[AnyKind, ...]] = {
    0x0075: (Nested(VideoStreams, "streams of every channel", name="video_streams"),),
    0x0076: (Nested(Channels, "channels", name="video_channels"),),
    0x0077: (Nested(ChannelList, "streams of each channel", name="video_channel_streams"),),
    0x0079: (Nested(SpecialRecording, "recording around an alarm", name="special_recording"),),
    0x007A: (Flags(">u4", VIDEO_ALARMS, "video alarms that are not raised", name="video_alarm_muted"),),
    0x007B: (Nested(Analysis, "analysis of the picture", name="picture_analysis"),),
    0x007C: (Nested(Wake, "waking", name="video_wake"),),
}
