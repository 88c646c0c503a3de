"""Which unit a case goes to, and why: asked at dispatch where the dispatcher names none."""

from jilink.core.cases.assignment.deciding import Decision, Situation, decide

__all__ = ["Decision", "Situation", "decide"]
