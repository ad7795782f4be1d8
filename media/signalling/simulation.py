"""Scenarios a client may ask for to test itself (SimulateScenario).

They do to the asking session what a bad day would; nobody else is touched, but that the others
see a simulated speaker.
"""

from livekit.protocol import models, rtc

from media.signalling.live_room import LiveRoom
from media.signalling.session import Leave, ResumeFault, Session


def simulate(room: LiveRoom, session: Session, scenario: rtc.SimulateScenario) -> bool:
    """Play a scenario; False for one the node cannot play."""
    match scenario.WhichOneof("scenario"):
        case "speaker_update":
            room.reports.simulate_speaker(session, scenario.speaker_update)
        case "server_leave":
            session.send_leave(models.DisconnectReason.SERVER_SHUTDOWN, Leave.Action.DISCONNECT)
            room.leave(session, models.DisconnectReason.SERVER_SHUTDOWN)
        case "node_failure" | "migration":
            # The session is gone without a word; resuming it will find nothing.
            room.leave(session, models.DisconnectReason.MIGRATION)
        case "leave_request_full_reconnect":
            room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
        case "disconnect_signal_on_resume":
            session.expect_fault(ResumeFault.AFTER_MESSAGES)
        case "disconnect_signal_on_resume_no_messages":
            session.expect_fault(ResumeFault.BEFORE_MESSAGES)
        case _:
            return False
    return True
