"""What cameras answer over RTSP, read tolerantly, with every departure from the rules named.

RFC 2326 (RTSP 1.0), RFC 4566 (SDP). The names in QUIRKS are those that `cameras probe` prints; most
were collected by Scott Lamb's retina (its CHANGELOG and test data).
"""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from calmstreet.errors import FormatError

__all__ = [
    "QUIRKS",
    "Media",
    "RtspAnswer",
    "TrackStart",
    "answers_quirks",
    "parse_answer",
    "parse_sdp",
]

QUIRKS: dict[str, str] = {
    "answer-without-cseq": "answers carry no sequence number",
    "content-base-without-scheme": "the base of its control addresses lacks rtsp://",
    "content-length-false": "the length it announces is not that of its answer",
    "content-type-missing": "it does not say that its description is SDP",
    "control-absolute": "control addresses are absolute and may name another host",
    "framerate-nonsense": "it declares a frame rate that is none",
    "framerate-twice": "it declares two frame rates",
    "keepalive-by-options": "it does not know GET_PARAMETER; OPTIONS keeps the session alive",
    "level-nonsense": "the level of its H.264 profile does not read",
    "parameter-sets-missing": "parameter sets come in the stream only",
    "parameter-sets-padded": "parameter sets end in a start code",
    "rtp-info-incomplete": "it does not tell the first timestamp of each track",
    "rtp-info-trailing": "its RTP-Info ends in a stray sign",
    "rtptime-bad": "the first timestamp it tells is no number of 32 bits",
    "rtptime-zero": "it tells sequence number and timestamp 0, which is rarely true",
    "sdp-blanks": "lines of its description end in blanks",
    "sdp-without-origin": "its description has no origin line",
    "session-changes": "the session id changes between answers",
    "session-padded": "blanks stand before the session id",
    "session-timeout-changes": "the session's timeout changes between answers",
    "ssrc-odd": "the stream's number (SSRC) does not read as 8 hexadecimal digits",
    "transport-without-unicast": "its transport does not say unicast",
    "wrong-date": "the date in its answers does not read",
}
"""Departures from the rules that we know, and what each means."""

