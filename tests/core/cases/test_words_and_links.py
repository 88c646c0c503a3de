"""Notes, replies, files, links, merging, ratings: each kept apart, none lost."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from jilink.core.assets import actions as assets
from jilink.core.cases import actions, reads
from jilink.core.cases.actions import LinkRefused, RatingRefused, RecipientNeeded, WordsNeeded
from jilink.core.cases.models import Attachment, Case
from jilink.core.cases.rules.numbers import grouped
from jilink.core.cases.rules.workflow import LinkKind, Satisfaction, StepRefused
from jilink.core.files import actions as files
from jilink.core.parties import walls
from jilink.core.parties.access import NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import rights
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.errors import Refused
from jilink.kernel.ids import PersonId
from tests.core.cases.office import GOOD, MONDAY, Office, clock, hours, kinds, told


def upload(office: Office, organisation: int) -> int:
    picture = BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    owner = office.world.actor(Role.OWNER, organisation)  # type: ignore[arg-type] # -- an organisation's number
    return files.keep_file(data=picture.getvalue(), name="lid.png", organisation=organisation, permission=Permission.ADD_CASES, by=owner)  # type: ignore[arg-type] # -- as above


def li(office: Office) -> PersonId:
    phone = Contact(ContactKind.PHONE, "138 0431 5678")
    return people.add_person(organisation=office.world.north, data=PersonData(name="Li"), contacts=(phone,), by=office.boss)


def test_a_note_and_a_reply_are_never_the_same_thing(office: Office) -> None:
    case = office.sent()
    actions.add_note(case=case, text="He shouts.", by=office.worker, now=MONDAY)
    reply = actions.send_reply(
        case=case, text="We come tomorrow.", recipient="Ms Li", channel="text", address="13800000000", by=office.worker
    )
    view = office.view(case)
    assert [(one.text, one.recipient) for one in view.notes] == [("He shouts.", "")]
    assert [(one.text, one.recipient, one.channel, one.state) for one in view.replies] == [
        ("We come tomorrow.", "Ms Li", "text", "waiting")
    ]
    assert told("reply_written", case) == 1
    assert [actions.settle_reply(reply=reply, state=state, by=office.boss) for state in ("sent", "failed")] == [True, False]
    assert office.view(case).replies[0].state == "sent"
    public = [line.detail.__struct_config__.tag for line in office.view(case).timeline if line.public]
    assert "noted" not in public and "replied" in public


def test_empty_words_and_replies_to_nobody_are_refused(office: Office) -> None:
    case = office.sent()
    for text in ("", "  ", "x" * 10_001):
        with pytest.raises(WordsNeeded):
            actions.add_note(case=case, text=text, by=office.boss)
    for recipient, channel in (("", "text"), ("Li", " ")):
        with pytest.raises(RecipientNeeded):
            actions.send_reply(case=case, text="x", recipient=recipient, channel=channel, by=office.boss)


def test_files_are_of_the_case_once_and_never_from_behind_a_wall(office: Office) -> None:
    ours, theirs = upload(office, office.world.north), upload(office, office.world.south)
    case = office.open(answers=GOOD["city_fault"] | {"before": [ours]})
    assert [(one.file, one.question, one.public) for one in office.view(case).files] == [(ours, "before", True)]
    actions.attach_file(case=case, file=ours, by=office.boss)
    assert Attachment.objects.filter(case=case).count() == 1
    office.dispatch(case)
    view, data = reads.case_file(office.worker, case, ours)
    assert view.name.startswith("lid") and data and reads.case_thumbnail(office.worker, case, ours)
    for by, file in ((office.worker, theirs), (office.stranger, ours)):
        with pytest.raises(NotFound):
            reads.case_file(by, case, file)
    for file in (theirs, 999):
        with pytest.raises(NotFound):
            actions.attach_file(case=case, file=file, by=office.boss)
    actions.detach_file(case=case, file=ours, by=office.boss)
    assert office.view(case).files == () and kinds(case).count("attached") == 2


def test_a_link_is_seen_from_both_sides_once_and_never_in_a_circle(office: Office) -> None:
    one, other = office.open(), office.open()
    for _twice in range(2):
        actions.link_cases(case=one, kind=LinkKind.CAUSED_BY, other=other, by=office.boss)
    assert [(link.other, link.back) for link in office.view(one).links] == [(other, False)]
    assert [(link.other, link.back) for link in office.view(other).links] == [(one, True)]
    with pytest.raises(LinkRefused):
        actions.link_cases(case=other, kind=LinkKind.CAUSED_BY, other=one, by=office.boss)
    with pytest.raises(LinkRefused):
        actions.link_cases(case=one, kind=LinkKind.PART_OF, other=one, by=office.boss)
    actions.unlink_cases(case=one, kind=LinkKind.CAUSED_BY, other=other, by=office.boss)
    assert office.view(one).links == () and kinds(other)[-1] == "linked"


def test_a_case_is_about_things_and_the_first_is_its_own(office: Office) -> None:
    owner = office.world.actor(Role.OWNER, office.world.north)
    lamp, pole = (assets.add_asset(organisation=office.world.north, kind="lamp", label=label, by=owner) for label in "AB")
    case = office.open()
    for asset in (lamp, pole, lamp):
        actions.link_asset(case=case, asset=asset, by=office.boss)
    assert office.row(case).asset_id == lamp and [link.asset for link in office.view(case).links] == [lamp, pole]


def test_a_merged_case_leads_to_the_other_and_loses_nothing(office: Office) -> None:
    kept, lost, older = office.sent(), office.sent(), office.open()
    actions.add_note(case=lost, text="From the second caller.", by=office.boss, now=MONDAY)
    asked = actions.request_extension(case=lost, amount=1, reason="why", by=office.worker, now=MONDAY)
    actions.merge_cases(case=older, into=lost, by=office.boss, now=MONDAY)
    actions.merge_cases(case=lost, into=kept, by=office.boss, now=MONDAY)
    view = office.view(kept)
    assert [note.text for note in view.notes] == ["From the second caller."]
    assert {line.number for line in view.timeline} == {office.row(one).number for one in (kept, lost, older)}
    gone = office.view(lost)
    assert (gone.row.state, gone.merged_into, gone.requests[0].state, gone.ways) == ("merged", view.row.number, "withdrawn", ())
    assert not [one for one in gone.clocks if one.ended_at is None]
    for case, into in ((lost, kept), (kept, lost), (kept, kept)):
        with pytest.raises((StepRefused, LinkRefused)):
            actions.merge_cases(case=case, into=into, by=office.boss)
    with pytest.raises(Refused):
        actions.decide_request(request=asked.request, approve=True, by=office.second, now=MONDAY)
    with pytest.raises(LinkRefused):
        actions.unlink_cases(case=lost, kind=LinkKind.DUPLICATE_OF, other=kept, by=office.boss)


def test_five_levels_once_a_round_and_a_bad_one_must_be_called_back(office: Office) -> None:
    case = office.sent()
    with pytest.raises(RatingRefused):
        actions.rate_case(case=case, level=Satisfaction.SATISFIED, by=office.boss)
    office.finish(case)
    office.confirm(case)
    actions.rate_case(
        case=case, level=Satisfaction.DISSATISFIED, answers={"efficiency": "bad"}, comment="Too slow", by=office.boss, now=MONDAY
    )
    assert clock(case, "call_back").due_at == MONDAY.replace(day=13, hour=17)
    wanted = reads.Filter(states=(), call_back=True)
    assert [row.id for row in reads.cases(office.boss, wanted, now=MONDAY).rows] == [case]
    with pytest.raises(RatingRefused):
        actions.rate_case(case=case, level=Satisfaction.SATISFIED, by=office.boss)
    actions.note_call_back(case=case, outcome="Apologised, comes again.", by=office.boss, now=MONDAY + hours(5))
    assert clock(case, "call_back").ended_at == MONDAY + hours(5)
    assert reads.cases(office.boss, wanted, now=MONDAY).rows == ()
    with pytest.raises(StepRefused):
        actions.note_call_back(case=case, outcome="twice", by=office.boss)


def test_one_call_answers_everybody_who_was_dissatisfied_before_it(office: Office) -> None:
    case = office.closed()
    actions.rate_case(case=case, level=Satisfaction.DISSATISFIED, by=office.boss, now=MONDAY)
    actions.take_step(case=case, key="reopen", data=actions.StepData(reason="again"), by=office.boss, now=MONDAY + hours(1))
    office.dispatch(case, MONDAY + hours(1))
    office.finish(case, MONDAY + hours(2))
    office.confirm(case, MONDAY + hours(2))
    actions.rate_case(case=case, level=Satisfaction.VERY_DISSATISFIED, by=office.boss, now=MONDAY + hours(3))
    assert clock(case, "call_back").started_at == MONDAY
    actions.note_call_back(case=case, outcome="Called.", by=office.boss, now=MONDAY + hours(4))
    assert [rating.called_back_at for rating in office.view(case).ratings] == [MONDAY + hours(4)] * 2


def test_the_person_sees_their_case_by_its_number_with_their_telephone(office: Office) -> None:
    person = li(office)
    case = office.closed("hotline", person=person)
    number = grouped(office.row(case).number)
    reply = actions.send_reply(case=case, text="It is warm again.", recipient="Li", channel="text", by=office.boss)
    actions.settle_reply(reply=reply, state="sent", by=office.boss)
    seen = reads.status(number, "+86 13804315678")
    assert (seen.stage.en, seen.may_rate, [said.text for said in seen.replies]) == ("Closed", True, ["It is warm again."])
    assert [passed.stage.en for passed in seen.passed] == ["Work", "Call the citizen", "Closed"]
    for words, phone in ((number, "13900000000"), (office.row(office.open("hotline")).number, "13804315678"), (number, "no phone")):
        with pytest.raises(NotFound):
            reads.status(words, phone)
    actions.rate_case(case=case, level=Satisfaction.VERY_SATISFIED, by=office.boss)
    assert not reads.status(number, "13804315678").may_rate


def test_whoever_has_the_link_rates_once_and_learns_nothing_more_than_the_number(office: Office) -> None:
    case = office.closed("hotline", person=li(office), title="Cold flat of Li")
    link = actions.offer_rating(case=case, by=office.worker, now=MONDAY)
    asked = reads.asked_by_link(link.token, now=MONDAY)
    assert (asked.number, asked.organisation, asked.rated) == (office.row(case).number, "North Fleet", False)
    assert "Li" not in repr(asked) and kinds(case)[-1] == "rating_asked"
    with walls.closed():
        actions.rate_by_link(token=link.token, level=Satisfaction.DISSATISFIED, comment="slow", now=MONDAY + hours(1))
    rating, line = office.view(case).ratings[0], office.view(case).timeline[-1]
    assert (rating.level, rating.comment, line.actor) == (2, "slow", "served:link")
    assert clock(case, "call_back").ended_at is None and reads.asked_by_link(link.token, now=MONDAY).rated
    with pytest.raises(RatingRefused):
        actions.rate_by_link(token=link.token, level=Satisfaction.SATISFIED, now=MONDAY + hours(2))
    with pytest.raises(RatingRefused):
        actions.offer_rating(case=case, by=office.boss, now=MONDAY)


def test_a_link_that_is_forged_has_run_out_or_asks_about_an_older_round_leads_nowhere(office: Office) -> None:
    case, other = office.closed(), office.closed()
    link = actions.offer_rating(case=case, by=office.boss, now=MONDAY)
    body, _dot, signature = link.token.rpartition(".")
    stolen = actions.offer_rating(case=other, by=office.boss, now=MONDAY).token.rpartition(".")[0]
    for token in ("", "x", "1.1.1.x", f"{stolen}.{signature}", body, f"{link.token}x"):
        with pytest.raises(NotFound):
            reads.asked_by_link(token, now=MONDAY)
        with pytest.raises(NotFound):
            actions.rate_by_link(token=token, level=Satisfaction.SATISFIED, now=MONDAY)
    with pytest.raises(NotFound):
        reads.asked_by_link(link.token, now=MONDAY + timedelta(days=31))
    actions.take_step(case=case, key="reopen", data=actions.StepData(reason="again"), by=office.boss, now=MONDAY + hours(1))
    with pytest.raises(NotFound):
        actions.rate_by_link(token=link.token, level=Satisfaction.SATISFIED, now=MONDAY + hours(1))


def test_the_number_of_a_merged_case_shows_where_the_other_stands(office: Office) -> None:
    mine, other = office.sent("hotline", person=li(office)), office.sent("hotline")
    actions.merge_cases(case=mine, into=other, by=office.boss, now=MONDAY)
    office.finish(other)
    seen = reads.status(office.row(mine).number, "13804315678")
    assert (seen.stage.en, seen.state, seen.went_on_as) == ("Call the citizen", "open", office.row(other).number)


def test_a_person_gets_their_cases_and_is_erased_once_none_is_open(office: Office) -> None:
    person = li(office)
    case = office.sent("hotline", person=person, title="Cold flat of Li", description="Li, third floor")
    owner = office.world.actor(Role.OWNER, office.world.north)
    with pytest.raises(Refused):
        rights.erase_person(person=person, by=owner)
    office.finish(case)
    office.confirm(case)
    rights.erase_person(person=person, by=owner)
    row = office.row(case)
    assert (row.title, row.description, row.person, "answer" in office.view(case).answers) == ("-", "", None, False)
    assert Case.objects.filter(number=row.number).exists() and office.view(case, MONDAY + timedelta(days=9)).row.state == "closed"
