"""Tables of the contact centre. What operators design is JSON text that only `rules` reads."""

from jilink.services.contact.models.agents import Agent, Phone, Spell
from jilink.services.contact.models.billing import Billed, Statement, Tariff
from jilink.services.contact.models.campaigns import Attempt, Campaign, DoNotCall, Target
from jilink.services.contact.models.contacts import Contact, Fact
from jilink.services.contact.models.planning import Correction, PlanningRule, Shift, ShiftPattern, ShiftPlan, WorkTerms
from jilink.services.contact.models.quality import Calibration, CardVersion, Evaluation, Sample, SamplingPlan, ScoreCard
from jilink.services.contact.models.queues import Number, Queue
from jilink.services.contact.models.recordings import Keeping, Recording, Satisfaction
from jilink.services.contact.models.sides import Side
from jilink.services.contact.models.trunks import Trunk
from jilink.services.contact.models.written import Capacity, CaseFeed, ChatSite, Conversation, Message

__all__ = [
    "Agent",
    "Attempt",
    "Billed",
    "Calibration",
    "Campaign",
    "Capacity",
    "CardVersion",
    "CaseFeed",
    "ChatSite",
    "Contact",
    "Conversation",
    "Correction",
    "DoNotCall",
    "Evaluation",
    "Fact",
    "Keeping",
    "Message",
    "Number",
    "Phone",
    "PlanningRule",
    "Queue",
    "Recording",
    "Sample",
    "SamplingPlan",
    "Satisfaction",
    "ScoreCard",
    "Shift",
    "ShiftPattern",
    "ShiftPlan",
    "Side",
    "Spell",
    "Statement",
    "Target",
    "Tariff",
    "Trunk",
    "WorkTerms",
]
