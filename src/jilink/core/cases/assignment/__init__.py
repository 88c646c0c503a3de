"""Which unit a case goes to, and why: asked at dispatch where the dispatcher names none."""

from jilink.core.cases.assignment.deciding import Decision, Situation, decide, situation_of_row

__all__ = ["Decision", "Situation", "decide", "situation_of_row"]
