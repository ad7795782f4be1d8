"""Which right each route asks for. A route that is missing here fails `tests/meta/test_rights.py`.

``ANYONE`` needs no login; ``LOGGED_IN`` any account; a verb is asked of the policy, about the
meeting where the route names one. ``"endpoint POST"`` is for a method that asks for more.
"""

from conference.access.policy import Verb

ANYONE = "anyone"
LOGGED_IN = "logged in"

RIGHTS: dict[str, Verb | str] = {
    "static": ANYONE,
    "health.health": ANYONE,
    "engine_webhooks.receive": ANYONE,  # signed by the engine
    "session.login": ANYONE,
    "session.logout": ANYONE,
    "session.choose_language": ANYONE,
    "today.root": ANYONE,  # only leads on
    "meetings.show": ANYONE,  # so does this
    "room.join_by_link": ANYONE,  # the code is the right
    "accounts.set_password": ANYONE,  # so is the secret
    "accounts.change_password": LOGGED_IN,
    "today.index": Verb.MEETING_LIST,
    "search.index": Verb.MEETING_LIST,
    "meetings.index": Verb.MEETING_LIST,
    "meetings.create": Verb.MEETING_CREATE,
    "meetings.advise": Verb.MEETING_CREATE,
    "meetings.choose_sites": Verb.MEETING_CREATE,
    "meetings.overview": Verb.MEETING_VIEW,
    "meetings.edit": Verb.MEETING_EDIT,
    "meeting_steps.move": Verb.MEETING_APPROVE,  # of “duyet”; other steps as their table says
    "meeting_steps.keep_template": Verb.MEETING_EDIT,
    "meeting_steps.drop_template": Verb.MEETING_CREATE,
    "meeting_steps.invite": Verb.MEETING_EDIT,
    "meeting_steps.postpone": Verb.MEETING_CANCEL,
    "meeting_steps.cancel": Verb.MEETING_CANCEL,
    "planning_rules.days": Verb.MEETING_LIST,
    "planning_rules.days POST": Verb.PLANNING_MANAGE,
    "planning_rules.drop_day": Verb.PLANNING_MANAGE,
    "planning_rules.rules": Verb.PLANNING_MANAGE,
    "meetings.log": Verb.LOG_VIEW,
    "invitations.sites": Verb.MEETING_VIEW,
    "invitations.qr": Verb.INVITATION_VIEW,
    "invitations.letters": Verb.INVITATION_VIEW,
    "invitations.resend": Verb.MEETING_EDIT,
    "papers.index": Verb.PAPER_READ,
    "papers.download": Verb.PAPER_READ,
    "papers.upload": Verb.PAPER_UPLOAD,
    "papers.remove": Verb.PAPER_UPLOAD,
    "attendance.show": Verb.ATTENDANCE_VIEW,
    "attendance.export_file": Verb.ATTENDANCE_VIEW,
    "attendance.edit": Verb.ATTENDANCE_MARK,
    "attendance.mark": Verb.ATTENDANCE_MARK,
    "attendance.confirm": Verb.ATTENDANCE_MARK,
    "attendance.add_delegates": Verb.ATTENDANCE_MARK,
    "attendance.edit_delegate": Verb.ATTENDANCE_MARK,
    "attendance.mark_delegate": Verb.ATTENDANCE_MARK,
    "attendance.remove_delegate": Verb.ATTENDANCE_MARK,
    "attendance.correct": Verb.ATTENDANCE_MARK,
    "attendance.sign": Verb.ATTENDANCE_SIGN,
    "recordings.show": Verb.RECORDING_VIEW,
    "recordings.video": Verb.RECORDING_VIEW,
    "recordings.manifest": Verb.RECORDING_VIEW,
    "recordings.sound": Verb.RECORDING_VIEW,
    "recordings.chapter_track": Verb.RECORDING_VIEW,
    "recordings.caption_track": Verb.RECORDING_VIEW,
    "recordings.put_captions": Verb.RECORDING_START,
    "recordings.source": Verb.RECORDING_START,
    "recordings.compose_again": Verb.RECORDING_START,
    "minutes.show": Verb.MINUTES_VIEW,
    "minutes.paper_file": Verb.MINUTES_VIEW,
    "minutes.revision": Verb.MINUTES_VIEW,
    "audit_log.index": Verb.AUDIT_VIEW,
    "audit_log.verify": Verb.AUDIT_VIEW,
    "minutes.compare": Verb.MINUTES_VIEW,
    "minutes.current": Verb.MINUTES_VIEW,
    "minutes.add_addendum": Verb.MINUTES_EDIT,
    "conclusions.show": Verb.MINUTES_VIEW,
    "conclusions.paper_file": Verb.MINUTES_VIEW,
    "conclusions.save": Verb.MINUTES_EDIT,
    "conclusions.add_task": Verb.MINUTES_EDIT,
    "conclusions.remove_task": Verb.MINUTES_EDIT,
    "conclusions.tasks": Verb.MEETING_LIST,  # shows only what MINUTES_VIEW or the own unit allows
    "conclusions.report": Verb.MEETING_LIST,  # the service asks whose task it is
    "signed_papers.upload": Verb.MINUTES_EDIT,
    "signed_papers.check": Verb.MINUTES_EDIT,
    "signed_papers.download": Verb.MINUTES_VIEW,
    "minutes.draft": Verb.MINUTES_EDIT,
    "minutes.save": Verb.MINUTES_EDIT,
    "room.enter_room": Verb.ROOM_JOIN,
    "room.issue_token": Verb.ROOM_JOIN,
    "directory.index": Verb.DIRECTORY_VIEW,
    "directory.unit": Verb.DIRECTORY_VIEW,
    "directory.new_unit": Verb.DIRECTORY_MANAGE,
    "directory.edit_unit": Verb.DIRECTORY_MANAGE,
    "unit_changes.change": Verb.DIRECTORY_MANAGE,
    "sites.index": Verb.DIRECTORY_VIEW,
    "sites.new_site": Verb.DIRECTORY_MANAGE,
    "sites.edit_site": Verb.DIRECTORY_MANAGE,
    "people.index": Verb.DIRECTORY_VIEW,
    "people.person": Verb.DIRECTORY_VIEW,
    "people.new_person": Verb.DIRECTORY_MANAGE,
    "people.edit_person": Verb.DIRECTORY_MANAGE,
    "people.appoint": Verb.DIRECTORY_MANAGE,
    "people.dismiss": Verb.DIRECTORY_MANAGE,
    "accounts.index": Verb.ACCOUNT_MANAGE,
    "accounts.new_account": Verb.ACCOUNT_MANAGE,
    "accounts.edit_account": Verb.ACCOUNT_MANAGE,
    "accounts.issue_link": Verb.ACCOUNT_MANAGE,
    "accounts.issue_links": Verb.ACCOUNT_MANAGE,
    "transfer.index": Verb.ACCOUNT_MANAGE,
    "transfer.confirm": Verb.ACCOUNT_MANAGE,
    "transfer.export": Verb.ACCOUNT_MANAGE,
    "statistics.index": Verb.STATISTICS_VIEW,
    "statistics.meetings": Verb.STATISTICS_VIEW,
    "statistics.report_file": Verb.STATISTICS_VIEW,
    "statistics.method": Verb.STATISTICS_VIEW,
    "statistics.method POST": Verb.STATISTICS_MANAGE,
    "api_keys.index": Verb.API_KEY_MANAGE,
    "api_keys.create": Verb.API_KEY_MANAGE,
    "api_keys.revoke": Verb.API_KEY_MANAGE,
    "api.description": ANYONE,
    "api.statistics": ANYONE,  # an API key with a scope is the right
    "api.meetings": ANYONE,
    "api.unit_list": ANYONE,
    "invitation_papers.show": Verb.INVITATION_WRITE,
    "invitation_papers.save": Verb.INVITATION_WRITE,
    "invitation_papers.paper_file": Verb.INVITATION_WRITE,
    "invitation_papers.templates": Verb.TEMPLATE_MANAGE,
    "invitation_papers.set_template": Verb.TEMPLATE_MANAGE,
    "invitation_papers.template_file": Verb.TEMPLATE_MANAGE,
    "replies.by_link": ANYONE,  # the code is the right
    "replies.by_account": Verb.REPLY_GIVE,
    "replies.index": Verb.REPLY_VIEW,
    "replies.remind": Verb.MEETING_EDIT,
    "replies.decide": Verb.SUBSTITUTE_DECIDE,
}


def right_of(endpoint: str, method: str) -> Verb | str:
    """What a request must be allowed to do. Raises KeyError for a route without a right."""
    return RIGHTS.get(f"{endpoint} {method}", RIGHTS[endpoint])
