"""What the policy needs to know of a meeting, taken out of its row."""

from conference.access.policy import MeetingFacts
from conference.scheduling.models import PLANNED, Meeting


def meeting_facts(meeting: Meeting) -> MeetingFacts:
    """Plain facts of ``meeting``; its sites are loaded if they were not.

    The sites of a draft are a plan, not invitations: they give nobody a right yet.
    """
    invited = [] if meeting.status in PLANNED else meeting.sites
    present = [site for site in invited if site.withdrawn_at is None]
    return MeetingFacts(
        chair_person_id=meeting.chair_id,
        secretary_person_id=meeting.secretary_id,
        created_by_account_id=meeting.created_by_id,
        invited_site_ids=frozenset(site.id for site in present),
        site_ids=frozenset(site.site_id for site in present),
        is_imported=meeting.is_imported,
    )
