"""Access tokens: what is refused, and what an accepted one says."""

import base64
import hashlib
import hmac
import json
import warnings
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from livekit.api import AccessToken, VideoGrants
from livekit.protocol.models import ParticipantInfo, TrackSource

from media.core.grants import Claims, VideoGrant
from media.tokens import LEEWAY_S, TokenError, bearer_token, issue_token, verify_token

NOW_S = 1_800_000_000.0
KEY = "devkey"
SECRET = "a-secret-that-is-long-enough-for-hs256"
OTHER_SECRET = "another-secret-that-is-long-enough-too"
KEYS = {KEY: SECRET, "second": OTHER_SECRET}


def b64(value: bytes | str | dict[str, Any]) -> str:
    if isinstance(value, dict):
        value = json.dumps(value)
    raw = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def payload(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "iss": KEY,
        "sub": "site:kon-plong",
        "nbf": NOW_S - 10,
        "exp": NOW_S + 600,
        "video": {"roomJoin": True, "room": "r1"},
    }
    values.update(changes)
    return {name: value for name, value in values.items() if value is not ...}


def sign(
    body: dict[str, Any] | str,
    header: dict[str, Any] | None = None,
    secret: str = SECRET,
    digest: Any = hashlib.sha256,
) -> str:
    """A token signed by hand, so that the library under test cannot refuse to make it."""
    head = b64(header if header is not None else {"alg": "HS256", "typ": "JWT"})
    signed = f"{head}.{b64(body)}"
    return f"{signed}.{b64(hmac.new(secret.encode(), signed.encode(), digest).digest())}"


def rs256_token() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(payload(exp=int(NOW_S + 600), nbf=int(NOW_S)), key, algorithm="RS256")


GOOD = sign(payload())
HEAD, BODY, SIGNATURE = GOOD.split(".")
FLIPPED = SIGNATURE[:5] + ("A" if SIGNATURE[5] != "A" else "B") + SIGNATURE[6:]