_HEAD = re.compile(r"RTSP/1\.[01]\s+(\d{3})\s*(.*)")
_FPS = re.compile(r"\d+(?:\.\d+)?|\d+/\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStart:
    """Where one track begins, from RTP-Info; None where not told or not readable."""

    url: str
    sequence: int | None
    rtptime: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One m= section: kind is video, audio or application; fps NaN, sizes 0 where not declared."""

    kind: str
    payload: int
    codec: str
    clock_hz: int
    control: str
    width_px: int
    height_px: int
    declared_fps: float
    has_parameter_sets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspAnswer:
    """One answer; header names in lower case, the last of a name wins.

    ``timeout_s`` of the session is 60 unless told. ``media`` is of a description, ``tracks`` of an
    answer to PLAY. ``quirks`` are keys of QUIRKS.
    """

    status: int
    headers: dict[str, str]
    body: str
    session: str
    timeout_s: float
    media: tuple[Media, ...]
    tracks: tuple[TrackStart, ...]
    quirks: tuple[str, ...]

    @property
    def video(self) -> Media | None:
        """Return the first moving picture described."""
        return next((media for media in self.media if media.kind == "video"), None)


def parse_answer(data: bytes) -> RtspAnswer:
    r"""Return an answer; raise FormatError for what is none.

    >>> answer = parse_answer(b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession:  7;timeout=30\r\n\r\n")
    >>> answer.session, answer.timeout_s, answer.quirks
    ('7', 30.0, ('session-padded',))
    """
    head, _, body = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    status = _HEAD.match(first.strip())
    if status is None:
        raise FormatError("this is not an answer of RTSP; the address may be of another service")
    raw = _headers(lines)
    headers = {name: text.strip() for name, text in raw.items()}
    quirks = _head_quirks(raw, headers)
    if headers.get("content-length", "").isdigit():
        whole = data.partition(b"\r\n\r\n")[2]
        quirks += ["content-length-false"] * (int(headers["content-length"]) != len(whole))
    media: tuple[Media, ...] = ()
    if body.strip():
        quirks += ["content-type-missing"] * ("content-type" not in headers)
        media, found = parse_sdp(body)
        quirks += found
    tracks, found = _tracks(headers.get("rtp-info"))
    session, _, settings = headers.get("session", "").partition(";")
    timeout = re.search(r"timeout\s*=\s*(\d+)", settings)
    return RtspAnswer(
        status=int(status[1]),
        headers=headers,
        body=body,
        session=session.strip(),
        timeout_s=float(timeout[1]) if timeout else 60.0,
        media=media,
        tracks=tracks,
        quirks=tuple(dict.fromkeys([*quirks, *found])),
    )


def _headers(lines: list[str]) -> dict[str, str]:
    """Return names in lower case with the text behind the colon, one blank taken off."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, text = line.partition(":")
        if colon:
            found[name.strip().lower()] = text.removeprefix(" ")
    return found


def _head_quirks(raw: dict[str, str], headers: dict[str, str]) -> list[str]:
    transport = headers.get("transport", "")
    ssrc = re.search(r"ssrc\s*=([^;]*)", transport)
    base = headers.get("content-base", "rtsp://")
    checks = {
        "answer-without-cseq": "cseq" not in headers,
        "session-padded": raw.get("session", "").startswith((" ", "\t")),
        "ssrc-odd": ssrc is not None and not re.fullmatch(r"[0-9A-Fa-f]{8}", ssrc[1]),
        "transport-without-unicast": bool(transport) and "unicast" not in transport,
        "content-base-without-scheme": not base.startswith(("rtsp://", "rtsps://", "/")),
        "keepalive-by-options": "public" in headers and "GET_PARAMETER" not in headers["public"],
        "wrong-date": "date" in headers and not _is_date(headers["date"]),
    }
    return [name for name, holds in checks.items() if holds]


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return False
    return bool(re.match(r"[A-Z][a-z]{2}, \d", text))


def _tracks(text: str | None) -> tuple[tuple[TrackStart, ...], list[str]]:
    if text is None:
        return (), []
    quirks = ["rtp-info-trailing"] * text.rstrip().endswith((";", ","))
    found: list[TrackStart] = []
    for part in re.split(r",\s*(?=url=)", text.strip().rstrip(";,")):
        fields = dict(re.findall(r"(?:^|;)\s*(url|seq|rtptime)\s*=\s*([^;]*)", part))
        sequence, rtptime = (_number(fields.get(name)) for name in ("seq", "rtptime"))
        quirks += ["rtptime-bad"] * ("rtptime" in fields and rtptime is None)
        quirks += ["rtp-info-incomplete"] * (fields.keys() != {"url", "seq", "rtptime"})
        quirks += ["rtptime-zero"] * (rtptime == 0 and sequence in {0, 1})
        found.append(TrackStart(url=fields.get("url", ""), sequence=sequence, rtptime=rtptime))
    return tuple(found), quirks


def _number(text: str | None) -> int | None:
    clean = (text or "").strip()
    return int(clean) if clean.isascii() and clean.isdigit() and int(clean) < 2**32 else None


def parse_sdp(text: str) -> tuple[tuple[Media, ...], list[str]]:
    r"""Return the media of a description and its quirks; unknown lines are passed over.

    >>> media, quirks = parse_sdp("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H265/90000\n")
    >>> media[0].codec, quirks
    ('h265', ['sdp-without-origin', 'parameter-sets-missing'])
    """
    lines = text.replace("\r\n", "\n").split("\n")
    quirks = ["sdp-blanks"] * any(line != line.rstrip() for line in lines)
    quirks += ["sdp-without-origin"] * (not any(line.startswith("o=") for line in lines))
    sections: list[list[str]] = []
    for line in (line.strip() for line in lines):
        if line.startswith("m="):
            sections.append([line])
        elif sections:
            sections[-1].append(line)
    media: list[Media] = []
    for section in sections:
        one, found = _media(section)
        media.append(one)
        quirks += found
    return tuple(media), list(dict.fromkeys(quirks))


def _media(section: list[str]) -> tuple[Media, list[str]]:
    kind, _, rest = section[0][2:].partition(" ")
    words = rest.split()
    payload = int(words[2]) if len(words) > 2 and words[2].isdigit() else -1
    named: dict[str, list[str]] = {}
    for line in section[1:]:
        if line.startswith("a="):
            name, _, told = line[2:].partition(":")
            named.setdefault(name.strip().lower(), []).append(told.strip())
    rates = [*named.get("framerate", []), *named.get("x-framerate", [])]
    good = [rate for rate in rates if _FPS.fullmatch(rate) and _fps(rate) > 0]
    size = _size(named)
    codec, clock_hz = _codec(named.get("rtpmap", []), payload)
    fmtp = " ".join(named.get("fmtp", []))
    control = (named.get("control") or [""])[0]
    made = Media(
        kind=kind,
        payload=payload,
        codec=codec,
        clock_hz=clock_hz,
        control=control,
        width_px=size[0],
        height_px=size[1],
        declared_fps=_fps(good[0]) if good else float("nan"),
        has_parameter_sets="sprop-" in fmtp,
    )
    return made, _media_quirks(made, rates, len(good), fmtp)


def _media_quirks(media: Media, rates: list[str], good: int, fmtp: str) -> list[str]:
    if media.kind != "video":
        return []
    level = re.search(r"profile-level-id=([^;\s]*)", fmtp)
    sets = re.findall(r"sprop-parameter-sets=([^;\s]*)", fmtp)
    needs_sets = media.codec in {"h264", "h265"}
    checks = {
        "framerate-nonsense": good < len(rates),
        "framerate-twice": len(rates) > 1,
        "control-absolute": "://" in media.control,
        "level-nonsense": level is not None and not re.fullmatch(r"[0-9A-Fa-f]{6}", level[1]),
        "parameter-sets-missing": needs_sets and not media.has_parameter_sets,
        "parameter-sets-padded": any("AAAAAE=" in one or "AAAAAB," in f"{one}," for one in sets),
    }
    return [name for name, holds in checks.items() if holds]


def _fps(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under or 1) if float(under or 1) else 0.0


def _size(named: dict[str, list[str]]) -> tuple[int, int]:
    for name in ("x-dimensions", "framesize"):
        for told in named.get(name, []):
            found = re.search(r"(\d{2,5})\s*[,x-]\s*(\d{2,5})\s*$", told)
            if found:
                return int(found[1]), int(found[2])
    return 0, 0


def _codec(maps: list[str], payload: int) -> tuple[str, int]:
    for told in maps:
        found = re.match(r"(\d+)\s+([^/\s]+)/(\d+)", told)
        if found and int(found[1]) == payload:
            return found[2].lower(), int(found[3])
    return {26: "jpeg", 0: "pcmu", 8: "pcma"}.get(payload, ""), 90_000 if payload == 26 else 8_000


def answers_quirks(answers: list[RtspAnswer]) -> tuple[str, ...]:
    """Return the quirks of a whole conversation, each once."""
    found = [quirk for answer in answers for quirk in answer.quirks]
    sessions = {answer.session for answer in answers if answer.session}
    timeouts = {a.timeout_s for a in answers if "timeout" in a.headers.get("session", "")}
    found += ["session-changes"] * (len(sessions) > 1)
    found += ["session-timeout-changes"] * (len(timeouts) > 1)
    return tuple(dict.fromkeys(found))
