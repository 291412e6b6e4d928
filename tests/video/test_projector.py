"""Films coloured: what comes out beside what went in."""

import json
from dataclasses import dataclass

import av
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from colorization.album import photos
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.darkroom import Darkroom
from colorization.data.decode import to_tensor
from colorization.painter import Painter
from colorization.prints import printed
from colorization.projector import Projector, refuse
from colorization.video import segments
from colorization.video.film import film
from tests.video.made import coffee, panned, rocket, write

VFR = [0, 10, 40, 41, 90, 200, 210, 260, 300, 333]  # ticks of 1/600 s


@dataclass(frozen=True)
class Stub(Painter):
    """Colours by lightness; counts what it is asked for, and may be killed."""

    colorizer: object = torch.nn.Linear(1, 1)
    size: int = 32
    most: int = 1000
    asked: list = None

    def found(self, original):
        if self.asked is not None:
            self.asked.append(original)
            if len(self.asked) > self.most:
                raise KeyboardInterrupt
        L, _ = lab.split(to_tensor(original.shown(self.seen(original.size))))
        return L, torch.cat([L / 4, 20 - L / 3], dim=1)


def coloured(source, out, painter=None, **settings):
    (photo,) = photos([source], out)
    (outcome,) = Projector(painter or Stub(), "stub", **settings).develop({photo: "key"})
    return outcome


