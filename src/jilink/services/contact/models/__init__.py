"""Tables of the contact centre. What operators design is JSON text that only `rules` reads."""

from jilink.services.contact.models.agents import Agent, Phone, Spell
from jilink.services.contact.models.campaigns import Attempt, Campaign, DoNotCall, Target
from jilink.services.contact.models.contacts import Contact, Fact
from jilink.services.contact.models.quality import Calibration, CardVersion, Evaluation, Sample, SamplingPlan, ScoreCard
from jilink.services.contact.models.queues import Number, Queue
from jilink.services.contact.models.recordings import Keeping, Recording, Satisfaction
from jilink.services.contact.models.sides import Side
from jilink.services.contact.models.trunks import Trunk
from jilink.services.contact.models.written import Capacity, CaseFeed, ChatSite, Conversation, Message

__all__ = [
    "Agent",
    "Attempt",
    "Calibration",
    "Campaign",
    "Capacity",
    "CardVersion",
    "CaseFeed",
    "ChatSite",
    "Contact",
    "Conversation",
    "DoNotCall",
    "Evaluation",
    "Fact",
    "Keeping",
    "Message",
    "Number",
    "Phone",
    "Queue",
    "Recording",
    "Sample",
    "SamplingPlan",
    "Satisfaction",
    "ScoreCard",
    "Side",
    "Spell",
    "Target",
    "Trunk",
]
