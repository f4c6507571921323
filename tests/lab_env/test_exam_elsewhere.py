"""A real pile on a Dask cluster: the same marks, whatever happens to the nodes."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clusters import children, cluster
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from graded_toy import ID, gold, hand_in, seal_toy

from lab_env.errors import LabError
from lab_env.exam import GradingReport, Site, grade_folder
from lab_env.record import Record

TLS = "DASK_DISTRIBUTED__COMM__TLS__"

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Return a folder with three hand-ins."""
    for name in ("good", "again"):
        hand_in(tmp_path / "pile", name, **gold())
    hand_in(tmp_path / "pile", "blank")
    return tmp_path / "pile"


def grade(course: Path, pile: Path, engine: str, **more: Any) -> GradingReport:
    """Grade the pile in a course of its own, cold, to be quick."""
    release = seal_toy(course)
    site = Site(engine, workers=2, cold=True, **more)
    return grade_folder(course, release, pile, gradebook=False, site=site)


def marks(report: GradingReport) -> dict[str, Any]:
    """Return the rows of each candidate."""
    return {row.candidate: row.sheet and row.sheet.rows for row in report.rows}


def test_the_marks_are_the_same_elsewhere(tmp_path: Path, pile: Path) -> None:
    """Row by row, with a worker killed on the way; the record is written here alone."""
    with cluster(tmp_path / "cluster") as made:
        door = made.worker("--slots", "2")
        nanny: list[int] = []
        workers: list[int] = []

        def kill(sentence: str) -> None:
            if sentence.startswith("Sending"):
                nanny.extend(children(door.pid))
                workers.extend(pid for each in nanny for pid in children(each))

        def strike(done: int, total: int, row: object) -> None:
            while workers:
                with_suppressed_kill(workers.pop())

        release = seal_toy(tmp_path / "there")
        there = grade_folder(
            tmp_path / "there",
            release,
            pile,
            gradebook=False,
            progress=strike,
            site=Site(made.address, cold=True, say=kill),
        )
    here = grade(tmp_path / "here", pile, "")

    assert marks(there) == marks(here)
    assert nanny
    record = Record.open(tmp_path / "there")
    assert record.verify().size == 6
    kept = tmp_path / "there" / "results" / ID / "good"
    assert [path.name for path in kept.glob("*/deliverables/*.json")] == ["counts.json"]


def with_suppressed_kill(pid: int) -> None:
    """SIGKILL a process, if it is still there."""
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return


def test_a_pile_goes_on_with_a_new_scheduler(tmp_path: Path, pile: Path) -> None:
    """The scheduler is killed after the first mark: that mark stays, the rest is made."""
    course = tmp_path / "course"
    release = seal_toy(course)
    with cluster(tmp_path / "first") as made:
        made.worker("--slots", "1")

        def strike(done: int, total: int, row: object) -> None:
            made.scheduler.kill()

        site = Site(made.address, cold=True)
        with pytest.raises(LabError, match=r"is gone .* what was graded is kept"):
            grade_folder(
                course, release, pile, gradebook=False, progress=strike, site=site
            )
    with cluster(tmp_path / "second") as made:
        made.worker("--slots", "2")
        site = Site(made.address, cold=True)
        report = grade_folder(course, release, pile, gradebook=False, site=site)

    outcomes = sorted(row.outcome for row in report.rows)
    assert outcomes == ["already graded", "graded", "graded"]
    assert Record.open(course).verify().size == 6


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Return what Dask's own configuration says of a certificate made for the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "exam room")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "both.pem").write_bytes(secret + pem)
    (tmp_path / "ca.pem").write_bytes(pem)
    both = str(tmp_path / "both.pem")
    roles = {f"{TLS}{role}__CERT": both for role in ("SCHEDULER", "WORKER", "CLIENT")}
    return roles | {f"{TLS}CA_FILE": str(tmp_path / "ca.pem")}


def test_a_cluster_with_certificates(
    tmp_path: Path, pile: Path, tls: dict[str, str]
) -> None:
    """With tls:// and Dask's own configuration; without the certificate nobody enters."""
    import dask

    with cluster(tmp_path / "cluster", "tls", **tls) as made:
        made.worker("--slots", "2")
        with pytest.raises(LabError, match=r"tls://.* needs certificates, and Dask"):
            grade(tmp_path / "stranger", pile, made.address)
        place = "distributed.comm.tls"
        both = {f"{place}.client.cert": tls[f"{TLS}CLIENT__CERT"]}
        with dask.config.set(both | {f"{place}.ca-file": tls[f"{TLS}CA_FILE"]}):
            report = grade(tmp_path / "course", pile, made.address)

    assert {row.outcome for row in report.rows} == {"graded"}