def decoded(path):
    with av.open(str(path)) as container:
        shown = [(f.pts * f.time_base, np.rot90(f.to_ndarray(format="rgb24"), f.rotation // 90))
                 for f in container.decode(video=0)]  # fmt: skip
    times, frames = zip(*shown, strict=True)
    return [float(t) for t in times], np.stack(frames)


def sound(path):
    with av.open(str(path)) as container:
        (track,) = container.streams.audio
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(track) if p.dts is not None]


def test_time_sound_and_lightness_stay(tmp_path):
    clip = write(tmp_path / "film.mp4", panned(coffee(), 10), VFR, title="Röst")
    outcome = coloured(clip, tmp_path / "out")
    made = tmp_path / "out/film.mp4"
    assert not outcome.fault and outcome.tone == "grey" and "1 scene" in outcome.said[0]
    (times, before), (after_times, after) = decoded(clip), decoded(made)
    assert after_times == times == [pts / 600 for pts in VFR]
    assert sound(made) == sound(clip) and len(sound(made)) > 7
    assert after.std(axis=-1).max() > 10 > 1 > before.std(axis=-1).max()
    one, other = (lab.split(torch.from_numpy(x).movedim(-1, 1))[0] for x in (before, after))
    assert (one - other).abs().mean() < 1  # what H.264 and its shared chroma do
    with av.open(str(made)) as container:
        assert container.metadata["title"] == "Röst" and "model stub" in container.metadata["comment"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["film.mp4"]
    assert made.stat().st_mtime_ns == clip.stat().st_mtime_ns


def test_what_was_turned_stands_upright(tmp_path):
    clip = write(tmp_path / "film.mov", panned(coffee(), 3), turn=90, sound=False)
    coloured(clip, tmp_path / "out")
    (_, before), (_, after) = decoded(clip), decoded(tmp_path / "out/film.mov")
    assert after.shape == before.shape == (3, 96, 64, 3)
    assert abs(after.mean(axis=-1) - before.mean(axis=-1)).mean() < 8


def test_what_holds_no_such_pictures_becomes_mkv_with_its_sound(tmp_path):
    odd = [frame[:63, :95] for frame in panned(coffee(), 4)]
    clip = write(tmp_path / "film.avi", odd, codec="mpeg4")
    coloured(clip, tmp_path / "out")
    heard = sound(tmp_path / "out/film.mkv")
    assert b"".join(data for _, data in heard) == b"".join(data for _, data in sound(clip))
    assert decoded(tmp_path / "out/film.mkv")[1].shape == (4, 63, 95, 3)


def test_black_of_16_is_black(tmp_path):
    ramp = np.repeat(np.linspace(16, 235, 96).round()[None, :, None], 64, axis=0).repeat(3, axis=-1)
    made = write(tmp_path / "film.mkv", [ramp.astype(np.uint8)], codec="ffv1", kind="gray", sound=False)
    with film(made) as source:
        (frame,) = source.frames()
    assert frame.picture.grey and (frame.picture.pixels.min(), frame.picture.pixels.max()) == (0, 255)


def test_killed_it_goes_on_to_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr("colorization.projector.FRAMES", 5)
    clip = write(tmp_path / "film.mp4", panned(coffee(), 8) + panned(rocket(), 6))
    coloured(clip, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        coloured(clip, tmp_path / "out", Stub(most=12, asked=[]))
    assert (tmp_path / "out/film.mp4.partial").is_dir() and not (tmp_path / "out/film.mp4").exists()
    painter = Stub(asked=[])
    outcome = coloured(clip, tmp_path / "out", painter)
    assert len(painter.asked) == 14 - 10 and "14 frames, 2 scenes" in outcome.said[0]
    assert (tmp_path / "out/film.mp4").read_bytes() == (tmp_path / "whole/film.mp4").read_bytes()


def test_segments_of_other_settings_are_not_taken(tmp_path):
    kept = segments.Segments(tmp_path / "film.partial", "one")
    kept.close({"frames": 5})
    assert segments.Segments(tmp_path / "film.partial", "one").done == 1
    assert segments.Segments(tmp_path / "film.partial", "other").done == 0


def test_a_film_with_colours_is_noticed(tmp_path):
    clip = write(tmp_path / "film.mp4", panned(coffee(), 4), grey=False)
    assert coloured(clip, tmp_path / "skipped", toned="skip").skipped
    coloured(clip, tmp_path / "kept", toned="keep")
    assert (tmp_path / "kept/film.mp4").read_bytes() == clip.read_bytes()
    assert not (tmp_path / "skipped").exists()


def test_photos_and_films_share_a_folder_and_faults_are_lines(tmp_path):
    album, out = tmp_path / "album", tmp_path / "out"
    album.mkdir()
    clip = write(album / "film.mp4", panned(coffee(), 3))
    (album / "broken.mp4").write_bytes(clip.read_bytes()[:3000])
    with av.open(str(album / "heard.mkv"), "w") as container:
        track = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    Image.fromarray(coffee()).save(album / "photo.jpg")
    cfg = composed("predict", [])
    for count in (2, 0):
        painter, planned = Stub(asked=[]), photos([album], out)
        assert printed(cfg, planned, Darkroom(painter, "stub"), Projector(painter, "stub"), out) == 1
        assert bool(painter.asked) == bool(count)  # a second call makes nothing again
    lines = [json.loads(line) for line in (out / "predict.jsonl").read_text(encoding="utf-8").splitlines()]
    faults = {line["source"].rsplit("/")[-1]: line["fault"] for line in lines}
    assert not faults["film.mp4"] and not faults["photo.jpg"]
    assert "no film that FFmpeg can read" in faults["broken.mp4"] and "only sound" in faults["heard.mkv"]
    assert sorted(p.name for p in out.iterdir()) == ["film.mp4", "photo.jpg", "predict.jsonl", "report.html"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"hints": "clicks.json"}, "points belong to one picture"), ({"samples": 4}, "one colouring"),
     ({"layer": True}, "leave it out"), ({"steady": 1}, "0.9")],
)  # fmt: skip
def test_what_a_film_cannot_follow_is_refused(tmp_path, setting, said):
    (tmp_path / "film.mp4").touch()
    planned = photos([tmp_path / "film.mp4"], tmp_path / "out")
    cfg = {"hints": None, "samples": 0, "layer": False, "steady": 0.9}
    refuse(OmegaConf.create(cfg), planned)
    with pytest.raises(ConfigError, match=said):
        refuse(OmegaConf.create(cfg | setting), planned)
