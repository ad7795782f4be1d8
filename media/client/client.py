"""A participant of a LiveKit room, as its owner uses it: see ``media.client``."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self

from aiortc.rtcdtlstransport import RTCCertificate
from livekit.protocol import models, rtc

from media.client.events import Disconnected, Event
from media.client.local import LocalTrack
from media.client.peer import PeerLink
from media.client.publishing import REQUEST_TIMEOUT_S
from media.client.stay import Options, Stay
from media.client.tracks import RemoteTrack
from media.transport.dtls import new_certificate

QUALITIES: Final = (models.VideoQuality.LOW, models.VideoQuality.MEDIUM, models.VideoQuality.HIGH)


class Client:
    """One participant. Made by :meth:`connect`; ended by :meth:`leave` or by the server."""

    def __init__(self, stay: Stay) -> None:
        self._stay = stay

    @classmethod
    async def connect(
        cls,
        url: str,
        token: str | Callable[[], str],
        *,
        auto_subscribe: bool = True,
        adaptive_stream: bool = False,
        retry_for_s: float = 60.0,
        timeout_s: float = 15.0,
        certificate: RTCCertificate | None = None,
        single_connection: bool = True,
        read_every_s: float = 0.0,
    ) -> "Client":
        """Join the room ``token`` names and wait until media can flow.

        ``token`` may be a function that makes a fresh one for each attempt. ``retry_for_s``:
        how long interruptions are survived (``float("inf")``: for ever; with a function for the
        token not even its expiry ends that). ``single_connection``: signalling v1 where the
        server knows it; otherwise, and when False, v0 with a connection for each direction.
        ``certificate`` may be shared by many clients of one process. ``read_every_s``: once
        connected, look for packets at these intervals only, which saves much work and delays
        them; 0 takes each at once. Raises ConnectError.
        """
        options = Options(
            url=url,
            auto_subscribe=auto_subscribe,
            adaptive_stream=adaptive_stream,
            retry_for_s=retry_for_s,
            timeout_s=timeout_s,
            certificate=certificate or new_certificate(),
            single_connection=single_connection,
            read_every_s=read_every_s,
        )
        stay = Stay(options, token)
        await stay.begin()
        return cls(stay)

    async def __aenter__(self) -> Self:
        """Enter a stay that is left at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the room."""
        await self.leave()

    # State

    @property
    def receiving_link(self) -> PeerLink | None:
        """The connection media arrives on, if there is one."""
        return self._stay.publishing.peer if self.is_single else self._stay.receiving.peer

    @property
    def is_single(self) -> bool:
        """Whether the session has one connection (signalling v1)."""
        return self._stay.is_single

    @property
    def room(self) -> models.Room:
        """The room, as last described by the server."""
        return self._stay.room

    @property
    def info(self) -> models.ParticipantInfo:
        """This participant, as last described by the server."""
        return self._stay.info

    @property
    def dropped_events(self) -> int:
        """Data packets and speaker changes dropped because nobody read the events."""
        return self._stay.dropped_events

    @property
    def identity(self) -> str:
        """Who this client is in the room."""
        return self.info.identity

    @property
    def sid(self) -> str:
        """Sid of the session, ``PA_…``; changes when the client has to join anew."""
        return self.info.sid

    @property
    def participants(self) -> Mapping[str, models.ParticipantInfo]:
        """The others, by identity."""
        return self._stay.roster.participants

    @property
    def tracks(self) -> Mapping[str, RemoteTrack]:
        """Subscribed tracks, by sid."""
        return self._stay.receiving.tracks

    async def events(self) -> AsyncIterator[Event]:
        """What happens, in order; the last one is ``Disconnected``. For one reader."""
        while not (self._stay.has_ended and self._stay.events.empty()):
            event = await self._stay.events.get()
            yield event
            if isinstance(event, Disconnected):
                return

    # Wishes

    async def set_subscribed(self, track_sids: Iterable[str], subscribed: bool) -> None:
        """Subscribe to tracks, or unsubscribe from them."""
        sids = list(track_sids)
        (self._stay.unwanted.difference_update if subscribed else self._stay.unwanted.update)(sids)
        update = rtc.UpdateSubscription(track_sids=sids, subscribe=subscribed)
        await self._stay.request(rtc.SignalRequest(subscription=update))

    async def set_track_settings(self, track_sid: str, **settings: Any) -> None:
        """Choose what of a track is received, by the fields of ``UpdateTrackSettings``.

        ``disabled``, ``quality``, ``width``, ``height``, ``fps``.
        """
        update = rtc.UpdateTrackSettings(track_sids=[track_sid], **settings)
        await self._stay.request(rtc.SignalRequest(track_setting=update))

    # Sending

    async def publish_audio(
        self,
        *,
        name: str = "microphone",
        source: models.TrackSource = models.TrackSource.MICROPHONE,
    ) -> LocalTrack:
        """Publish an Opus track; send its packets with ``LocalTrack.send``. Raises PublishError."""
        request = rtc.AddTrackRequest(name=name, type=models.TrackType.AUDIO, source=source)
        return await self._stay.publishing.publish("audio", "audio/opus", request)

    async def publish_video(
        self,
        *,
        width: int,
        height: int,
        mime: str = "video/vp8",
        name: str = "camera",
        source: models.TrackSource = models.TrackSource.CAMERA,
    ) -> LocalTrack:
        """Publish a video track of one layer. Raises PublishError."""
        layer = models.VideoLayer(quality=models.VideoQuality.HIGH, width=width, height=height)
        request = rtc.AddTrackRequest(
            name=name,
            type=models.TrackType.VIDEO,
            source=source,
            width=width,
            height=height,
            layers=[layer],
        )
        return await self._stay.publishing.publish("video", mime, request)

    async def publish_simulcast(
        self,
        sizes: Sequence[tuple[int, int]],
        *,
        mime: str = "video/vp8",
        name: str = "camera",
        source: models.TrackSource = models.TrackSource.CAMERA,
    ) -> LocalTrack:
        """Publish a video track of up to three layers, the smallest first. Raises PublishError.

        Each of ``LocalTrack.layers`` sends its own frames; those of one picture share a timestamp.
        """
        rids = "qhf"[: len(sizes)]
        layers = [
            models.VideoLayer(quality=quality, width=width, height=height)
            for quality, (width, height) in zip(QUALITIES, sizes, strict=False)
        ]
        request = rtc.AddTrackRequest(
            name=name,
            type=models.TrackType.VIDEO,
            source=source,
            width=sizes[-1][0],
            height=sizes[-1][1],
            layers=layers,
        )
        return await self._stay.publishing.publish("video", mime, request, rids)

    async def unpublish(self, track: LocalTrack) -> None:
        """Withdraw a track."""
        await self._stay.publishing.unpublish(track)

    async def set_muted(self, track: LocalTrack, muted: bool) -> None:
        """Mute or unmute a published track."""
        track.set_muted(muted)
        track.info.muted = muted
        request = rtc.MuteTrackRequest(sid=track.sid, muted=muted)
        await self._stay.request(rtc.SignalRequest(mute=request))

    async def send_data(
        self,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        to: Iterable[str] = (),
    ) -> bool:
        """Send a user packet to everybody or to the identities ``to``; False if it cannot go."""
        peer = await self._stay.publishing.ensure_peer()
        kind = models.DataPacket.Kind.RELIABLE if reliable else models.DataPacket.Kind.LOSSY
        packet = models.DataPacket(
            kind=kind,
            destination_identities=to,
            user=models.UserPacket(payload=payload, topic=topic),
        )
        label = "_reliable" if reliable else "_lossy"
        await peer.wait_channel(label, REQUEST_TIMEOUT_S)
        return peer.send_message(label, packet.SerializeToString())

    async def leave(self) -> None:
        """Leave the room; idempotent."""
        if not self._stay.is_leaving and not self._stay.has_ended:
            self._stay.is_leaving = True
            leave = rtc.LeaveRequest(
                reason=models.DisconnectReason.CLIENT_INITIATED,
                action=rtc.LeaveRequest.Action.DISCONNECT,
            )
            await self._stay.request(rtc.SignalRequest(leave=leave))
        await self._stay.close()
