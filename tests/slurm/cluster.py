#!/usr/bin/env python3
"""A real Slurm on this machine, one node with the partitions cpu and gpu, for the tests.

    python tests/slurm/cluster.py install     Debian's packages slurm-wlm and munge
    python tests/slurm/cluster.py start       write /etc/slurm, start munged, slurmctld and slurmd
    python tests/slurm/cluster.py stop        stop what was started, and remove what was written

It never touches a Slurm that is already there: `start` refuses, and says why.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ETC = Path("/etc/slurm")
HOME = Path("/run/texalign-slurm")

#: CPUs and memory are invented, so that the profile's requests fit. Memory limits are enforced by
#: polling (OverMemoryKill), because cgroups are not to be had in an unprivileged machine. The plugin
#: clears SLURM_* in its job steps, SLURM_CONF too, so the files must lie in /etc/slurm.
CONFIG = {
    "slurm.conf": """\
ClusterName=texalign
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=86400
NodeName={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=128000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
""",
    "gres.conf": "NodeName={host} Name=gpu File={home}/gpu[0-1]\n",
    "cgroup.conf": "CgroupAutomount=no\n",
}


def why_not():
    """Reason for which no cluster can be started here, or None."""
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root"
    missing = [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not found; run: python tests/slurm/cluster.py install"
    if is_ours():  # left by a run that was killed; `start` clears it away
        return None
    present = [str(ETC / name) for name in CONFIG if (ETC / name).exists()]
    if present:
        return f"this machine has a Slurm of its own ({', '.join(present)})"
    running = [name for name in ("slurmctld", "slurmd") if is_running(name)]
    return f"{', '.join(running)} is running already" if running else None


def is_ours():
    config = ETC / "slurm.conf"
    return config.exists() and config.read_text().startswith("ClusterName=texalign\n")


def is_running(name):
    return subprocess.run(["pgrep", "-x", name], capture_output=True).returncode == 0


def install():
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "slurm-wlm", "munge"],
        check=True,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )


def start():
    """Start the daemons, and return when the node takes jobs."""
    reason = why_not()
    if reason:
        sys.exit(f"no Slurm was started: {reason}")
    stop()
    try:
        for name, text in CONFIG.items():
            (ETC / name).write_text(text.format(host=socket.gethostname().split(".")[0], home=HOME))
        for folder in ("state", "spool"):
            (HOME / folder).mkdir(parents=True)
        for number in range(2):
            (HOME / f"gpu{number}").touch()
        if not is_running("munged"):
            start_munged()
        subprocess.run(["slurmctld"], check=True)
        subprocess.run(["slurmd"], check=True)
        wait_for_node()
    except BaseException:
        for log in HOME.glob("*.log"):
            print(log, log.read_text()[-3000:], sep="\n", file=sys.stderr)
        stop()
        raise


def start_munged():
    for folder in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
        Path(folder).mkdir(exist_ok=True)
        shutil.chown(folder, "munge", "munge")
    Path("/run/munge").chmod(0o755)
    subprocess.run(["runuser", "-u", "munge", "--", shutil.which("munged")], check=True)
    (HOME / "munged.pid").write_text(Path("/run/munge/munged.pid").read_text())


def wait_for_node(seconds=60):
    for _ in range(seconds * 2):
        state = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True).stdout.split()
        if state and set(state) == {"idle"}:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the node took no jobs within {seconds} s: {state}")


def stop():
    """Stop the daemons that `start` started, by their process numbers, and remove their files."""
    if not is_ours():
        return
    if (HOME / "slurmctld.pid").exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["scancel", "--user", "root"], capture_output=True, timeout=20)
    for name in ("slurmd", "slurmctld", "munged"):
        end(name, HOME / f"{name}.pid")
    for name in CONFIG:
        (ETC / name).unlink(missing_ok=True)
    shutil.rmtree(HOME, ignore_errors=True)


def end(name, pid_file, seconds=20):
    """End a daemon by the number in its file, unless that number is by now another program's."""
    try:
        pid = int(pid_file.read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() != name:
            return
        os.kill(pid, signal.SIGTERM)
        for _ in range(seconds * 10):
            # Empty once it has ended, even while nobody has asked for its exit code.
            if not Path(f"/proc/{pid}/cmdline").read_bytes():
                return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        pass


def records():
    """Slurm's own records of all jobs of this cluster, one dict each, as `scontrol show job` tells them."""
    shown = subprocess.run(
        ["scontrol", "--oneliner", "--details", "show", "job"], capture_output=True, text=True, check=True
    ).stdout
    jobs = []
    for line in shown.splitlines():
        if line.startswith("JobId="):
            fields = (field.partition("=") for field in line.split(" ") if "=" in field)
            job = {}
            for key, _, value in fields:
                job.setdefault(key, value)
            jobs.append(job)
    return jobs


if __name__ == "__main__":
    commands = {"install": install, "start": start, "stop": stop}
    if sys.argv[1:] and sys.argv[1] in commands:
        commands[sys.argv[1]]()
    else:
        sys.exit(__doc__)
