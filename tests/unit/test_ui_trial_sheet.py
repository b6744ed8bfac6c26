"""The trial sheet: markers and lines that a study can use as they are."""

import csv

import pytest

from emg_acquisition.errors import InputError
from teleoperation.trial_sheet import COLUMNS, Task, TrialSheet, load_tasks


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def sheet_of(tmp_path, tasks=()):
    events, clock = [], Clock()
    return TrialSheet(tasks, events.append, clock, tmp_path), events, clock


def lines_of(tmp_path):
    with (tmp_path / "trials.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_trials_follow_the_list_and_fill_the_sheet(tmp_path):
    sheet, events, clock = sheet_of(tmp_path, (Task(name="cup", trials=2, limit_s=60), Task(name="door")))
    for outcome, seconds in (("success", 12.5), ("fail", 70.0), ("success", 3.0)):
        sheet.start()
        clock.now_s += seconds
        if outcome == "fail":
            assert sheet.view.over_time
            sheet.note("dropped,\n the cup")
        assert sheet.end(outcome)
    assert [line["task"] for line in lines_of(tmp_path)] == ["cup", "cup", "door"]
    assert [line["outcome"] for line in lines_of(tmp_path)] == ["success", "fail", "success"]
    assert [float(line["seconds"]) for line in lines_of(tmp_path)] == [12.5, 70.0, 3.0]
    assert lines_of(tmp_path)[1]["notes"] == "dropped, the cup"
    assert [event.kind for event in events] == [
        "task_start",
        "task_success",
        "task_start",
        "note",
        "task_fail",
        "task_start",
        "task_success",
    ]
    assert events[0].fields == {"task": "cup", "trial": 1}
    assert (sheet.view.done, sheet.view.total, sheet.view.task) == (3, 3, None)


def test_a_line_is_there_as_soon_as_its_trial_has_ended(tmp_path):
    sheet, _, _ = sheet_of(tmp_path)
    sheet.start()
    assert not (tmp_path / "trials.csv").exists()
    sheet.end("success")
    assert (tmp_path / "trials.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)
    assert lines_of(tmp_path)[0]["task"] == "free"


def test_an_end_without_a_beginning_is_refused(tmp_path):
    sheet, events, _ = sheet_of(tmp_path)
    assert not sheet.end("success")
    assert not events


def test_a_trial_begun_again_counts_once_and_says_so(tmp_path):
    sheet, events, clock = sheet_of(tmp_path, (Task(name="cup"),))
    sheet.start()
    clock.now_s += 5
    sheet.start()
    clock.now_s += 2
    sheet.end("success")
    assert [event.kind for event in events] == ["task_start", "task_abort", "task_start", "task_success"]
    assert [float(line["seconds"]) for line in lines_of(tmp_path)] == [2.0]
    assert sheet.view.done == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: []", "tasks"),
        ("tasks: [{name: cup}, {name: cup}]", "two tasks are named 'cup'"),
        ("tasks: [{name: cup, trials: 0}]", r"tasks.0.trials"),
        ("cup", "t.yaml"),
    ],
)
def test_a_bad_list_is_one_clear_line(tmp_path, text, words):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        load_tasks(tmp_path / "t.yaml")
