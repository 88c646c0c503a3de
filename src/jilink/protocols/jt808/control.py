"""Control, texts, events, questions, telephone and vehicle control (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.position import PositionBody, PositionBody2013
from jilink.protocols.wire.groups import Repeat, Switch, When, nonzero
from jilink.protocols.wire.joined import Joined
from jilink.protocols.wire.kinds import Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record

COMMANDS_2013 = {
    1: "wireless upgrade",
    2: "connect to server",
    3: "power off",
    4: "reset",
    5: "factory reset",
    6: "close data link",
    7: "close radio",
}
VENDOR_COMMANDS = {0x64: "vendor fuel cut", 0x65: "vendor fuel resume", 0xF0: "vendor fuel cut", 0xF1: "vendor fuel resume"}

UPGRADE_PARTS = (
    "url",
    "apn",
    "user",
    "password",
    "address",
    "tcp_port",
    "udp_port",
    "maker",
    "hardware",
    "firmware",
    "time_limit",
)
CONNECT_PARTS = ("control", "token", "apn", "user", "password", "address", "tcp_port", "udp_port", "time_limit")


class TerminalControl2013(Message, id=0x8105, years=(2011, 2013)):
    """Control the terminal (JT/T 808-2013, 8.13). Parameters are joined by `;`; an empty one stays as it is."""

    command = Number(">u1", "what to do", choices=COMMANDS_2013 | VENDOR_COMMANDS)
    parameters = Switch(
        "command",
        {
            1: Joined(UPGRADE_PARTS, "where the package lies", samples=(("ftp://192.0.2.10/a.bin", "cmnet", "", "", "192.0.2.10", "21"),)),
            2: Joined(CONNECT_PARTS, "where to connect", samples=(("0", "code", "cmnet", "", "", "192.0.2.10", "7611", "", "30"), ("1",))),
        },
        Text("of the command", samples=("",)),
    )


class TerminalControl(TerminalControl2013, years=(2019,)):
    """Control the terminal (JT/T 808-2019, clause 8). Commands 1, 3, 6 and 7 are gone."""

    command = Number(">u1", "what to do", choices={n: COMMANDS_2013[n] for n in (2, 4, 5)} | VENDOR_COMMANDS)


TEXTS = ("前方雨雪，请减速慢行", "请到服务区休息", "SLOW DOWN")


class TextMessage2013(Message, id=0x8300, years=(2011, 2013)):
    """Text to the terminal (JT/T 808-2013, 8.23)."""

    flag = Flags(">u1", {0: "urgent", 2: "display", 3: "speak", 4: "advertising_screen", 5: "can_code"}, "how to show it")
    text = Text("at most 1024 bytes", samples=TEXTS)


class TextMessage(Message, id=0x8300, years=(2019,)):
    """Text to the terminal (JT/T 808-2019, clause 8). Bit 5 clear means navigation, set a CAN fault code."""

    flag = Flags(
        ">u1",
        {2: "display", 3: "speak", 5: "can_code"},
        "how to show it",
        parts={"kind": (0, 2, {1: "service", 2: "urgent", 3: "notice"})},
    )
    type = Number(">u1", "what it is", choices={1: "notice", 2: "service"})
    text = Text("at most 1024 bytes", samples=TEXTS)


class Event(Record):
    """One event of the driver's menu."""

    event = Number(">u1", "its id")
    content = Text("its words", length=">u1", samples=("装货", "卸货", "休息"))


class EventSetting(Message, id=0x8301, years=(2011, 2013)):
    """Set the driver's menu of events (JT/T 808-2013, 8.24). Dropped in 2019."""

    operation = Number(">u1", "how", choices={0: "delete all", 1: "update", 2: "append", 3: "modify", 4: "delete some"})
    events = When(Repeat(Nested(Event), "of the menu", count=">u1"), nonzero("operation"), when="operation is not 0")


class EventReport(Message, id=0x0301, years=(2011, 2013)):
    """The driver chose an event (JT/T 808-2013, 8.25). Dropped in 2019."""

    event = Number(">u1", "its id")


class Answer(Record):
    """One answer the driver may choose."""

    answer = Number(">u1", "its id")
    content = Text("its words", length=">u2", samples=("是", "否"))


