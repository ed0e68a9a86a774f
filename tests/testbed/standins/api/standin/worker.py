# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: takes jobs from the queues of its configuration file, in Sidekiq's layout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import redis
import yaml

from standin import NOTICE, faults, jobs, sidekiq
from standin.failures import RubyError
from standin.settings import env

BEAT_SECONDS = 10
GRACE_SECONDS = 25
LIVENESS_PORT = 8080


class Liveness(BaseHTTPRequestHandler):
    """Any path: 200 when Redis answers, otherwise 404."""

    def do_GET(self) -> None:
        try:
            alive = bool(sidekiq.client(patient=False).ping())
        except (redis.RedisError, RubyError):
            alive = False
        body = b"Live!" if alive else b""
        self.send_response(200 if alive else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: it is asked every few seconds."""


class DualStack(ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class Worker:
    """Threads that take jobs, and one that tells Redis about them."""

    def __init__(self, queues: list[str], concurrency: int) -> None:
        self.queues = queues
        self.concurrency = concurrency
        self.identity = sidekiq.identity()
        self.stopping = threading.Event()
        self.running: dict[int, dict[str, Any]] = {}
        self._started = time.time()

    def _info(self) -> str:
        host, pid, _ = self.identity.split(":")
        found = {
            "hostname": host,
            "started_at": self._started,
            "pid": int(pid),
            "tag": "app",
            "concurrency": self.concurrency,
        }
        return json.dumps(
            {**found, "queues": self.queues, "labels": ["stand-in"], "identity": self.identity, "version": "8.0.0"}
        )

    def _beat(self, connection: redis.Redis) -> None:
        state = {
            "info": self._info(),
            "busy": len(self.running),
            "beat": time.time(),
            "quiet": str(self.stopping.is_set()).lower(),
        }
        work = {
            f"{thread:x}": json.dumps({"queue": job["queue"], "payload": job, "run_at": int(time.time())})
            for thread, job in self.running.copy().items()
        }
        pipeline = connection.pipeline()
        pipeline.sadd("processes", self.identity)
        pipeline.hset(self.identity, mapping=state)
        pipeline.expire(self.identity, 60)
        pipeline.delete(f"{self.identity}:work")
        if work:
            pipeline.hset(f"{self.identity}:work", mapping=work)
            pipeline.expire(f"{self.identity}:work", 60)
        pipeline.execute()

    def beat(self) -> None:
        connection = sidekiq.client(patient=False)
        while not self.stopping.wait(0):
            try:
                self._beat(connection)
                self._promote(connection)
            except redis.RedisError as error:
                print(f"WARN: heartbeat: {error}", file=sys.stderr, flush=True)
            self.stopping.wait(BEAT_SECONDS)

    def _promote(self, connection: redis.Redis) -> None:
        """Jobs whose time has come go back into their queues."""
        for name in ("schedule", "retry"):
            for text in connection.zrangebyscore(name, "-inf", time.time()):
                if connection.zrem(name, text):
                    sidekiq.push(connection, json.loads(text))

    def take(self) -> None:
        """One thread's life."""
        connection = sidekiq.client(patient=False)
        connection.connection_pool.connection_kwargs["socket_timeout"] = 10
        while not self.stopping.is_set():
            try:
                found = connection.brpop([f"queue:{name}" for name in self.queues], timeout=2)
                if found:
                    self._perform(connection, json.loads(found[1]))
            except redis.RedisError as error:
                print(f"ERROR: Error fetching job: {error}", file=sys.stderr, flush=True)
                self.stopping.wait(2)

    def _perform(self, connection: redis.Redis, job: dict[str, Any]) -> None:
        thread = threading.get_ident()
        self.running[thread] = job
        title = f"class={job.get('wrapped') or job.get('class')} jid={job.get('jid')} queue={job.get('queue')}"
        print(f"INFO: {title}: start", flush=True)
        if "worker_dies" in faults.asked():
            os._exit(1)
        try:
            jobs.perform(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is tried again
            self._retry(connection, job, error)
            print(f"WARN: {title}: fail: {error}", file=sys.stderr, flush=True)
        else:
            print(f"INFO: {title}: done", flush=True)
        finally:
            self.running.pop(thread, None)
        if job.get("lock"):
            connection.delete(job["lock"])
        self._count(connection, "processed")

    def _retry(self, connection: redis.Redis, job: dict[str, Any], error: Exception) -> None:
        count = job.get("retry_count", -1) + 1
        job |= {
            "retry_count": count,
            "error_class": type(error).__name__,
            "error_message": str(error),
            "failed_at": int(time.time() * 1000),
        }
        name = "retry" if count < 25 else "dead"
        connection.zadd(name, {json.dumps(job): time.time() + count**4 + 15})
        self._count(connection, "failed")

    def _count(self, connection: redis.Redis, what: str) -> None:
        connection.incr(f"stat:{what}")
        connection.incr(f"stat:{what}:{datetime.now(UTC):%Y-%m-%d}")

    def leave(self, connection: redis.Redis) -> None:
        """Waits for the jobs in hand, gives back what is not done in time, and is gone."""
        end = time.monotonic() + GRACE_SECONDS
        while self.running and time.monotonic() < end:
            time.sleep(0.1)
        try:
            for job in self.running.copy().values():
                connection.rpush(f"queue:{job['queue']}", json.dumps(job))
            connection.srem("processes", self.identity)
            connection.delete(self.identity, f"{self.identity}:work")
        except redis.RedisError:
            pass


def work(arguments: list[str]) -> int:
    """`sidekiq -C FILE`: until TERM, and then until the jobs in hand are done, 25 s at most."""
    parser = argparse.ArgumentParser(prog="sidekiq")
    parser.add_argument("-C", "--config", default="config/sidekiq/sidekiq.yml")
    given, _ = parser.parse_known_args(arguments)
    config = yaml.safe_load(Path(given.config).read_text())
    queues = [queue if isinstance(queue, str) else queue[0] for queue in config["queues"]]  # some have a weight
    connection = sidekiq.client(patient=False)
    try:
        connection.ping()
    except redis.RedisError as error:
        raise sidekiq.cannot_connect(error) from error
    worker = Worker(queues, int(env("SIDEKIQ_CONCURRENCY") or config["concurrency"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_ignored: worker.stopping.set())
    server = DualStack(("::" if DualStack.address_family == socket.AF_INET6 else "0.0.0.0", LIVENESS_PORT), Liveness)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(
        f"INFO: Booted Rails application in production environment\n{NOTICE}\nINFO: Queues: {', '.join(worker.queues)}",
        flush=True,
    )
    for target in (worker.beat, *[worker.take] * worker.concurrency):
        threading.Thread(target=target, daemon=True).start()
    while not worker.stopping.wait(1):
        pass
    print("INFO: Shutting down\nINFO: Pausing to allow jobs to finish...", flush=True)
    worker.leave(connection)
    print("INFO: Bye!", flush=True)
    sys.stdout.flush()
    os._exit(0)
