"""Tables of the contact centre. What operators design is JSON text that only `rules` reads."""

from jilink.services.contact.models.agents import Agent, Phone, Spell
from jilink.services.contact.models.campaigns import Attempt, Campaign, DoNotCall, Target
from jilink.services.contact.models.contacts import Contact, Fact
from jilink.services.contact.models.queues import Number, Queue
from jilink.services.contact.models.trunks import Trunk
from jilink.services.contact.models.written import Capacity, CaseFeed, ChatSite, Conversation, Message

__all__ = [
    "Agent",
    "Attempt",
    "Campaign",
    "Capacity",
    "CaseFeed",
    "ChatSite",
    "Contact",
    "Conversation",
    "DoNotCall",
    "Fact",
    "Message",
    "Number",
    "Phone",
    "Queue",
    "Spell",
    "Target",
    "Trunk",
]
