"""Schedule and outbox behave alike on SQLite and PostgreSQL."""

from datetime import timedelta

from sqlalchemy import select

from conference.access import sample
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.database import Database
from conference.directory.models import Person, Site
from conference.invitations import delivery, ledger
from conference.invitations.message import Office
from conference.invitations.models import Delivery
from conference.invitations.service import MailAnnouncer
from conference.scheduling import listing, service
from conference.scheduling.listing import Filters
from conference.scheduling.models import Scope, Status
from conference.scheduling.rules import Classification, MeetingDraft
from tests.support.province import AT, ENDS, STARTS

ANNOUNCER = MailAnnouncer(Office("Văn phòng", "hop@kontum.example", ""), "https://hop.example")


def test_a_meeting_is_planned_changed_sent_and_called_off(any_database: Database) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
    with any_database.reading() as session:
        account = session.scalars(select(Account).where(Account.username == "thuky")).one()
        actor = actor_of(account)
        chair = session.scalars(select(Person.id).where(Person.may_chair)).first()
        sites = tuple(session.scalars(select(Site.id).order_by(Site.id).limit(5)))
    draft = MeetingDraft(
        Classification.NONE, Scope.INTRA, "Giao ban tháng 12", STARTS, ENDS, chair, site_ids=sites
    )
    with any_database.transaction() as session:
        meeting = service.create_meeting(session, draft, actor=actor, at=AT, announcer=ANNOUNCER)
    with any_database.reading() as session:
        page = listing.find_meetings(session, Filters(query="GIAO BÁN"), actor=actor, at=AT)
        assert [row.sites_count for row in page.rows] == [5]
        following = listing.next_meeting_of_site(session, sites[0], AT)
        assert following is not None
    with any_database.transaction() as session:
        first = delivery.claim(session, owner="a", at=AT)
        assert len(first) == 5
    with any_database.transaction() as session:
        assert delivery.claim(session, owner="b", at=AT) == []
        for letter in first:
            outcome = delivery.Refused("550") if letter is first[0] else delivery.Accepted()
            assert delivery.settle(session, letter.id, outcome, owner="a", at=AT, max_attempts=3)
    with any_database.transaction() as session:
        assert ledger.tally(session, meeting.id)[Delivery.SENT] == 4
        assert ledger.last_failed(session, meeting.id) == [first[0].id]
        assert len(ledger.contacts_of(session, meeting.id)) == 5
        assert ANNOUNCER.resend(session, meeting.id, [first[0].id], actor=actor, at=AT) == 1
        assert ledger.last_failed(session, meeting.id) == []
    later = AT + timedelta(hours=1)
    with any_database.transaction() as session:
        cancelled = service.cancel_meeting(
            session, meeting.id, "Bão", actor=actor, at=later, announcer=ANNOUNCER
        )
        assert cancelled.status is Status.CANCELLED
    with any_database.transaction() as session:
        # the letter written again leaves before the cancellation to the same site
        assert len(delivery.claim(session, owner="a", at=later)) == 5
        assert len(ledger.letters_of(session, meeting.id)) == 11