FORGED: dict[str, str] = {
    "empty": "",
    "one part": "abc",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "five parts (encrypted form)": f"{GOOD}.x.y",
    "not base64": "!!.??.**",
    "nul bytes": "\0.\0.\0",
    "non-ascii": "đ.ă.ê",
    "lone surrogate": "\ud800.\ud800.\ud800",
    "no signature": f"{HEAD}.{BODY}.",
    "flipped signature bit": f"{HEAD}.{BODY}.{FLIPPED}",
    "truncated signature": f"{HEAD}.{BODY}.{SIGNATURE[:-4]}",
    "signature of another body": f"{HEAD}.{b64(payload(sub='chair'))}.{SIGNATURE}",
    "secret of another key": sign(payload(), secret=OTHER_SECRET),
    "issuer swapped, first secret": sign(payload(iss="second")),
    "empty secret": sign(payload(), secret=""),
    "key as secret": sign(payload(), secret=KEY),
    "unknown issuer": sign(payload(iss="intruder")),
    "issuer missing": sign(payload(iss=...)),
    "issuer empty": sign(payload(iss="")),
    "issuer a number": sign(payload(iss=7)),
    "issuer a list": sign(payload(iss=[KEY])),
    "issuer an object": sign(payload(iss={KEY: 1})),
    "issuer null": sign(payload(iss=None)),
    "issuer with other case": sign(payload(iss="DEVKEY")),
    "issuer with blank": sign(payload(iss="devkey ")),
    "alg none": sign(payload(), {"alg": "none", "typ": "JWT"}),
    "alg none, unsigned": f"{b64({'alg': 'none'})}.{b64(payload())}.",
    "alg None, unsigned": f"{b64({'alg': 'None'})}.{b64(payload())}.",
    "alg nOnE, unsigned": f"{b64({'alg': 'nOnE'})}.{b64(payload())}.",
    "alg missing": sign(payload(), {"typ": "JWT"}),
    "alg null": sign(payload(), {"alg": None}),
    "alg a list": sign(payload(), {"alg": ["HS256"]}),
    "alg a number": sign(payload(), {"alg": 256}),
    "alg empty": sign(payload(), {"alg": ""}),
    "alg hs256 in lower case": sign(payload(), {"alg": "hs256"}),
    "HS384": sign(payload(), {"alg": "HS384"}, digest=hashlib.sha384),
    "HS512": sign(payload(), {"alg": "HS512"}, digest=hashlib.sha512),
    "RS256 header over HMAC": sign(payload(), {"alg": "RS256"}),
    "ES256 header over HMAC": sign(payload(), {"alg": "ES256"}),
    "EdDSA header over HMAC": sign(payload(), {"alg": "EdDSA"}),
    "real RS256": rs256_token(),
    "unknown critical extension": sign(payload(), {"alg": "HS256", "crit": ["x"], "x": 1}),
    "crit naming an absent header": sign(payload(), {"alg": "HS256", "crit": ["exp"]}),
    "crit not a list": sign(payload(), {"alg": "HS256", "crit": "b64"}),
    "detached payload": sign(payload(), {"alg": "HS256", "b64": False, "crit": ["b64"]}),
    "header a list": f"{b64('[]')}.{BODY}.{SIGNATURE}",
    "header a string": f"{b64(chr(34) + 'HS256' + chr(34))}.{BODY}.{SIGNATURE}",
    "header nested deep": f"{b64('[' * 100_000)}.{BODY}.{SIGNATURE}",
    "body a list": sign("[]"),
    "body null": sign("null"),
    "body a number": sign("1"),
    "body not JSON": sign("{"),
    "body not UTF-8": f"{HEAD}.{b64(bytes([255, 254]))}.{SIGNATURE}",
    "body nested deep": sign('{"a":' + "[" * 100_000),
    "exp missing": sign(payload(exp=...)),
    "exp null": sign(payload(exp=None)),
    "exp a string": sign(payload(exp=str(int(NOW_S + 600)))),
    "exp true": sign(payload(exp=True)),
    "exp a list": sign(payload(exp=[NOW_S + 600])),
    "exp NaN": sign(json.dumps(payload(exp=float("nan")))),
    "exp past the leeway": sign(payload(exp=NOW_S - LEEWAY_S)),
    "exp long past": sign(payload(exp=1)),
    "exp negative": sign(payload(exp=-1)),
    "nbf beyond the leeway": sign(payload(nbf=NOW_S + LEEWAY_S + 1)),
    "nbf a string": sign(payload(nbf="0")),
    "nbf NaN": sign(json.dumps(payload(nbf=float("nan")))),
    "audience of another system": sign(payload(aud="diemcau-session")),
    "audience list": sign(payload(aud=["diemcau-session"])),
    "sub a number": sign(payload(sub=1)),
    "sub a list": sign(payload(sub=["chair"])),
    "name an object": sign(payload(name={})),
    "metadata a number": sign(payload(metadata=1)),
    "attributes a list": sign(payload(attributes=[])),
    "attribute a number": sign(payload(attributes={"unit": 5})),
    "video a string": sign(payload(video="roomJoin")),
    "video true": sign(payload(video=True)),
    "video a list": sign(payload(video=[])),
    "roomJoin as text": sign(payload(video={"roomJoin": "true", "room": "r1"})),
    "roomAdmin as number": sign(payload(video={"roomAdmin": 1, "room": "r1"})),
    "canPublish as text": sign(payload(video={"roomJoin": True, "canPublish": "false"})),
    "room a number": sign(payload(video={"roomJoin": True, "room": 1})),
    "room a list": sign(payload(video={"roomJoin": True, "room": ["r1", "r2"]})),
    "sources as text": sign(payload(video={"canPublishSources": "camera"})),
    "roomConfig a list": sign(payload(roomConfig=[])),
    "roomConfig of wrong types": sign(payload(roomConfig={"emptyTimeout": "soon"})),
    "longer than any token": f"{HEAD}.{'A' * 1_048_576}.{SIGNATURE}",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_token_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        verify_token(token, KEYS, NOW_S)


def test_the_table_of_forgeries_is_long_enough() -> None:
    assert len(FORGED) >= 60


def test_the_untouched_token_is_accepted() -> None:
    claims = verify_token(GOOD, KEYS, NOW_S)
    assert claims.identity == "site:kon-plong"
    assert claims.video == VideoGrant(room="r1", room_join=True)


def test_expiry_is_tolerated_within_the_leeway_only() -> None:
    token = sign(payload(exp=NOW_S))
    assert verify_token(token, KEYS, NOW_S + LEEWAY_S - 1).identity
    with pytest.raises(TokenError, match="expired"):
        verify_token(token, KEYS, NOW_S + LEEWAY_S)


def test_each_key_signs_with_its_own_secret() -> None:
    token = sign(payload(iss="second"), secret=OTHER_SECRET)
    assert verify_token(token, KEYS, NOW_S).api_key == "second"


def test_identity_falls_back_to_the_token_id() -> None:
    claims = verify_token(sign(payload(sub=..., jti="recorder-1")), KEYS, NOW_S)
    assert claims.identity == "recorder-1"


def test_unstated_permissions_allow_and_stated_ones_bind() -> None:
    grant = verify_token(GOOD, KEYS, NOW_S).video
    assert grant is not None
    assert (grant.may_publish, grant.may_subscribe, grant.may_publish_data) == (True, True, True)
    silent = VideoGrant(can_publish=False)
    assert not silent.may_publish_data
    assert not silent.may_publish_source(TrackSource.MICROPHONE)
    listener = VideoGrant(can_publish=False, can_publish_data=True)
    assert listener.may_publish_data


def test_listed_sources_narrow_publishing() -> None:
    body = payload(video={"roomJoin": True, "room": "r", "canPublishSources": ["microphone"]})
    grant = verify_token(sign(body), KEYS, NOW_S).video
    assert grant is not None
    assert grant.may_publish_source(TrackSource.MICROPHONE)
    assert not grant.may_publish_source(TrackSource.CAMERA)


def test_a_source_nobody_knows_never_widens_to_all() -> None:
    body = payload(video={"roomJoin": True, "room": "r", "canPublishSources": ["hologram"]})
    grant = verify_token(sign(body), KEYS, NOW_S).video
    assert grant is not None
    assert not grant.may_publish_source(TrackSource.CAMERA)


def test_token_of_the_official_sdk_is_read_in_full() -> None:
    token = (
        AccessToken(KEY, SECRET)
        .with_identity("egress-1")
        .with_name("Ghi hình")
        .with_kind("egress")
        .with_attributes({"unit": "vp"})
        .with_metadata("m")
        .with_grants(
            VideoGrants(
                room_join=True,
                room="họp",
                hidden=True,
                recorder=True,
                can_publish=False,
                can_publish_sources=["camera", "screen_share"],
            )
        )
        .to_jwt()
    )
    issued_s = jwt.decode(token, options={"verify_signature": False})["nbf"]
    claims = verify_token(token, KEYS, issued_s)
    assert (claims.name, claims.metadata, claims.attributes) == ("Ghi hình", "m", {"unit": "vp"})
    assert claims.kind == ParticipantInfo.EGRESS
    assert claims.video is not None
    assert claims.video.room == "họp"
    assert claims.video.permission().hidden
    assert list(claims.video.permission().can_publish_sources) == [1, 3]


def test_an_issued_token_says_what_its_claims_said() -> None:
    claims = verify_token(
        sign(
            payload(
                name="A",
                attributes={"k": "v"},
                kind="agent",
                roomConfig={"emptyTimeout": 30, "metadata": "x"},
                video={
                    "roomJoin": True,
                    "room": "r",
                    "canPublish": False,
                    "canPublishSources": ["camera"],
                    "hidden": True,
                },
            )
        ),
        KEYS,
        NOW_S,
    )
    again = verify_token(issue_token(claims, SECRET, NOW_S, 600), KEYS, NOW_S)
    assert again == claims


def test_a_short_development_secret_works_without_a_warning() -> None:
    claims = Claims(api_key="devkey", identity="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        token = issue_token(claims, "secret", NOW_S, 60)
        assert verify_token(token, {"devkey": "secret"}, NOW_S).identity == "x"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "bearer x", "Basic x", "x", "Token x"])
def test_authorization_header_must_name_the_bearer_scheme(header: str) -> None:
    with pytest.raises(TokenError):
        bearer_token(header)


def test_bearer_token_is_taken_from_the_header() -> None:
    assert bearer_token("Bearer a.b.c") == "a.b.c"
