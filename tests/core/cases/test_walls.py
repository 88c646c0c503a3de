"""Every read and action of cases, asked from behind a wall and by too low a role: refused like what is not there."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from jilink.core.cases import actions, reads
from jilink.core.cases.actions import NewCase, Recipient, StepData
from jilink.core.cases.models import Case, CaseType, Entry, Reply, Request
from jilink.core.cases.rules.workflow import LinkKind, Satisfaction
from jilink.core.cases.shipped import china
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import audit, walls
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import GOOD, MONDAY, Office


def attempts(office: Office, case: int, other: int, by: Actor) -> dict[str, Callable[[], object]]:
    """Return everything that can be asked or done, by the name of what does it."""
    new = NewCase(type="city_fault", title="x", answers=GOOD["city_fault"])
    kind = CaseType.objects.filter(key="hotline").values_list("pk", flat=True)[0]
    reply = Reply.objects.values_list("pk", flat=True)[0]
    request = Request.objects.values_list("pk", flat=True)[0]
    north = office.world.north
    return {
        "open_case": lambda: actions.open_case(organisation=north, new=new, by=by),
        "split_case": lambda: actions.split_case(case=case, parts=[new], by=by),
        "claim_case": lambda: actions.claim_case(case=case, by=by),
        "release_case": lambda: actions.release_case(case=case, by=by),
        "move_case": lambda: actions.move_case(case=case, unit=north, reason="x", by=by),
        "escalate_case": lambda: actions.escalate_case(case=case, reason="x", by=by),
        "unlink_asset": lambda: actions.unlink_asset(case=case, asset=1, by=by),
        "offer_rating": lambda: actions.offer_rating(case=case, by=by),
        "bulk_run": lambda: reads.bulk_run(by, 1),
        "take_step": lambda: actions.take_step(case=case, key="finish", data=StepData(reason="x"), by=by),
        "assign_case": lambda: actions.assign_case(case=case, assignee=office.boss.user, by=by),
        "request_extension": lambda: actions.request_extension(case=case, amount=1, reason="x", by=by),
        "request_return": lambda: actions.request_return(case=case, reason="x", by=by),
        "request_suspension": lambda: actions.request_suspension(case=case, until=MONDAY, reason="x", by=by),
        "decide_request": lambda: actions.decide_request(request=request, approve=True, by=by),
        "resume_case": lambda: actions.resume_case(case=case, by=by),
        "add_note": lambda: actions.add_note(case=case, text="x", by=by),
        "send_reply": lambda: actions.send_reply(case=case, text="x", recipient="x", channel="x", by=by),
        "settle_reply": lambda: actions.settle_reply(reply=reply, state="sent", by=by),
        "take_reply": lambda: actions.take_reply(reply=reply, by=by),
        "give_back_reply": lambda: actions.give_back_reply(reply=reply, by=by),
        "attach_file": lambda: actions.attach_file(case=case, file=1, by=by),
        "detach_file": lambda: actions.detach_file(case=case, file=1, by=by),
        "link_cases": lambda: actions.link_cases(case=case, kind=LinkKind.PART_OF, other=other, by=by),
        "unlink_cases": lambda: actions.unlink_cases(case=case, kind=LinkKind.PART_OF, other=other, by=by),
        "link_asset": lambda: actions.link_asset(case=case, asset=1, by=by),
        "merge_cases": lambda: actions.merge_cases(case=case, into=other, by=by),
        "edit_case": lambda: actions.edit_case(case=case, wanted={"title": "x"}, base={}, by=by),
        "rate_case": lambda: actions.rate_case(case=case, level=Satisfaction.SATISFIED, by=by),
        "note_call_back": lambda: actions.note_call_back(case=case, outcome="x", by=by),
        "save_type": lambda: actions.save_type(organisation=north, key="x", definition=b"{}", by=by),
        "publish_type": lambda: actions.publish_type(type=kind, by=by),
        "retire_type": lambda: actions.retire_type(type=kind, by=by),
        "drop_draft": lambda: actions.drop_draft(type=kind, by=by),
        "load_calendar": lambda: actions.load_calendar(organisation=north, key="x", data=b"{}", by=by),
        "load_examples": lambda: actions.load_examples(organisation=office.world.depot, by=by),
        "undo_bulk": lambda: actions.undo_bulk(run=1, by=by),
        "case": lambda: reads.case(by, case, now=MONDAY),
        "case_file": lambda: reads.case_file(by, case, 1),
        "case_thumbnail": lambda: reads.case_thumbnail(by, case, 1),
        "case_numbered": lambda: reads.case_numbered(by, office.row(case).number, now=MONDAY),
        "reveal_answer": lambda: reads.reveal_answer(by, case, "about", now=MONDAY),
        "case_type": lambda: reads.case_type(by, kind),
        "types_in_use": lambda: reads.types_in_use(by, north),
        "calendar_ends": lambda: reads.calendar_ends(by, north),
    }


def prepared(office: Office) -> tuple[int, int]:
    case, other = office.sent("hotline"), office.sent("hotline")
    actions.send_reply(case=case, text="x", recipient="Li", channel="text", by=office.boss)
    actions.request_extension(case=case, amount=1, reason="x", by=office.worker, now=MONDAY)
    return case, other


def test_everything_across_a_wall_signed_out_or_by_too_low_a_role_is_refused_and_leaves_no_line(office: Office) -> None:
    case, other = prepared(office)
    analyst = office.world.actor(Role.ANALYST, office.world.north)
    lines, events = Entry.objects.count(), Case.objects.values_list("version", flat=True)[0]
    for by in (office.stranger, NOBODY, analyst):
        for name, attempt in attempts(office, case, other, by).items():
            with pytest.raises(NotFound):
                attempt()
                pytest.fail(f"{name} went through for {by.name}")
    assert (Entry.objects.count(), Case.objects.values_list("version", flat=True)[0]) == (lines, events)


def test_every_public_read_and_action_is_asked_above(office: Office) -> None:
    case, other = prepared(office)
    asked = set(attempts(office, case, other, NOBODY))
    public = {name for name in (*actions.__all__, *reads.__all__) if name[0].islower()}
    lists = {"cases", "rows_of", "changed_since", "types_seen", "count_views", "case_types"}
    lists |= {"assign_many", "prioritise_many", "claim_many", "release_many", "move_many", "step_many"}
    proofs = {"status", "asked_by_link", "rate_by_link"}  # number and telephone, or a signed link, are the proof
    assert public == asked | lists | proofs


def test_lists_of_whoever_may_not_are_empty(office: Office) -> None:
    case, _other = prepared(office)
    for by in (office.stranger, NOBODY):
        assert reads.rows_of(by, [case], now=MONDAY) == reads.changed_since(by, MONDAY) == ()
        assert reads.types_seen(by) == {}
        assert reads.case_types(by) == [] and reads.cases(by, reads.Filter(states=()), now=MONDAY).rows == ()
        assert actions.assign_many(cases=[case], by=by).done == actions.prioritise_many(cases=[case], priority=9, by=by).done == ()
        assert actions.claim_many(cases=[case], by=by).done == actions.release_many(cases=[case], by=by).done == ()
        assert actions.move_many(cases=[case], unit=office.world.south, reason="x", by=by).done == ()
        assert actions.step_many(cases=[case], key="finish", data=StepData(reason="x"), by=by).done == ()


def test_what_a_unit_asks_for_is_not_decided_by_its_own_chief(office: Office) -> None:
    case, _other = prepared(office)
    chief = office.world.actor(Role.SUPERVISOR, office.world.depot)
    assert office.view(case, by=chief).may_assign
    with pytest.raises(NotFound):
        actions.decide_request(request=Request.objects.get(case=case).pk, approve=True, by=chief)


def test_behind_the_second_wall_a_unit_works_on_a_case_that_another_organisation_answers_for(office: Office) -> None:
    """On PostgreSQL row-level security shows the worker rows of the depot alone; the case passes by its second column."""
    case, _other = prepared(office)
    elsewhere = office.open()
    with walls.closed():
        walls.let_in([office.world.depot])
        assert [row.id for row in reads.cases(office.worker, reads.Filter(), now=MONDAY).rows] == sorted([case, _other], reverse=True)
        assert office.view(case, by=office.worker).row.unit == office.world.depot
        actions.assign_case(case=case, assignee=office.worker.user, by=office.worker, now=MONDAY)
        actions.add_note(case=case, text="on my way", by=office.worker, now=MONDAY)
        actions.request_suspension(case=case, until=MONDAY + timedelta(days=1), reason="frost", by=office.worker, now=MONDAY)
        office.finish(case)
        if connection.vendor == "postgresql":
            assert not Case.objects.filter(pk=elsewhere).exists()
        with pytest.raises(NotFound):
            office.view(elsewhere, by=office.worker)
    assert OutboxEvent.objects.filter(organisation=office.world.north, aggregate=f"case:{case}", name="moved").count() == 2


def test_a_dispatcher_sends_a_case_to_a_unit_he_does_not_see_into(office: Office) -> None:
    hotline = office.world.actor(Role.SUPERVISOR, office.world.north, Scope.ORGANISATION)
    team = office.world.team(office.world.depot)
    case = office.open()
    with walls.closed():
        walls.let_in([office.world.north])
        recipient = Recipient(unit=office.world.depot, team=team, assignee=office.worker.user)
        actions.take_step(case=case, key="dispatch", data=StepData(recipient=recipient), by=hotline, now=MONDAY)
        assert office.view(case, by=hotline).row.team == team
        office.finish(case, by=hotline)


def test_a_link_to_a_case_behind_a_wall_shows_nothing_of_it(office: Office) -> None:
    case, other = prepared(office)
    actions.link_cases(case=case, kind=LinkKind.CAUSED_BY, other=other, by=office.boss)
    data = StepData(recipient=Recipient(unit=office.world.north), reason="x")
    made = actions.request_return(case=other, reason="x", by=office.worker, now=MONDAY)
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=MONDAY)
    actions.take_step(case=other, key="dispatch", data=data, by=office.boss, now=MONDAY)
    link = office.view(case, by=office.worker).links[0]
    assert (link.other, link.number, link.title) == (None, "", "")


def test_a_sensitive_answer_is_masked_and_revealing_it_is_audited(office: Office) -> None:
    person = people.add_person(organisation=office.world.north, data=people.PersonData(name="Zhao"), by=office.boss)
    case = office.open("hotline", answers={"sort": "complaint", "subject": "noise", "about": person})
    assert office.view(case).answers["about"] == "****"
    assert reads.reveal_answer(office.boss, case, "about", now=MONDAY) == person
    assert AuditEntry.objects.filter(action="case.revealed", subject=f"case:{case}").count() == 1
    assert audit.verify().broken_at is None
    with pytest.raises(NotFound):
        reads.reveal_answer(office.worker, case, "about", now=MONDAY)


def test_a_published_version_never_changes_and_old_cases_keep_theirs(office: Office) -> None:
    owner = office.world.actor(Role.OWNER, office.world.north)
    case = office.open()
    first = Case.objects.select_related("type").get(pk=case).type
    draft = actions.save_type(
        organisation=office.world.north, key="city_fault", definition=first.definition.replace("City fault", "Fault"), by=owner
    )
    assert "city_fault" in reads.types_in_use(office.boss, office.world.north) and office.row(office.open()).type_id == first.pk
    actions.publish_type(type=draft, by=owner, now=MONDAY)
    assert office.row(office.open()).type_id == draft and office.row(case).type_id == first.pk
    assert [(view.version, view.state) for view in reads.case_types(owner) if view.key == "city_fault"] == [
        (2, "published"),
        (1, "retired"),
    ]
    assert reads.case_type(owner, draft).diagram is not None and reads.case_type(owner, draft).problems == ()
    actions.retire_type(type=draft, by=owner)
    with pytest.raises(NotFound):
        office.open()
    assert reads.calendar_ends(owner, office.world.north) == china().last
