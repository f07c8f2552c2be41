"""A small project that has run once, in which stages are disturbed and DVC then puts everything right."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from fault_points import STAGES, Point
from small_project import Project

from efficientad.pipeline.leftovers import drop_stages

HOOKS = Path(__file__).parent / "hooks"
UNDISTURBED = "undisturbed.lock"  # dvc.lock of the run that nothing disturbed
# Root reads every file; without these capabilities it obeys a file's mode, as every other user does.
OBEY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
FULL_DISK_BYTES = 100_000
_TIMEOUT = 900  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of a point; `exit` of the disturbed stage, `said` its last line, `recovered` by the next repro."""

    stage: str
    fault: str
    exit: int
    said: str
    recovered: bool
    note: str = ""

    def describe(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self)


class FaultProject(Project):
    """One product, sizes S and L, with params so small that a stage takes seconds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if not (root / UNDISTURBED).is_file():
            super().__init__(root)
            self.change_params(lambda tree: tree.update(categories=["disc"], category={"disc": {}}))
            self.dvc("repro", "-q")
            shutil.copy(root / "dvc.lock", root / UNDISTURBED)
        self.lock = (root / UNDISTURBED).read_text("utf-8")
        self.outs = {
            name: [out["path"] for out in stage["outs"]] for name, stage in yaml.safe_load(self.lock)["stages"].items()
        }
        self.seconds: dict[str, float] = {}  # of each stage's work
        self.calls: dict[str, dict[str, int]] = {}

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"OMP_NUM_THREADS": "2", "DVC_NO_ANALYTICS": "1"}

    def measure(self, stage: str) -> None:
        """Run a stage undisturbed, for its time and the number of its writes."""
        if stage in self.seconds:
            return
        counts = self.root / ".scratch/counts.json"
        running = self.start(stage, {"count": str(counts)})
        self.wait_for_work(running, stage)
        started = time.monotonic()
        while self.locate_lock(stage).exists() and running.poll() is None:
            time.sleep(0.005)
        self.seconds[stage] = time.monotonic() - started
        out, err = running.communicate(timeout=_TIMEOUT)
        assert running.returncode == 0, out + err
        self.calls[stage] = json.loads(counts.read_text())
        counts.unlink()

    def start(self, stage: str, fault: dict, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a stage's script as DVC would: without the results of its last run."""
        self.forget(stage)
        self.locate_lock(stage).unlink(missing_ok=True)  # a killed one leaves it
        path = os.pathsep.join([str(HOOKS), self.environment["PYTHONPATH"]])
        environment = self.environment | {"PYTHONPATH": path, "FAULT": json.dumps(fault)}
        script, *words = STAGES[stage]
        line = [*prefix, sys.executable, f"stages/{script}", *words]
        return subprocess.Popen(
            line, cwd=self.root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def forget(self, stage: str) -> None:
        """Leave a stage as before its first run: no results, and no entry by which DVC finds them in its cache."""
        stages = yaml.safe_load(self.lock)["stages"]
        (self.root / "dvc.lock").write_text(drop_stages(self.lock, set(stages) - {stage}), "utf-8")
        for path in self.outs[stage]:
            place = self.root / path
            if place.is_dir():
                shutil.rmtree(place)
            place.unlink(missing_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)

    def locate_lock(self, stage: str) -> Path:
        """Return the file that a stage holds while it works."""
        return self.root / f".scratch/{'-'.join(STAGES[stage])}.lock"

    def wait_for_work(self, running: subprocess.Popen[str], stage: str) -> None:
        """Wait until a stage has loaded its libraries and begins: it takes its lock then."""
        deadline = time.monotonic() + _TIMEOUT
        while not self.locate_lock(stage).exists() and running.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def recover(self) -> tuple[bool, str]:
        """Run `dvc repro`; return whether all is as in the undisturbed run, and what is not."""
        done = subprocess.run([sys.executable, "-m", "dvc", "repro", "--no-run-cache"], cwd=self.root,
                              env=self.environment, capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            return False, done.stderr.strip().splitlines()[-1]
        if yaml.safe_load((self.root / "dvc.lock").read_text("utf-8")) != yaml.safe_load(self.lock):
            return False, "dvc.lock differs"
        left = [path for path in self.root.rglob("*.part") if ".dvc" not in path.parts]
        left += [path for path in self.root.glob(".scratch/*") if path.suffix not in (".jsonl", ".lock")]
        return not left, f"left over: {', '.join(map(str, left))}" if left else ""

    def stop(self, point: Point) -> tuple[int, str]:
        """End a stage by a signal, at a moment or at a write; return its code and what it said last."""
        self.measure(point.stage)
        if point.kind == "write":
            nth = 1 + round(point.share * (self.calls[point.stage][point.call] - 1))
            running = self.start(point.stage, {"call": point.call, "nth": nth, "signal": int(point.number)})
        else:
            running = self.start(point.stage, {})
            self.wait_for_work(running, point.stage)
            time.sleep(point.share * self.seconds[point.stage])
            running.send_signal(point.number)
        return finish(running)

    def fill_disk(self, point: Point) -> tuple[int, str]:
        """Run a stage whose results go to a file system that is too small for them."""
        place = self.root / next(path for path in self.outs[point.stage] if path.startswith(("data/", "models/")))
        self.forget(point.stage)
        folder, kept = place if not place.suffix else place.parent, self.root / ".scratch/kept"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, kept)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_BYTES}", "tmpfs", str(folder)], check=True)
        try:
            for file in self.list_needed(point.stage, folder):  # its inputs lie on a disk that has room
                (folder / file.name).symlink_to(kept / file.name)
            return finish(self.start_beside(point.stage))
        finally:
            subprocess.run(["umount", str(folder)], check=True)
            shutil.rmtree(kept)

    def list_needed(self, stage: str, folder: Path) -> list[Path]:
        """Return a stage's inputs in a folder of its results."""
        deps = yaml.safe_load(self.lock)["stages"][stage]["deps"]
        return [self.root / dep["path"] for dep in deps if (self.root / dep["path"]).parent == folder]

    def start_beside(self, stage: str) -> subprocess.Popen[str]:
        """Start a stage and leave the folders of its results, which are mounted."""
        outs, self.outs = self.outs, self.outs | {stage: []}  # so that `forget` leaves them
        try:
            return self.start(stage, {})
        finally:
            self.outs = outs

    def forbid_reading(self, point: Point) -> tuple[int, str]:
        """Run a stage that may not read its first input."""
        deps = [dep["path"] for dep in yaml.safe_load(self.lock)["stages"][point.stage]["deps"]]
        forbidden = self.root / next(path for path in deps if not path.startswith(("src/", "stages/")))
        mode = forbidden.stat().st_mode
        forbidden.chmod(0)
        try:
            return finish(self.start(point.stage, {}, OBEY if os.geteuid() == 0 else ()))
        finally:
            forbidden.chmod(mode)

    def repro_twice(self) -> tuple[int, str]:
        """Run two `dvc repro` at once; return the code and the last word of the one that was refused, if one was."""
        self.forget("summary")
        line = [sys.executable, "-m", "dvc", "repro", "--no-run-cache"]
        both = [subprocess.Popen(line, cwd=self.root, env=self.environment, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for _ in range(2)]  # fmt: skip
        return max(finish(running) for running in both)

    def orphan(self, point: Point) -> tuple[int, str]:
        """Kill `dvc repro` alone, so that its stage goes on; the recovery begins while it does."""
        self.forget(point.stage)
        self.locate_lock(point.stage).unlink(missing_ok=True)
        line = [sys.executable, "-m", "dvc", "repro", "--no-run-cache", point.stage]
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            running = subprocess.Popen(line, cwd=self.root, env=self.environment, stdout=nowhere, stderr=nowhere)
            while not self.locate_lock(point.stage).exists():
                time.sleep(0.005)
            running.kill()
            running.wait()
        return -signal.SIGKILL, ""

    def disturb(self, point: Point) -> tuple[int, str]:
        """Make a point's fault; return the code and the last word of what was disturbed."""
        match point.kind:
            case "moment" | "write":
                return self.stop(point)
            case "disk":
                return self.fill_disk(point)
            case "reading":
                return self.forbid_reading(point)
            case "two":
                return self.repro_twice()
            case "orphan":
                return self.orphan(point)
            case _:
                return finish(self.start(point.stage, point.fault))

    def try_point(self, point: Point) -> Outcome:
        """Disturb, then recover."""
        code, said = self.disturb(point)
        recovered, note = self.recover()
        return Outcome(point.stage, point.where, code, said, recovered, note)


def finish(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Return a process's code and the last line of its stderr; of a traceback all of it counts as that."""
    _, err = running.communicate(timeout=_TIMEOUT)
    lines = err.strip().splitlines()
    said = lines[-1] if lines and running.returncode else ""
    return running.returncode, f"Traceback: {said}" if "Traceback" in err and running.returncode else said
