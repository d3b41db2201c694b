"""A real SLURM on this machine for tests: munge with a socket and key of its own, slurmctld, and two nodes, all in one folder.

Needs the programs of Debian's packages slurm-wlm and munge, and no service of the system. Everything ends with `stop`.
"""
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
NODES = ("node0", "node1")

CONFIGURATION = """\
ClusterName=weft
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
"""


def missing_programs():
    """Returns the names of what is not installed."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    return [name for name in PROGRAMS if shutil.which(name) is None]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmCluster:
    """Owns: a folder and the services' processes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-slurm-"))
        self.folder.chmod(0o755)
        self.services = []
        for name in ("state", "munge", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir(mode=0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        self.write_configuration()
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")

    def write_configuration(self):
        host = socket.gethostname().split(".")[0]
        ports = free_ports(1 + len(NODES))
        text = CONFIGURATION.format(host=host, controller_port=ports[0], user=getpass.getuser(), folder=self.folder)
        for node, port in zip(NODES, ports[1:]):
            text += f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 State=UNKNOWN\n"
        text += f"PartitionName=main Nodes={','.join(NODES)} Default=YES MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text, encoding="utf-8")

    def launch(self, *words):
        log = open(self.folder / f"{len(self.services)}.out", "wb")  # pylint: disable=consider-using-with
        with log:
            self.services.append(subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True))

    def start(self):
        """Starts the services; returns once both nodes are idle."""
        munge = self.folder / "munge"
        self.launch("munged", "--force", "--foreground", f"--key-file={self.folder}/munge.key", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self.wait(lambda: (munge / "socket").exists(), "munged")
        self.launch("slurmctld", "-D")
        for node in NODES:
            self.launch("slurmd", "-D", "-N", node)
        self.wait(lambda: self.call("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES), "the nodes")

    def wait(self, done, what, seconds=40):
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not come up:\n{self.logs()}")
            time.sleep(0.1)

    def logs(self):
        return "\n".join(f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-12:])
                         for path in sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.log")))

    def call(self, *words):
        """Returns what a command of SLURM's prints."""
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False).stdout

    def job(self, number):
        """Returns the fields of a job, as `scontrol show job` names them."""
        fields = {}
        for word in self.call("scontrol", "show", "job", str(number)).split():
            name, _, value = word.partition("=")
            fields[name] = value
        return fields

    def stop(self):
        self.call("scancel", "--state=RUNNING", "--user", getpass.getuser())
        for service in reversed(self.services):
            if service.poll() is None:
                service.send_signal(signal.SIGTERM)
        for service in reversed(self.services):
            try:
                service.wait(timeout=20)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
