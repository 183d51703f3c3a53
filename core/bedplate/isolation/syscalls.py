"""Numbers of system calls on the two machines we know, and those that no plugin needs.

The numbers are the kernel's ABI: they never change. A call that a machine does not have is -1 there.
"""

from __future__ import annotations

from dataclasses import dataclass

_NUMBERS = """
accept 43 202 | accept4 288 242 | acct 163 89 | add_key 248 217 | adjtimex 159 171 | bind 49 200 | bpf 321 280
capset 126 91
chroot 161 51 | clock_adjtime 305 266 | clock_settime 227 112 | clone 56 220 | clone3 435 435 | delete_module 176 106
execve 59 221 | execveat 322 281 | fanotify_init 300 262 | finit_module 313 273 | fork 57 -1 | fsconfig 431 431
fsmount 432 432 | fsopen 430 430 | fspick 433 433 | init_module 175 105 | io_uring_enter 426 426
io_uring_register 427 427 | io_uring_setup 425 425 | ioctl 16 29 | ioperm 173 -1 | iopl 172 -1 | ioprio_set 251 30
kcmp 312 272 | kexec_file_load 320 294 | kexec_load 246 104 | keyctl 250 219 | kill 62 129 | listen 50 201
memfd_secret 447 447 | migrate_pages 256 238 | mount 165 40 | mount_setattr 442 442 | move_mount 429 429
move_pages 279 239 | name_to_handle_at 303 264 | open_by_handle_at 304 265 | open_tree 428 428
perf_event_open 298 241 | personality 135 92 | pidfd_getfd 438 438 | pidfd_send_signal 424 424 | pivot_root 155 41
prlimit64 302 261 | process_madvise 440 440 | process_mrelease 448 448 | process_vm_readv 310 270
process_vm_writev 311 271 | ptrace 101 117 | quotactl 179 60 | quotactl_fd 443 443 | reboot 169 142
request_key 249 218 | rt_sigqueueinfo 129 138 | rt_tgsigqueueinfo 297 240 | sched_setaffinity 203 122
sched_setattr 314 274 | sched_setparam 142 118 | sched_setscheduler 144 119 | seccomp 317 277 | sendmmsg 307 269
sendmsg 46 211 | sendto 44 206 | setdomainname 171 162 | sethostname 170 161 | setns 308 268 | setpriority 141 140
settimeofday 164 170 | socket 41 198 | socketpair 53 199 | swapoff 168 225 | swapon 167 224 | syslog 103 116
tgkill 234 131 | tkill 200 130 | umount2 166 39 | unshare 272 97 | userfaultfd 323 282 | vfork 58 -1 | vhangup 153 58
"""

NEEDED_BY_NONE = (
    *(
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "kcmp",
        "pidfd_getfd",
        "pidfd_send_signal",
    ),
    *("process_madvise", "process_mrelease", "migrate_pages", "move_pages", "perf_event_open"),
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig"),
    *("fsmount", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at"),
    *("name_to_handle_at", "fanotify_init", "quotactl", "quotactl_fd", "acct", "swapon", "swapoff"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
    *("bpf", "userfaultfd", "memfd_secret", "keyctl", "add_key", "request_key", "personality"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    *("iopl", "ioperm", "syslog", "vhangup", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
)
ABSENT = ("io_uring_setup", "io_uring_enter", "io_uring_register")  # libraries go without


@dataclass(frozen=True, slots=True)
class Arch:
    """audit: AUDIT_ARCH_… of the machine · numbers: name → number, those it has."""

    name: str
    audit: int
    numbers: dict[str, int]


def arch(machine: str) -> Arch | None:
    """machine: as os.uname() calls it. None: one whose numbers we do not know, so it gets no filter."""
    audits = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
    if machine not in audits:
        return None
    column = [*audits].index(machine) + 1
    rows = [row.split() for line in _NUMBERS.split("\n") for row in line.split("|") if row.strip()]
    numbers = {row[0]: int(row[column]) for row in rows if row[column] != "-1"}
    return Arch(machine, audits[machine], numbers)
