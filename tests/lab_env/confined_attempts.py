"""What the code of a run tries against its confinement, and what stands outside."""

# Outside: files, a listener and a process that the code inside must not reach.
OUTSIDE = """
import json, os, socket, sys, tempfile
from pathlib import Path
from lab_env.sandbox import Isolation, Limits, run_program
tier, inside = sys.argv[1:]
with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as listener:
    folder = Path(name)
    folder.chmod(0o777)
    for each in ("read", "cut", "remove", "link", "move", "over"):
        (folder / each).write_text("secret")
        (folder / each).chmod(0o666)
    address = f"lab-confine-{os.getpid()}"
    listener.bind(chr(0) + address)
    listener.listen()
    run = run_program(
        [sys.executable, "-c", inside, name, address, str(os.getpid())],
        files={}, out=folder / "out", collect=("report.json",),
        limits=Limits(wall_seconds=60, processes=60, memory_mb=1024),
        isolation=Isolation(tier, "under test"),
    )
    assert run.collected, (run.ended, run.log)
    # With a shared uid nobody can tell whose it is, so the run leaves it.
    Path("/dev/shm", address).unlink(missing_ok=True)
    report = json.loads((folder / "out" / "report.json").read_text())
    report["still there"] = sorted(path.name for path in folder.iterdir())
    report["still says"] = {path.name: path.read_text() for path in folder.glob("[!o]*")}
print(json.dumps(report))
"""
INSIDE = """
import ctypes, errno, json, mmap, os, pty, resource, signal, socket, stat, sys, fcntl
from pathlib import Path
from lab_env.inside import syscalls
outside, address, grader = Path(sys.argv[1]), chr(0) + sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
column = ("x86_64", "aarch64").index(os.uname().machine)
report = {}

def attempt(do, *arguments):
    try:
        do(*arguments)
    except (OSError, ValueError) as error:
        return type(error).__name__
    return "worked"

def call(number, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(each) for each in (number, *arguments, *[0] * 6)][:7]
    answer = libc.syscall(*words)
    return errno.errorcode[ctypes.get_errno()] if answer < 0 else "worked"

def end_of(child):
    pid = os.fork()
    if not pid:
        child()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def lines(path):
    with open(path) as stream:
        return dict(line.split(":", 1) for line in stream)

status = lines("/proc/self/status")
report["rights"] = [int(status[name], 16) for name in
                    ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
report["no new"] = int(status["NoNewPrivs"])
report["uids"] = [os.getuid(), os.geteuid(), os.getgid(), len(os.getgroups())]

names = ("CORE", "NOFILE", "NPROC", "FSIZE", "DATA", "CPU")
limits = {name: getattr(resource, f"RLIMIT_{name}") for name in names}
report["limits"] = {name: resource.getrlimit(number) for name, number in limits.items()}
report["raised"] = {
    name: attempt(resource.setrlimit, number, (2 ** 40, 2 ** 40))
    for name, number in limits.items()
}
report["limits of another"] = attempt(
    resource.prlimit, os.getppid(), resource.RLIMIT_NOFILE, (5, 5))
report["own limits"] = attempt(resource.prlimit, 0, resource.RLIMIT_CORE)

report["read"] = {
    str(path): attempt(open, path) for path in
    (outside / "read", "/etc/shadow", "/proc/1/environ", "/proc/1/mem",
     f"/proc/{os.getppid()}/environ", f"/proc/{grader}/environ")
}
report["listed"] = {place: attempt(os.listdir, place) for place in
                    (outside, "/home", "/var")}
report["opened"] = attempt(os.readlink, f"/proc/{grader}/fd/0")
report["listed"] = {str(key): value for key, value in report["listed"].items()}
report["read by a program"] = os.system(f"cat '{outside}/read' > /dev/null 2>&1")
report["written"] = {
    place: attempt(open, f"{place}/x", "w")
    for place in ("/", "/usr", "/etc", "/dev", "/proc/self", sys.prefix,
                  os.environ["PYTHONPATH"], str(outside), "/var/tmp")
}
report["changed"] = {
    "over": attempt(open, outside / "over", "a"),
    "cut": attempt(os.truncate, outside / "cut", 0),
    "remove": attempt(os.remove, outside / "remove"),
    "link": attempt(os.link, outside / "link", "linked"),
    "move": attempt(os.rename, outside / "move", "moved"),
    "new": attempt(os.mkdir, outside / "new"),
    "new link": attempt(os.symlink, "x", outside / "new link"),
}
report["devices"] = [
    attempt(os.mknod, "disk", stat.S_IFBLK | 0o666, os.makedev(8, 0)),
    attempt(os.mknod, "null", stat.S_IFCHR | 0o666, os.makedev(1, 3)),
]

report["signal"] = [attempt(os.kill, grader, 0), attempt(os.kill, os.getppid(), 9)]
far, near = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
report["abstract"] = attempt(far.connect, address)
with socket.socket(socket.AF_UNIX) as own:
    own.bind(chr(0) + "own")
    own.listen()
    report["own abstract"] = attempt(near.connect, chr(0) + "own")

def made(family, kind=socket.SOCK_STREAM, protocol=0):
    return attempt(lambda: socket.socket(family, kind, protocol).close())

kinds = (1, 2, 3, 5)
report["families"] = [family for family in range(46)
                      if "worked" in [made(family, kind) for kind in kinds]]
report["rare"] = {
    "raw": made(2, 3, 1), "sctp": made(2, 1, 132), "sequence": made(10, 5, 0),
    "multipath": made(2, 1, 262), "ping": made(2, 2, 1), "filter": made(16, 3, 12),
    "pair": attempt(socket.socketpair, 2),
}
def reach():
    with socket.create_connection(("192.0.2.1", 80), 2):
        pass
report["reach"] = attempt(reach)

report["calls"] = {name: call(numbers[column])
                   for name, numbers in syscalls.REFUSED.items() if numbers[column]}
new_user, child = 0x10000000, 17
report["namespaces"] = {
    "unshare": call(syscalls.NAMESPACES["unshare"][column], new_user),
    "clone": call(syscalls.JUDGED["clone"][column], new_user | child),
    "clone3": call(435, 0, 0),
    "program": os.system("unshare --user true > /dev/null 2>&1"),
}
ours, theirs = socket.socketpair()
number = ctypes.create_string_buffer(b"x")
report["typed"] = {name: attempt(fcntl.ioctl, 0, code, number)
                   for name, code in (("TIOCSTI", 0x5412), ("TIOCLINUX", 0x541C))}

def foreign():
    # getpid by the door of 32-bit programs, where 20 is another call.
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(bytes.fromhex("b814000000cd80c3"))
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
if column == 0:
    report["foreign"] = end_of(foreign)
    report["x32"] = call(0x40000000 | 39)

report["control"] = {
    "work": attempt(open, "x", "w"), "shared": attempt(open, f"/dev/shm/{address[1:]}", "w"),
    "temporary": attempt(open, os.environ["TMPDIR"] + "/x", "w"),
    "pipe": attempt(os.mkfifo, "pipe"), "pair": attempt(socket.socketpair),
    "child": end_of(lambda: None), "program": os.system("true"),
    "null": attempt(open, "/dev/null", "w"), "random": attempt(open, "/dev/urandom"),
}
with open("report.json", "w") as stream:
    json.dump(report, stream)
"""
