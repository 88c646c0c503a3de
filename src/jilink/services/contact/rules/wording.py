"""What is said to those who call, in the languages that can be spoken. A queue in another language says it in English."""

from collections.abc import Mapping

from jilink.services.contact.rules.waiting import Entry

_ENTRY: Mapping[Entry, Mapping[str, str]] = {
    Entry.CLOSED: {
        "zh": "您好，现在是非工作时间，请在工作时间再次来电。",
        "en": "Our lines are closed now. Please call again during office hours.",
        "ko": "지금은 업무 시간이 아닙니다. 업무 시간에 다시 전화해 주십시오.",
    },
    Entry.FULL: {
        "zh": "您好，目前排队人数已满，请稍后再次来电。",
        "en": "All places in our queue are taken. Please call again later.",
        "ko": "지금은 대기 인원이 가득 찼습니다. 잠시 후 다시 전화해 주십시오.",
    },
    Entry.UNSTAFFED: {
        "zh": "您好，现在没有坐席在线，请稍后再次来电。",
        "en": "Nobody is there to take your call now. Please call again later.",
        "ko": "지금은 상담원이 없습니다. 잠시 후 다시 전화해 주십시오.",
    },
}
_POSITION = {
    "zh": "您目前排在第{position}位。",
    "en": "You are number {position} in line.",
    "ko": "고객님의 대기 순번은 {position}번입니다.",
}
_WAIT = {
    "zh": "预计等待约{minutes}分钟。",
    "en": "We expect to answer in about {minutes} minutes.",
    "ko": "예상 대기 시간은 약 {minutes}분입니다.",
}


_ABANDONED = {
    "zh": "您好，这里是{who}的来电，现在没有坐席可以与您通话，非常抱歉。如果不希望再接到我们的来电，请按 9。",
    "en": "This is a call from {who}. Nobody is free to speak with you now; we are sorry. To be called no more, press 9.",
    "ko": "{who}에서 드린 전화입니다. 지금은 통화할 상담원이 없습니다. 죄송합니다. 더 이상 전화를 원하지 않으시면 9번을 눌러 주십시오.",
}


def spoken_language(language: str) -> str:
    """Return the language that is spoken for a language tag."""
    short = language.lower().split("-")[0]
    return short if short in _POSITION else "en"


def refusal(entry: Entry, language: str) -> str:
    """Return what is said to somebody whom a queue does not take."""
    return _ENTRY[Entry.FULL if entry is Entry.TOO_LONG else entry][spoken_language(language)]


def place_in_line(position: int, minutes: int | None, language: str) -> str:
    """Return what is said to somebody who waits."""
    short = spoken_language(language)
    words = _POSITION[short].format(position=position)
    return words if minutes is None else f"{words} {_WAIT[short].format(minutes=minutes)}"


_RECORDED = {
    "zh": "为保证服务质量，本次通话将被录音。",
    "en": "This call is recorded.",
    "ko": "서비스 품질을 위해 통화 내용이 녹음됩니다.",
}
_MAY_BE_RECORDED = {
    "zh": "为保证服务质量，本次通话可能被录音。",
    "en": "This call may be recorded.",
    "ko": "서비스 품질을 위해 통화 내용이 녹음될 수 있습니다.",
}


def recorded(language: str, *, certain: bool) -> str:
    """Return what is said before a conversation that is recorded, or may be."""
    return (_RECORDED if certain else _MAY_BE_RECORDED)[spoken_language(language)]


def abandoned(who: str, language: str) -> str:
    """Return what is said to somebody whom a campaign called and for whom no agent is there."""
    return _ABANDONED[spoken_language(language)].format(who=who)
