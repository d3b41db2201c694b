#!/usr/bin/env python3
"""Tests jobs whose links are encrypted, with real processes. usage: tls_test.py MPIRUN CLIENT_JOB WRITE_CREDENTIALS"""
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

CREDENTIALS, NAMES = sys.argv[3], sys.argv[4:]
del sys.argv[3:]
import job_test  # noqa: E402  (reads the first two words)
from bad_days_test import listening, weft_processes  # noqa: E402
from client_test import worker_processes  # noqa: E402
from job_test import PROGRAM, Job, environment, processes  # noqa: E402

WATCHED_SUM = "sum 1124250\n"
DAY = 86_400


def write_credentials(folder, start=-DAY, until=DAY):
    """Writes an authority, a certificate and a key; returns the options that name them."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run([CREDENTIALS, folder, str(start), str(until)], check=True)
    return [f"--weft-tls-{what}={folder}/{what}.pem" for what in ("ca", "cert", "key")]


class Sniffer:
    """Reads what passes over the loopback interface. Owns: a socket and a thread."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        self.socket.bind(("lo", 0))
        self.socket.settimeout(0.1)
        self.seen = []
        self.over = False
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        total = 0
        while not self.over and total < 200 << 20:
            try:
                packet = self.socket.recv(1 << 17)
            except TimeoutError:
                continue
            if packet[23] != socket.IPPROTO_TCP:
                continue
            transport = 14 + 4 * (packet[14] & 15)
            self.seen.append((struct.unpack_from("!HH", packet, transport), packet[transport:]))
            total += len(packet)

    def of_ports(self, ports):
        """Stops, and returns what went to or came from them."""
        time.sleep(0.2)
        self.over = True
        self.thread.join()
        self.socket.close()
        return [bytes for ends, bytes in self.seen if ports & set(ends)]


