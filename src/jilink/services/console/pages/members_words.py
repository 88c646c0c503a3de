"""Roles, reaches and permissions in words, for pages that give them and pages that tell of them."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.core.parties.rules import Permission as P
from jilink.core.parties.rules import Role, Scope

ROLE_WORDS: dict[Role, Promise] = {
    Role.OPERATOR: _("Operator"),
    Role.OWNER: _("Owner"),
    Role.SUPERVISOR: _("Supervisor"),
    Role.DISPATCHER: _("Dispatcher"),
    Role.AGENT: _("Agent"),
    Role.FIELD_WORKER: _("Field worker"),
    Role.EXPERT: _("Expert"),
    Role.ANALYST: _("Analyst"),
    Role.AUDITOR: _("Auditor"),
    Role.SERVICE: _("Service account"),
}

ROLE_MEANS: dict[Role, Promise] = {
    Role.OPERATOR: _("Runs the installation and may do everything."),
    Role.OWNER: _("Everything of the organisation, members, tokens and erasing people included."),
    Role.SUPERVISOR: _("Leads the work: everything but members, tokens, webhooks and erasing people."),
    Role.DISPATCHER: _("Watches vehicles, gives them orders, and opens and assigns cases."),
    Role.AGENT: _("Talks with people and works on their cases."),
    Role.FIELD_WORKER: _("Does what is assigned to them."),
    Role.EXPERT: _("Answers what needs knowledge, and writes it down."),
    Role.ANALYST: _("Reads figures, and sees nothing personal."),
    Role.AUDITOR: _("Reads figures and the audit."),
    Role.SERVICE: _("A program; nothing is revealed to it, and it erases nothing."),
}

SCOPE_WORDS: dict[Scope, Promise] = {
    Scope.OWN: _("What is assigned to them"),
    Scope.TEAM: _("Their teams"),
    Scope.ORGANISATION: _("This organisation"),
    Scope.SUBTREE: _("This organisation and all below it"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions over one kind of thing."""

    title: Promise
    permissions: dict[P, Promise]


GROUPS: tuple[Group, ...] = (
    Group(
        _("Vehicles"),
        {
            P.VIEW_VEHICLES: _("See vehicles on the map and in lists"),
            P.VIEW_TRACKS: _("See where vehicles were"),
            P.VIEW_MEDIA: _("See photos and recordings"),
            P.MANAGE_VEHICLES: _("Add, edit and remove vehicles"),
            P.COMMAND_VEHICLES: _("Give orders to terminals"),
            P.COMMAND_UPGRADES: _("Upgrade and restart terminals"),
            P.ADMIT_TERMINALS: _("Admit unknown terminals"),
            P.READ_FRAMES: _("Read raw messages of terminals"),
            P.REVEAL_CONTACTS: _("Show whole telephone numbers of drivers and terminals"),
        },
    ),
    Group(_("Alarms"), {P.ACKNOWLEDGE_ALARMS: _("Acknowledge alarms"), P.MANAGE_RULES: _("Write alarm rules")}),
    Group(
        _("Cases"),
        {
            P.VIEW_CASES: _("See cases"),
            P.ADD_CASES: _("Open cases"),
            P.WORK_CASES: _("Work on cases"),
            P.ASSIGN_CASES: _("Assign cases"),
            P.APPROVE_CASES: _("Approve extensions and waits"),
            P.VERIFY_CASES: _("Verify what was done"),
            P.CLOSE_CASES: _("Close cases"),
            P.REPORT_CASES: _("See reports"),
            P.MANAGE_CASE_TYPES: _("Design case types"),
        },
    ),
    Group(_("Contacts"), {P.VIEW_INTERACTIONS: _("See calls and messages"), P.ADD_INTERACTIONS: _("Take calls and messages")}),
    Group(
        _("Queues"),
        {
            P.VIEW_QUEUES: _("See queues and their figures"),
            P.MANAGE_QUEUES: _("Set up queues, numbers and phones"),
            P.SERVE_QUEUES: _("Take calls and chats from queues"),
            P.SUPERVISE_QUEUES: _("Supervise agents"),
            P.VIEW_CAMPAIGNS: _("See campaigns"),
            P.MANAGE_CAMPAIGNS: _("Run campaigns and the do-not-call list"),
            P.VIEW_STATEMENTS: _("See monthly statements"),
            P.MANAGE_STATEMENTS: _("Agree on tariffs and issue statements"),
        },
    ),
    Group(
        _("Recordings and quality"),
        {
            P.LISTEN_RECORDINGS: _("Listen to recordings"),
            P.HEAR_OWN_RECORDINGS: _("Listen to recordings of their own calls"),
            P.MANAGE_RECORDINGS: _("Hold recordings and say how long they are kept"),
            P.SCORE_QUALITY: _("Score conversations"),
            P.MANAGE_QUALITY: _("Design score cards, draw samples and decide disputes"),
        },
    ),
    Group(
        _("Flows"),
        {
            P.READ_FLOWS: _("See flows"),
            P.DESIGN_FLOWS: _("Design flows"),
            P.RUN_FLOWS: _("Carry flows out, as a program that has a channel"),
        },
    ),
    Group(
        _("People"),
        {
            P.VIEW_PEOPLE: _("See people, numbers masked"),
            P.MANAGE_PEOPLE: _("Add and edit people"),
            P.REVEAL_PEOPLE: _("Show whole telephone numbers and addresses"),
            P.REVEAL_IDENTITIES: _("Show identity numbers"),
            P.MERGE_PEOPLE: _("Merge duplicates"),
            P.EXPORT_PEOPLE: _("Hand people their data"),
            P.ERASE_PEOPLE: _("Erase people"),
        },
    ),
    Group(
        _("Knowledge"),
        {
            P.READ_KNOWLEDGE: _("Read articles"),
            P.WRITE_KNOWLEDGE: _("Write articles"),
            P.REVIEW_KNOWLEDGE: _("Review articles"),
            P.PUBLISH_KNOWLEDGE: _("Publish articles"),
        },
    ),
    Group(
        _("Areas and assets"),
        {
            P.VIEW_AREAS: _("See areas"),
            P.MANAGE_AREAS: _("Load areas and say who is responsible"),
            P.VIEW_ASSETS: _("See assets"),
            P.MANAGE_ASSETS: _("Add, edit and remove assets"),
        },
    ),
    Group(
        _("Administration"),
        {
            P.VIEW_MEMBERS: _("See members and teams"),
            P.MANAGE_TEAMS: _("Manage teams"),
            P.MANAGE_MEMBERS: _("Manage organisations, members and invitations"),
            P.MANAGE_TOKENS: _("Manage service accounts and tokens"),
            P.MANAGE_WEBHOOKS: _("Manage webhooks"),
            P.READ_AUDIT: _("Read the audit"),
            P.VIEW_OPERATIONS: _("See the health of the installation"),
        },
    ),
)
"""Every permission once; a test fails while one is missing."""


def permission_words() -> dict[P, Promise]:
    """Return the word of every permission."""
    return {permission: word for group in GROUPS for permission, word in group.permissions.items()}
