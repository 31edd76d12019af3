"""Refuse bytes without a sound file's header, such as raw PCM, that libsndfile would decode."""

from speechgru.audio import ffmpeg, mpeg
from speechgru.audio.sound_files import Content
from speechgru.errors import AudioError


def refuse_headerless(content: Content, name: str) -> Content:
    """Return encoded sound, of MPEG audio only the frames.

    Raises:
        AudioError: the bytes begin like MPEG audio or an Akai MPC file, but are neither.
    """
    head = content.head(ffmpeg.HEAD_BYTES)
    if ffmpeg.identify(head):
        return content
    if mpeg.begins_like_mpeg(head):
        data = mpeg.skip_id3(content.read())
        if ffmpeg.identify(data[: ffmpeg.HEAD_BYTES]):  # AAC behind a tag
            return Content(data)
        frames = mpeg.frames(data)
        if frames or not mpeg.begins_like_mpeg(data[:3]):
            return Content(frames or data)
    elif head[:2] != b"\x01\x04" or _is_name(head[2:18]):  # an Akai MPC file: 01 04, then a name
        return content
    raise AudioError(
        f"{name}: expected sound that libsndfile can decode, found: no header of a sound file "
        "(raw samples need an array and sample_rate)"
    )


def _is_name(data: bytes) -> bool:
    return data.isascii() and data.replace(b"\0", b" ").decode("ascii").isprintable()
