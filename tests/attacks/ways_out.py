"""Ways out of room A, as probes: privileges, namespaces, system calls, files.

A probe that could do what it should not says so, by ``escaped``.
"""

import platform

from pile import LEFT
from probes import Probe

X86_64 = platform.machine() == "x86_64"
SKIP_ELSEWHERE = "" if X86_64 else "raise NotImplementedError"

PROBES = (
    Probe(
        "privileges",
        "has a privilege, may gain one, or becomes root",
        """
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
caps = [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")]
set(caps) == {"0" * 16} or escaped(f"capabilities {caps}")
status["NoNewPrivs"].strip() == "1" or escaped("new privileges")
for become in (libc.setuid, libc.setgid, libc.setreuid, libc.seteuid):
    become(0, 0) == 0 and os.getuid() == 0 and escaped("root")
""",
    ),
    Probe(
        "setuid-programs",
        "starts programs that run as root",
        """
for program in (["mount", "-t", "tmpfs", "x", "/mnt"], ["newgrp", "root"],
                ["passwd", "-d", "root"], ["chsh", "-s", "/bin/sh", "root"]):
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(program, capture_output=True, timeout=2, input=b"")
        done.returncode == 0 and program[0] != "newgrp" and escaped(program[0])
said = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, input="", timeout=5)
said.stdout.strip() == "0" and escaped("su")
""",
    ),
    Probe(
        "new-namespaces",
        "makes namespaces in which it would be root",
        """
kinds = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000,
         "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
for name, flag in kinds.items():
    for more in (0, 0x10000000):
        if in_child(lambda: libc.unshare(flag | more) == 0) == 1:
            escaped(f"a {name} namespace ({more:x})")
""",
    ),
    Probe(
        "clone3",
        "clones itself into namespaces, past a filter of clone",
        """
args = (ctypes.c_uint64 * 11)(0x10000000 | 0x40000000, 0, 0, 0, 17)
child = call(435, args, ctypes.sizeof(args))
child == 0 and os._exit(0)
child > 0 and (os.waitpid(child, 0), escaped("clone3 with namespaces"))
""",
    ),
    Probe(
        "other-namespaces",
        "enters the namespaces of other processes",
        """
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("mnt", "net", "pid", "user", "ipc", "uts", "cgroup"):
        with contextlib.suppress(OSError):
            handle = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
            in_child(lambda: libc.setns(handle, 0) == 0) == 1 and escaped(f"ns {name}")
""",
    ),
    Probe(
        "mounts",
        "mounts, unmounts, moves the root",
        """
os.makedirs("m", exist_ok=True)
tries = {
    "mount": lambda: libc.mount(b"none", b"m", b"tmpfs", 0, None),
    "bind": lambda: libc.mount(b"/", b"m", None, 4096, None),
    "proc": lambda: libc.mount(b"proc", b"m", b"proc", 0, None),
    "umount": lambda: libc.umount2(b"/lab/work", 2),
    "remount": lambda: libc.mount(None, b"/usr", None, 32 | 4096, None),
    "pivot_root": lambda: libc.syscall(155, b".", b"m"),
    "chroot": lambda: libc.chroot(b"m"),
    "open_tree": lambda: libc.syscall(428, -100, b"/", 1),
    "fsopen": lambda: libc.syscall(430, b"tmpfs", 0),
}
for name, function in tries.items():
    in_child(lambda: function() >= 0) == 1 and escaped(name)
""",
    ),
    Probe(
        "system-calls",
        "asks the kernel for what no lab needs",
        f"""
{SKIP_ELSEWHERE}
page = ctypes.create_string_buffer(4096)
tries = {{
    "bpf": (321, 5, page, 128), "userfaultfd": (323, 0), "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"x", b"y", 1, -3), "perf": (298, page, 0, -1, -1, 0),
    "io_uring": (425, 8, page), "memfd": (319, b"x", 0), "secret": (447, 0),
    "fanotify": (300, 0, 0), "shmget": (29, 0, 4096, 0o1600), "kexec": (246, 0, 0, 0, 0),
    "module": (313, -1, b"", 0), "acct": (163, b"x"), "swapon": (167, b"x", 0),
    "hostname": (170, b"evil", 4), "iopl": (172, 3), "ioperm": (173, 0x80, 1, 1),
    "quota": (179, 0x80000100, 0, 0, page), "clock": (227, 0, page),
}}
for name, arguments in tries.items():
    code = in_child(lambda: call(*arguments) >= 0)
    code == 1 and escaped(name)
""",
    ),
    Probe(
        "foreign-calls",
        "calls the kernel as a 32-bit program, past a filter of numbers",
        f"""
{SKIP_ELSEWHERE}
import mmap
def foreign(number):
    code = b"\\x53\\xb8" + number.to_bytes(4, "little") + b"\\x31\\xdb\\x83\\xc9\\xfd\\xba"
    code += b"\\x01\\0\\0\\0\\xcd\\x80\\x5b\\xc3"
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(start)() >= 0
in_child(lambda: foreign(288)) == 1 and escaped("keyctl by int 0x80")
in_child(lambda: call(0x40000000 | 39) > 0) == 1 and escaped("getpid by x32")
""",
    ),
    Probe(
        "sockets",
        "opens sockets that no network namespace holds",
        """
kinds = {"vsock": (40, 1), "alg": (38, 5), "packet": (17, 3), "raw": (2, 3),
         "bluetooth": (31, 3), "kcm": (41, 2), "xdp": (44, 3), "rds": (21, 5),
         "tipc": (30, 1), "can": (29, 3), "qipcrtr": (42, 2)}
for name, (family, kind) in kinds.items():
    with contextlib.suppress(OSError):
        socket.socket(family, kind).close()
        escaped(f"a socket of the kind {name}")
""",
    ),
    Probe(
        "trace",
        "traces or writes the process that is first in its world",
        """
pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
os.getpid() != 1 or escaped("the first process")
libc.ptrace(16, 1, 0, 0) == 0 and escaped("ptrace of the first process")
with contextlib.suppress(OSError):
    open("/proc/1/mem", "r+b").close()
    os.getuid() == 0 and escaped("memory of the first process")
len(pids) < 40 or escaped(f"{len(pids)} processes in sight")
""",
    ),
    Probe(
        "signals",
        "sends signals to every process number",
        """
mine = {int(pid) for pid in os.listdir("/proc") if pid.isdigit()}
seen = []
for pid in range(2, 66_000):
    with contextlib.suppress(ProcessLookupError):
        try:
            os.kill(pid, 0)
        except PermissionError:
            pass
        seen.append(pid)
far = [pid for pid in seen if pid not in mine and not os.path.exists(f"/proc/{pid}")]
len(far) < 5 or escaped(f"signals to {far[:5]}")
""",
    ),
    Probe(
        "writes",
        "writes to the environment, to our code, to the system",
        """
import lab_env
places = [sys.prefix, sys.base_prefix, os.path.dirname(lab_env.__file__), "/usr", "/etc",
          "/", "/lab", "/bin", "/proc/sys/kernel", "/sys", "/sys/fs/cgroup", "/dev",
          os.path.dirname(socket.__file__), os.path.dirname(os.path.dirname(lab_env.__file__))]
for place in places:
    with contextlib.suppress(OSError):
        open(os.path.join(place, "evil"), "w").close()
        escaped(f"a file in {place}")
for path in (lab_env.__file__, os.__file__, sys.executable, "/etc/passwd", "/bin/sh"):
    with contextlib.suppress(OSError):
        open(path, "ab").close()
        escaped(f"a change of {path}")
    with contextlib.suppress(OSError):
        os.chmod(path, 0o777)
        escaped(f"the mode of {path}")
""",
    ),
    Probe(
        "kernel-switches",
        "turns switches of the kernel",
        """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/oom_adj",
             "/proc/sys/kernel/hostname", "/proc/irq/0/smp_affinity",
             "/sys/kernel/mm/ksm/run", "/sys/fs/cgroup/cgroup.procs",
             "/proc/sys/vm/overcommit_memory", "/proc/sys/user/max_user_namespaces"):
    with contextlib.suppress(OSError):
        with open(path, "w") as stream:
            stream.write("1")
        escaped(path)
""",
    ),
    Probe(
        "limits",
        "raises its limits and its importance",
        """
import resource
for name in ("NPROC", "FSIZE", "DATA", "CPU", "NOFILE", "CORE"):
    number = getattr(resource, f"RLIMIT_{name}")
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        escaped(f"no limit of {name}")
with contextlib.suppress(OSError):
    os.setpriority(os.PRIO_PROCESS, 0, -10), escaped("priority")
with contextlib.suppress(OSError):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)), escaped("real time")
with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", 0) as score:
    score.write(b"-1000"), escaped("out-of-memory score")
""",
    ),
    Probe(
        "terminal",
        "types into the examiner's terminal",
        """
import fcntl, termios
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/pts/0", "/proc/1/fd/0"):
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.isatty(handle) and escaped(path)
for handle in range(10):
    with contextlib.suppress(OSError):
        fcntl.ioctl(handle, termios.TIOCSTI, b"x"), escaped("the terminal")
""",
    ),
    Probe(
        "timetable",
        "asks others to start something later",
        f"""
line = "* * * * * root sleep 600 # {LEFT}\\n"
for path in ("/etc/cron.d/evil", "/var/spool/cron/crontabs/root", "/etc/crontab",
             "/var/spool/cron/atjobs/a", "/etc/systemd/system/evil.service",
             "/etc/profile.d/evil.sh", "/root/.bashrc", "/etc/ld.so.preload"):
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "a").write(line)
        escaped(path)
for program in (["crontab", "-"], ["at", "now"], ["systemd-run", "sleep", "600"]):
    with contextlib.suppress(OSError):
        done = subprocess.run(program, input=line, text=True, capture_output=True)
        done.returncode == 0 and escaped(program[0])
""",
    ),
    Probe(
        "nested-jail",
        "builds a jail of its own, in which it would have all rights",
        """
for program in (["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "true"],
                ["unshare", "-Urm", "true"], ["setpriv", "--reuid=0", "true"],
                ["nsenter", "-t", "1", "-a", "true"], ["chroot", "/", "true"]):
    with contextlib.suppress(OSError):
        done = subprocess.run(program, capture_output=True)
        done.returncode == 0 and escaped(" ".join(program))
""",
    ),
    Probe(
        "handles-kept",
        "keeps folders open in order to come back through them",
        """
for handle in range(3, 1024):
    with contextlib.suppress(OSError):
        place = os.readlink(f"/proc/self/fd/{handle}")
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            with contextlib.suppress(OSError):
                found = os.listdir(f"/proc/self/fd/{handle}/../../../../..")
                {"work", "root", "home", "srv"} & set(found) and escaped(place)
""",
    ),
)
