"""Encoded segments and the rest of a film, its sound as it is, in one file."""

from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any

from colorization.video.film import Film

# FFmpeg's names of what is written; any other film becomes a .mkv, which holds every kind of sound.
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
OTHER = ".mkv"


def suffix(name: str) -> str:
    """What a film with this suffix becomes."""
    return name if name.lower() in FORMATS else OTHER


def join(source: Film, segments: Sequence[Path], path: Path, kind: str, note: str) -> list[str]:
    """Write a film: pictures of the segments, sound and subtitles of the source, packet by packet.

    Args:
        source: freshly opened.
        segments: of one encoding, in order.
        path: the file.
        kind: its suffix, one of `FORMATS`.
        note: its comment.

    Returns:
        what there is to say: streams that this kind of file cannot hold.
    """
    import av

    said, copied = [], {}
    with av.open(
        str(path), "w", format=FORMATS[kind.lower()], container_options={"fflags": "bitexact"}
    ) as container:
        container.metadata.update(source.container.metadata | {"comment": note})
        container.set_chapters(source.container.chapters())
        with av.open(str(segments[0])) as first:
            pictures = container.add_stream_from_template(first.streams.video[0])
        for stream in source.others:
            try:
                copied[stream.index] = container.add_stream_from_template(stream)
            except (ValueError, av.FFmpegError):
                said.append(f"its {stream.type} ({stream.codec_context.name}) does not fit into {kind}")
        others = _copied(source, copied)
        for _, packet in merge(_pictures(segments, pictures), others, key=lambda pair: pair[0]):
            container.mux_one(packet)
    return said


def _pictures(segments: Sequence[Path], stream: Any) -> Iterator[tuple[float, Any]]:
    import av

    for path in segments:
        with av.open(str(path)) as container:
            yield from _timed(container.demux(video=0), {0: stream})


def _copied(source: Film, streams: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    kept = [stream for stream in source.others if stream.index in streams]
    return _timed(source.container.demux(kept), streams) if kept else iter(())


def _timed(packets: Iterator[Any], streams: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    """Packets of their new streams, each with its second."""
    for packet in packets:
        if packet.dts is not None:
            second = float(packet.dts * packet.time_base)
            packet.stream = streams[packet.stream.index]
            yield second, packet