class TlsTest(job_test.JobTest):
    def test_a_job_makes_its_own_certificates_and_says_so_at_the_start(self):
        code, out, errors = self.run_job(3, "plain", "-", "--weft-tls")
        self.assertEqual((code, "map 332833500\n" in out, "elsewhere 1\n" in out), (0, True, True), errors)
        self.assertRegex(errors, r"(?m)^  network +TLS over TCP  ")
        self.assertNotIn("warning", errors)

    def test_processes_of_one_node_may_still_share_memory(self):
        code, out, errors = self.run_job(3, "moving", "10", "--weft-tls=between-nodes")
        self.assertEqual((code, "moved 90\n" in out), (0, True), errors)
        self.assertRegex(errors, r"(?m)^  network +shared memory inside the node")

    def test_blocks_move_between_all_workers(self):
        for words in ([], ["--weft-compress=lz4"]):
            code, out, errors = self.run_job(4, "moving", "40", "--weft-tls", *words)
            self.assertEqual((code, "moved 1560\n" in out), (0, True), errors)
            self.tearDown()
            self.job = None

    def test_a_killed_worker_costs_no_answer(self):
        for turn in range(3):
            self.job = Job(3, "watched", "-", "--weft-tls")
            self.job.until("working")
            time.sleep(0.2 + 0.3 * turn)
            os.kill(worker_processes(self.job)[-1], signal.SIGKILL)
            code, out, errors = self.job.end()
            self.assertEqual((code, WATCHED_SUM in out), (0, True), errors)
            self.assertIn("started again", errors)
            self.check_nothing_left()
            self.tearDown()
        self.job = None

    def test_files_of_the_users_are_taken_and_their_key_stays_where_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            words = write_credentials(folder)
            self.job = Job(3, "watched", "-", "--weft-tls=on", *words)
            self.job.until("working")
            with open(f"{folder}/key.pem", "rb") as file:
                key = file.read().split(b"\n")[1]
            for pid in processes(self.job.marker):
                for what in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{pid}/{what}", "rb") as file:
                            self.assertNotIn(key, file.read())
                    except OSError:
                        pass  # it has ended
            code, out, errors = self.job.end()
            self.assertEqual((code, WATCHED_SUM in out), (0, True), errors)
            self.check_nothing_left()

    def check_refused_at_start(self, words, sentence):
        code, out, errors = self.run_job(3, "plain", "-", *words)
        self.assertEqual((code, out), (1, ""), errors)
        self.assertEqual(errors.count(sentence), 1, errors)
        self.assertNotIn("BEGIN", errors)
        self.tearDown()
        self.job = None

    def test_credentials_that_are_not_sound_are_one_sentence_at_the_start(self):
        with tempfile.TemporaryDirectory() as folder:
            sound = write_credentials(folder)
            other = write_credentials(f"{folder}/other")
            self.check_refused_at_start(["--weft-tls", *write_credentials(f"{folder}/old", -2 * DAY, -DAY)], "' (--weft-tls-cert) has expired (20")
            self.check_refused_at_start(["--weft-tls", *sound[:2], other[2]], "(--weft-tls-key) does not belong to the certificate in")
            self.check_refused_at_start(["--weft-tls", other[0], *sound[1:]], "(--weft-tls-cert) is not one of the authority in")
            self.check_refused_at_start(["--weft-tls", *sound[:2]], "--weft-tls-ca, --weft-tls-cert and --weft-tls-key belong together")
            self.check_refused_at_start(sound, "names a file for TLS, but nothing is encrypted")
            self.check_refused_at_start(["--weft-tls", "--weft-transport=ucx"], "asks for UCX, which encrypts nothing")
            os.chmod(f"{folder}/key.pem", 0o644)
            self.check_refused_at_start(["--weft-tls", *sound], "can be read or changed by every user of this host: chmod 600 it")
            os.unlink(f"{folder}/key.pem")
            self.check_refused_at_start(["--weft-tls", *sound], "(--weft-tls-key) cannot be read: No such file or directory")

    def test_strangers_are_refused_with_a_sentence_each_and_the_job_goes_on(self):
        self.job = Job(3, "watched", "-", "--weft-tls")
        self.job.until("working")
        places = listening(weft_processes(self.job))
        self.assertGreaterEqual(len(places), 5)  # rank 0's two, and one a worker
        dice = random.Random(3)
        kept = []
        for place in places:
            plain = socket.create_connection(place, timeout=5)
            plain.sendall(b"weft-tcp" + dice.randbytes(60))
            kept.append(plain)
            for most in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1):
                terms = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                terms.check_hostname = False
                terms.verify_mode = ssl.CERT_NONE
                terms.set_ciphers("ALL:@SECLEVEL=0")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of old versions
                    terms.minimum_version = ssl.TLSVersion.TLSv1
                    terms.maximum_version = most
                try:
                    with terms.wrap_socket(socket.create_connection(place, timeout=5)) as stranger:
                        self.assertEqual(stranger.recv(100), b"")
                except OSError:
                    pass  # as it should
        code, out, errors = self.job.end()
        for one in kept:
            one.close()
        self.assertEqual((code, WATCHED_SUM in out), (0, True), errors)
        for who in ("a process that connected", "a connection"):
            for why in ("what it said is not TLS", "it has no certificate", "it speaks no TLS from 1.2 on"):
                self.assertRegex(errors, rf"{who} from 127\.0\.0\.1:\d+ was refused: {why}")
        self.check_nothing_left()

    def heard(self, *words):
        """Returns what passed between the processes of a job that moves blocks."""
        sniffer = Sniffer()
        ports = set()
        try:
            self.job = Job(3, "moving", "12", "--weft-transport=tcp", "--weft-compress=off", *words)
            self.job.until("working")
            ports = {port for _, port in listening(weft_processes(self.job))}
            code, out, errors = self.job.end()
            self.assertEqual((code, "moved 132\n" in out), (0, True), errors)
            self.check_nothing_left()
        finally:
            heard = sniffer.of_ports(ports)
        self.tearDown()
        self.job = None
        return heard

    @unittest.skipUnless(os.geteuid() == 0, "only root can read what passes")
    def test_nothing_can_be_read_from_the_wire(self):
        try:
            Sniffer().of_ports(set())
        except OSError as error:
            self.skipTest(f"this machine does not let root read what passes: {error}")
        orders = b"--weft-memory="  # to workers, by their supervisors' channel
        block = struct.pack("<q", 5) * 64  # of a result, from worker to worker
        plain, encrypted = self.heard(), self.heard("--weft-tls")
        for what in (orders, block):
            self.assertTrue(any(what in packet for packet in plain), what)
            self.assertFalse(any(what in packet for packet in encrypted), what)
        self.assertGreater(sum(map(len, encrypted)), 5_000_000)

    def test_ranks_that_meet_by_a_file_find_the_certificates_there_and_nobody_else_can(self):
        with tempfile.TemporaryDirectory() as folder:
            marker = f"WEFT_TEST_JOB=tls-{os.getpid()}"
            ranks = [subprocess.Popen([PROGRAM, "watched", "-", "--weft-tls", f"--weft-address-file={folder}/job", f"--weft-spill-dir={folder}"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=environment(WEFT_RANK=str(rank), WEFT_RANKS="2", WEFT_TEST_JOB=marker.split("=")[1]))
                     for rank in (0, 1)]
            first = ranks[0].stdout.readline()
            self.assertIn("working", first)
            self.assertEqual(os.stat(f"{folder}/job").st_mode & 0o777, 0o600)
            with open(f"{folder}/job", encoding="ascii") as file:
                self.assertIn("\ntls ", file.read())
            out, errors = ranks[0].communicate(timeout=60)
            ranks[1].communicate(timeout=60)
            self.assertEqual((ranks[0].returncode, WATCHED_SUM in first + out), (0, True), errors)
            self.assertEqual(os.listdir(folder), [])


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(TlsTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *NAMES])
