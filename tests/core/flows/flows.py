"""Flows for tests, and scripts that play them."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.conditions import Given, Hours, Is, Known, Words
from jilink.core.flows.rules.words import Prompt
from jilink.kernel.texts import Text

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def words(zh: str, en: str = "") -> Prompt:
    return Prompt(words={"zh": zh, "en": en or zh})


MENU = d.Flow(
    label=Text("热线", "Hotline"),
    languages=("zh", "en"),
    longest_minutes=30,
    shortcuts=(d.Shortcut(words=("人工", "agent"), to="people"),),
    steps=(
        d.Say(key="hello", prompt=words("您好。", "Hello."), next="menu"),
        d.AskDigits(
            key="menu",
            prompt=words("查询请按一，人工请按二。", "For your case press 1, for a person 2."),
            again=words("没有听清。", "Sorry."),
            allowed=("1", "2"),
            words={"1": "查询 case"},
            tries=2,
            next="which",
            none="bye",
            invalid="bye",
        ),
        d.Branch(key="which", arms=(d.Arm(on="choice", test=Is(("1",)), to="number"),), otherwise="open"),
        d.AskDigits(key="number", prompt=words("请输入编号。"), save="number", least=10, most=10, next="look", none="bye", invalid="bye"),
        d.LookUpCase(key="look", found="tell", unknown="sorry", misread="sorry"),
        d.Say(key="tell", prompt=words("{case.number:digits}：{case.stage}", "{case.number:digits}: {case.stage}"), next="bye"),
        d.Say(key="sorry", prompt=words("没有这个编号。", "No such case."), next="menu"),
        d.Branch(key="open", arms=(d.Arm(test=Hours("china"), to="people"),), otherwise="message"),
        d.Queue(
            key="people", queue="hotline", skills=("lang.{language}",), longest_s=300, waited="message", full="message", closed="message"
        ),
        d.Voicemail(
            key="message",
            prompt=words("请留言。", "Leave a message."),
            type="hotline",
            title="留言 {caller}",
            recorded="bye",
            none="bye",
            refused="bye",
        ),
        d.Say(key="bye", prompt=words("再见。", "Goodbye."), next="end"),
    ),
)


def waiting(effects: tuple[e.AnyEffect, ...]) -> e.AnyEffect:
    return effects[-1]


def said(effects: tuple[e.AnyEffect, ...]) -> list[str]:
    return [piece.text for effect in effects for piece in getattr(effect, "pieces", ())]


@st.composite
def faultless(draw: st.DrawFn) -> d.Flow:
    """A flow that may go anywhere forward at once, and back only after a wait."""
    count = draw(st.integers(1, 8))
    keys = [f"s{number}" for number in range(count)]
    steps: list[d.AnyStep] = []
    for number, key in enumerate(keys):
        following = keys[number + 1] if number + 1 < count else d.END
        forward = st.sampled_from([*keys[number + 1 :], d.END])
        anywhere = st.sampled_from([*keys, d.END])
        steps.append(draw(_step(key, following, forward, anywhere)))
    return d.Flow(label=Text("x", "x"), languages=("zh",), steps=tuple(steps), inputs=("given",), longest_minutes=draw(st.integers(1, 600)))


@st.composite
def _step(draw: st.DrawFn, key: str, following: str, forward: st.SearchStrategy[str], anywhere: st.SearchStrategy[str]) -> d.AnyStep:
    prompt = Prompt(words={"zh": "请说 {given:digits}"})
    tries = draw(st.integers(1, 3))
    some = st.builds(
        lambda test, to: d.Arm(on="given", test=test, to=to),
        st.sampled_from([Given(), Hours("china"), Known(), Words(words=("好",))]),
        forward,
    )
    makers = {
        "say": lambda: d.Say(key=key, prompt=prompt, next=following),
        "digits": lambda: d.AskDigits(key=key, prompt=prompt, tries=tries, next=following, none=draw(anywhere), invalid=draw(anywhere)),
        "text": lambda: d.AskText(
            key=key, prompt=prompt, wants="amount", tries=tries, next=following, none=draw(anywhere), invalid=draw(anywhere)
        ),
        "speech": lambda: d.AskSpeech(key=key, prompt=prompt, next=following, none=draw(forward)),
        "branch": lambda: d.Branch(key=key, arms=tuple(draw(st.lists(some, min_size=1, max_size=3))), otherwise=following),
        "set": lambda: d.SetVariable(key=key, name="kept", value="{given}", next=following),
        "look": lambda: d.LookUpCase(key=key, number="{given}", found=draw(forward), unknown=following, misread=draw(forward)),
        "queue": lambda: d.Queue(
            key=key,
            queue="q",
            leave_on="9",
            served=draw(anywhere),
            waited=draw(anywhere),
            full=following,
            closed=draw(forward),
            left=draw(anywhere),
        ),
        "message": lambda: d.Voicemail(
            key=key, prompt=prompt, type="t", title="x", recorded=draw(anywhere), none=following, refused=draw(forward)
        ),
        "hook": lambda: d.Webhook(key=key, hook="h", takes={"given": "a"}, answered=draw(forward), failed=following),
        "transfer": lambda: d.Transfer(key=key, target="12345", done=draw(anywhere), failed=following),
        "wait": lambda: d.Wait(key=key, seconds=draw(st.integers(1, 3600)), next=following),
    }
    return makers[draw(st.sampled_from(sorted(makers)))]()


def happenings(turn: int) -> st.SearchStrategy[e.AnyHappening]:
    """Anything that can be told about a turn, fitting or not."""
    digits = st.text("0123456789*#", max_size=11)
    outcomes = ["waited", "full", "closed", "left", "failed", "booked", "refused", "unknown", "nonsense"]
    return st.one_of(
        st.builds(e.Pressed, turn=st.just(turn), digits=digits),
        st.builds(e.Wrote, turn=st.just(turn), text=st.sampled_from(["", "好", "一百二", "3810249674", "人工"])),
        st.builds(e.Spoke, turn=st.just(turn), recording=st.sampled_from(["", "r1"]), seconds=st.sampled_from([0.2, 5.0])),
        st.just(e.Silent(turn=turn)),
        st.just(e.Connected(turn=turn)),
        st.just(e.Parted(turn=turn)),
        st.builds(e.Came, turn=st.just(turn), outcome=st.sampled_from(outcomes)),
        st.just(e.HookAnswered(turn=turn, values={"given": "x", "other": "y"})),
        st.just(e.Silent(turn=turn - 1)),
    )


def inside(effect: e.AnyEffect, state: object) -> e.AnyHappening:
    """What the installation answers in these tests: working time, no case, a new case."""
    match effect:
        case e.AskHours(turn=turn, calendars=calendars):
            return e.HoursAre(turn=turn, open=dict.fromkeys(calendars, True))
        case e.MakeCase(turn=turn):
            return e.CaseMade(turn=turn, number="3810249674")
    return e.Came(turn=effect.turn, outcome="unknown")
