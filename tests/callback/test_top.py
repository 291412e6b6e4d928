"""The best few checkpoints are kept, and a resumed run knows them by their names."""

from colorization.callback.top import ranked


def test_the_best_few_are_kept_and_open(trains):
    settings = ("budget.steps=10", "trainer.val_check_interval=2", "callback=[top]", "callback.top.k=2")
    job = trains(*settings, "run.dir=run")
    kept = ranked(job.folder / "checkpoints", "higher")
    rows = (job.folder / "metrics.csv").read_text(encoding="utf-8").splitlines()
    column = rows[0].split(",").index("val/psnr")
    scores = sorted(
        (float(cells[column]) for row in rows[1:] if (cells := row.split(","))[column]), reverse=True
    )
    assert len(scores) == 5 and len(kept) == 2
    assert all(abs(score - best) < 1e-3 for (score, _), best in zip(kept, scores, strict=False))
    from colorization.reopen import open_run

    assert open_run(kept[0][1]).colorizer()


def test_lower_is_better_where_it_is(tmp_path):
    for name in ("top_1_3.5.ckpt", "top_2_1.25.ckpt", "top_3_-2e-05.ckpt", "best.ckpt", "top_x.ckpt"):
        (tmp_path / name).touch()
    assert [score for score, _ in ranked(tmp_path, "lower")] == [-2e-05, 1.25, 3.5]
    assert [score for score, _ in ranked(tmp_path, "higher")] == [3.5, 1.25, -2e-05]