class Question(Message, id=0x8302, years=(2011, 2013)):
    """Ask the driver (JT/T 808-2013, 8.26). Dropped in 2019."""

    flag = Flags(">u1", {0: "urgent", 3: "speak", 4: "advertising_screen"}, "how to show it")
    question = Text("its words", length=">u1", samples=("是否继续行驶",))
    answers = Repeat(Nested(Answer), "to choose from")


class QuestionAnswer(Message, id=0x0302, years=(2011, 2013)):
    """The driver's answer (JT/T 808-2013, 8.27). Dropped in 2019."""

    reply_serial = Number(">u2", "serial of the question")
    answer = Number(">u1", "its id")


class InformationItem(Record):
    """One item of the information menu."""

    type = Number(">u1", "its id")
    name = Text("its words", length=">u2", samples=("天气", "路况"))


class InformationMenu(Message, id=0x8303, years=(2011, 2013)):
    """Set the information menu (JT/T 808-2013, 8.28). Dropped in 2019."""

    operation = Number(">u1", "how", choices={0: "delete all", 1: "update", 2: "append", 3: "modify"})
    items_offered = When(Repeat(Nested(InformationItem), "of the menu", count=">u1"), nonzero("operation"), when="operation is not 0")


class InformationOrder(Message, id=0x0303, years=(2011, 2013)):
    """Order or cancel information (JT/T 808-2013, 8.29). Dropped in 2019."""

    type = Number(">u1", "of the information")
    order_flag = Number(">u1", "which", choices={0: "cancel", 1: "order"})


class Information(Message, id=0x8304, years=(2011, 2013)):
    """Information service (JT/T 808-2013, 8.30). Dropped in 2019."""

    type = Number(">u1", "of the information")
    content = Text("its words", length=">u2", samples=("今日晴，最高气温8度",))


class CallBack(Message, id=0x8400):
    """Make the terminal call a number (JT/T 808-2013, 8.31, and 2019)."""

    flag = Number(">u1", "how", choices={0: "normal call", 1: "listen in"})
    phone = Text("at most 20 bytes", samples=("043112345678",))


class Contact(Record):
    """One entry of the phone book."""

    flag = Number(">u1", "ways allowed", choices={1: "incoming", 2: "outgoing", 3: "both"})
    phone = Text("number", length=">u1", samples=("043112345678",))
    name = Text("whose", length=">u1", samples=("调度",))


class PhoneBook(Message, id=0x8401):
    """Set the phone book (JT/T 808-2013, 8.32, and 2019)."""

    operation = Number(">u1", "how", choices={0: "delete all", 1: "replace", 2: "append", 3: "modify"})
    contacts = When(Repeat(Nested(Contact), "of the book", count=">u1"))


class VehicleControl2013(Message, id=0x8500, years=(2011, 2013)):
    """Lock or unlock the doors (JT/T 808-2013, 8.33): bit 0 set locks."""

    flag = Flags(">u1", {0: "lock"}, "what to do")


class Control(Record):
    """One thing to control. The sense of doors is the inverse of 2013's: 0 locks, 1 opens."""

    type = Number(">u2", "what is controlled", choices={1: "doors"})
    parameter = Switch("type", {1: Number(">u1", "what to do", choices={0: "close and lock", 1: "open"})})


class VehicleControl(Message, id=0x8500, years=(2019,)):
    """Control the vehicle (JT/T 808-2019, clause 8). Vendors' types are F001 to FFFF. One code base leaves the count out: wrong."""

    controls = Repeat(Nested(Control), "one after another", count=">u2")


class VehicleControlUncounted(VehicleControl, years=(2019,), variant="no count"):
    """Control the vehicle without the count of controls, as one code base writes it."""

    controls = Repeat(Nested(Control), "one after another", most=1)


class VehicleControlAnswer(Message, id=0x0500, years=(2019,)):
    """Answer to vehicle control (JT/T 808-2019, clause 8)."""

    reply_serial = Number(">u2", "serial of the control")
    position = Nested(PositionBody, "where it is, with the new status")


class VehicleControlAnswer2013(VehicleControlAnswer, years=(2011, 2013)):
    """Answer to vehicle control (JT/T 808-2013, 8.34)."""

    position = Nested(PositionBody2013, "where it is, with the new status")
