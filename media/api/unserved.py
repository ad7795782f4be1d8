"""Services of LiveKit the node does not have: every call is answered, by name and with a reason.

A caller learns at once, in Twirp's terms (*unimplemented*, 501), that the service is not here,
rather than from a route that leads nowhere. The token is checked first, as for any call.
"""

from collections.abc import Callable, Mapping
from typing import Final

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from livekit.protocol import agent_dispatch, ingress, sip

from media.api.twirp import Method, TwirpError, TwirpService
from media.core.grants import Claims

REASONS: Final[Mapping[str, str]] = {
    "livekit.Ingress": "streams of other protocols (RTMP, WHIP) are not taken in",
    "livekit.SIP": "telephone gateways are not part of this server",
    "livekit.AgentDispatchService": "agents are not dispatched by this server",
}


def unserved_services(authenticate: Callable[[str], Claims]) -> list[TwirpService]:
    """Services that refuse every one of their methods."""
    found = [
        service
        for module in (ingress, sip, agent_dispatch)
        for service in module.DESCRIPTOR.services_by_name.values()
    ]
    return [_refusing(service, REASONS[service.full_name], authenticate) for service in found]


def _refusing(
    service: ServiceDescriptor, reason: str, authenticate: Callable[[str], Claims]
) -> TwirpService:
    async def refuse(_request: object) -> Message:
        raise TwirpError("unimplemented", reason)

    methods = {
        method.name: Method(GetMessageClass(method.input_type), _allow_anybody, refuse)
        for method in service.methods
    }
    return TwirpService(service.full_name, methods, authenticate)


def _allow_anybody(_claims: Claims, _request: object) -> None:
    """Nothing is done, so no grant is needed to hear that it is not."""
