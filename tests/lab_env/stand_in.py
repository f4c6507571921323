"""A stand-in for ``lab_env.grade``: does what the hand-in's plan says, in a moment.

``python -m stand_in JOB.json``; the plan is ``plan.json`` in the folder handed in.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from lab_env.durable import settle


def main(job_file: str) -> int:
    """Run the plan and leave a result folder like the real one."""
    job = json.loads(Path(job_file).read_text("utf-8"))
    plan = json.loads(Path(job["handed_in"], "plan.json").read_text("utf-8"))
    note(plan, "start")
    act(plan)
    write(Path(job["result"]), job, plan)
    note(plan, "end")
    return 0


def note(plan: dict[str, Any], what: str) -> None:
    """Add a line to the log of all jobs: name, process, parent, what happened."""
    if "log" in plan:
        with open(plan["log"], "a", encoding="utf-8") as log:
            log.write(f"{plan['name']} {os.getpid()} {os.getppid()} {what}\n")


def act(plan: dict[str, Any]) -> None:
    """Sleep, fail, or kill, as planned; with "once", only the first time."""
    once = plan.get("once")
    if once:
        try:
            Path(once).touch(exist_ok=False)
        except FileExistsError:
            return
    time.sleep(plan.get("seconds", 0))
    if "memory_mb" in plan:
        import resource

        most = plan["memory_mb"] * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        bytearray(4 * most)
    if plan.get("kill") == "job":
        os.kill(os.getpid(), signal.SIGKILL)
    if plan.get("kill") == "parent":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if "exit" in plan:
        sys.exit(plan["exit"])


def write(final: Path, job: dict[str, Any], plan: dict[str, Any]) -> None:
    """Write the result folder, whole; the first one stays."""
    fresh = final.with_name(f".{os.getpid()}-{uuid4().hex}")
    (fresh / "deliverables").mkdir(parents=True)
    (fresh / "deliverables" / "said.txt").write_text(plan.get("says", ""), "utf-8")
    (fresh / "executed.ipynb").write_text("{}", "utf-8")
    sheet = plan.get("sheet", {}) | {"candidate": job["candidate"]}
    sheet |= {"attempt": job["attempt"], "gpu": os.environ.get("CUDA_VISIBLE_DEVICES")}
    (fresh / "sheet.json").write_text(json.dumps(sheet), "utf-8")
    settle(fresh, final)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
