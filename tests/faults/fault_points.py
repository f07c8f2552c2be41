"""Which faults are tried at which stage, the same ones every time."""

import random
import signal
from dataclasses import dataclass, field

# Each stage, as DVC names it, and the words of its script.
STAGES = {
    "names": ("names.py",),
    "prepare@disc": ("prepare.py", "disc"),
    "pretraining": ("pretraining.py",),
    "distill@S": ("distill.py", "S"),
    "train@S-disc-0": ("train.py", "S", "disc", "0"),
    "fit@S-disc-0": ("fit.py", "S", "disc", "0"),
    "fit@L-disc-0": ("fit.py", "L", "disc", "0"),
    "calibrate@L-disc-0": ("calibrate.py", "L", "disc", "0"),
    "evaluate@L-disc-0": ("evaluate.py", "L", "disc", "0"),
    "export@L-disc-0": ("export.py", "L", "disc", "0"),
    "report@L-disc-0": ("report.py", "L", "disc", "0"),
    "summary": ("summary.py",),
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
BRIEF = ("names",)  # over before a moment of their work can be met
WRITES = 2  # of each stage, at which it is ended
SEED = 0


@dataclass(frozen=True)
class Point:
    """A fault at a stage.

    kind: moment | write | disk | small files | reading | memory | clock | two | orphan. share: of its time or of
    its writes, where the fault comes.
    """

    stage: str
    kind: str
    number: signal.Signals | None = None
    share: float = 0.0
    call: str = ""
    fault: dict[str, int] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The fault in words."""
        if self.kind == "moment":
            return f"{self.number.name} after {self.share:.0%} of its time"
        if self.kind == "write":
            what = {"fsync": "a file is on the disk", "replace": "a file takes its name"}[self.call]
            return f"{self.number.name} just before {what}, {self.share:.0%} of its writes done"
        return {
            "disk": "the disk is full (a file system of 100 kB)",
            "small files": f"no file may grow beyond {self.fault.get('file_bytes')} bytes",
            "reading": "its first input may not be read",
            "memory": f"{self.fault.get('megabytes')} MB of memory and no more",
            "clock": "the clock stands a year back",
            "two": "two `dvc repro` at once",
            "orphan": "`dvc repro` is killed, the stage goes on; the next one starts at once",
        }[self.kind]


def list_points() -> list[Point]:
    """Return all points, in the pipeline's order."""
    rng = random.Random(SEED)
    points = []
    for stage in STAGES:
        for number in () if stage in BRIEF else SIGNALS:
            points.append(Point(stage, "moment", number, round(rng.uniform(0.02, 0.95), 2)))
        for index in range(0 if stage in BRIEF else WRITES):
            number = SIGNALS[rng.randrange(len(SIGNALS))]
            points.append(Point(stage, "write", number, round(rng.random(), 2), ("fsync", "replace")[index]))
        points += [point for point in OTHERS if point.stage == stage]
    return points


OTHERS = [
    Point("names", "write", signal.SIGKILL, 0.5, "replace"),
    Point("names", "write", signal.SIGTERM, 0.5, "fsync"),
    Point("names", "small files", fault={"file_bytes": 10}),
    Point("prepare@disc", "disk"),
    Point("prepare@disc", "reading"),
    Point("prepare@disc", "memory", fault={"megabytes": 1}),
    Point("prepare@disc", "clock", fault={"clock_back_s": 31536000}),
    Point("pretraining", "disk"),
    Point("distill@S", "small files", fault={"file_bytes": 100_000}),
    Point("distill@S", "small files", fault={"file_bytes": 3_000_000}),
    Point("train@S-disc-0", "write", signal.SIGKILL, 0.2, "replace"),
    Point("train@S-disc-0", "write", signal.SIGTERM, 0.6, "fsync"),
    Point("train@S-disc-0", "small files", fault={"file_bytes": 1_000_000}),
    Point("train@S-disc-0", "memory", fault={"megabytes": 50}),
    Point("train@S-disc-0", "clock", fault={"clock_back_s": 31536000}),
    Point("train@S-disc-0", "orphan"),
    Point("fit@L-disc-0", "disk"),
    Point("fit@L-disc-0", "reading"),
    Point("fit@L-disc-0", "memory", fault={"megabytes": 20}),
    Point("evaluate@L-disc-0", "small files", fault={"file_bytes": 2_000}),
    Point("export@L-disc-0", "disk"),
    Point("export@L-disc-0", "small files", fault={"file_bytes": 500_000}),
    Point("export@L-disc-0", "reading"),
    Point("report@L-disc-0", "small files", fault={"file_bytes": 10_000}),
    Point("summary", "two"),
]
