"""The agent's life: a session with the site, claims while a GPU is free, a heartbeat, and two threads per attempt.

`step` is what the main thread repeats. Whatever happens, what is on the disk says what to do next.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gpuagent import __version__
from gpuagent.executors.container import ContainerExecutor, ToolAway
from gpuagent.executors.registry import executors
from gpuagent.host import clock, durable, judging, probing, telling
from gpuagent.host.api import Api, Away, Backoff, Refused
from gpuagent.host.config import Settings
from gpuagent.host.folders import AttemptFolder, Home, NotEnrolled
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Directive, Limits, SessionReply, Times, Told
from gpuagent.host.shipping import Shipper
from gpuagent.host.supervising import Supervisor

logger = logging.getLogger("gpuagent.host")

COMPLAIN_S = 60.0
#: how often old attempts are cleared and the ballast looked after
TIDY_S = 60.0
READY_BEAT_S = 1.0
RACE_FLUSH_S = 0.4
#: after a trouble that nobody has thought of, such as a full disk
TRY_AGAIN_S = 5.0
SPREAD = 0.2


@dataclass
class Running:
    """An attempt of this process: who supervises it, who brings it to the site."""

    folder: AttemptFolder
    supervisor: Supervisor
    shipper: Shipper
    #: the site has said in this process's time that it is still wanted
    is_confirmed: bool = False
    wake: threading.Event = field(default_factory=threading.Event)
    is_over: bool = False
    #: how far off the start of its race may be that is written down
    go_error_s: float = math.inf


class Agent:
    """One host. Threads share only `_attempts`, under a lock; all else of an attempt is in its folder."""

    def __init__(self, home: Home, policy: Policy, settings: Settings, *, api: Api | None = None) -> None:
        self._home, self._policy, self._settings = home, policy, settings
        self._api = api or Api(str(home.site()["url"]), lambda: home.token, told=self._on_directive)
        self._executors = executors(home, policy)
        self._times, self._limits = Times(), Limits()
        self._lock = threading.Lock()
        self._attempts: dict[str, Running] = {}
        #: neither accepted nor declined yet; of the main thread alone
        self._offered: list[AttemptFolder] = []
        self._gpus: list[dict[str, Any]] = []
        self._has_session = threading.Event()
        self._site_drains = self._is_draining = self._is_too_old = False
        self._gone = threading.Event()
        self._wake, self._beat = threading.Event(), threading.Event()
        self._backoff = Backoff()
        self._answered_s = float("-inf")
        self._complained_s: dict[str, float] = {}
        self._tidied_s = float("-inf")
        self._threads: list[threading.Thread] = []

    # life

    def run(self) -> None:
        """Until `leave`, or `drain` and nothing is left to do."""
        self._home.drop_answered_claim()
        self._reap()
        for folder in self._home.attempts():
            self._take_over(folder)
        self._start(self._beat_on, "heartbeat")
        while not self._gone.is_set():
            self._wake.clear()
            wait_s = self._safely(self.step, TRY_AGAIN_S)
            if self._is_draining and not self._busy():
                self._close_session()
                break
            self._wake.wait(wait_s)
        self._gone.set()
        for event in (self._beat, *(one.wake for one in self._busy())):
            event.set()
        for thread in self._threads:
            thread.join(2.0)
        self._api.close()

    def _take_over(self, folder: AttemptFolder) -> None:
        """What an earlier process has left. One that cannot be read stops nothing else."""
        try:
            stage = folder.stage
            if stage == "done":
                return
            folder.offer  # noqa: B018 - whether it can be read
            if stage == "offered":
                self._offered.append(folder)
            else:
                self._add(folder)
        except ValueError:
            logger.exception("Attempt %s cannot be read and is set aside", folder.id)
            self._home.orphan(folder)

    def _reap(self) -> None:
        """Containers of attempts that are over; only where there can be any."""
        container = self._executors["container"]
        if self._policy.images and isinstance(container, ContainerExecutor):
            with contextlib.suppress(ToolAway):
                container.reap([folder.id for folder in self._home.attempts() if folder.stage != "done"])

    def drain(self) -> None:
        """Claim nothing more, and go once all that runs has been reported. Said twice: stop what runs."""
        if self._is_draining:
            for running in self._busy():
                running.folder.ask_to_stop("agent_stopped", "The host's operator stopped it.")
        self._is_draining = True
        self._wake.set()

    def leave(self) -> None:
        """Go now; what runs goes on, and the next process takes it over."""
        self._gone.set()
        self._wake.set()

    def step(self) -> float:
        """What is due now; how long to wait, in seconds."""
        try:
            if not self._has_session.is_set():
                self._open_session()
            self._tidy()
            for folder in tuple(self._offered):
                self._settle(folder)
                self._offered.remove(folder)
            if self._claims() and (free := self._free_gpus()):
                return self._claim(free)
        except Away as away:
            self._complain("away", "The site is away: %s", away)
            return self._backoff.wait_s(away.retry_after_s)
        except Refused as refused:
            return self._refused(refused)
        self._backoff.good()
        return self._spread(self._times.poll_s, 0.25)

    def _safely(self, work: Callable[[], float], otherwise_s: float) -> float:
        """One odd job or full disk never ends the agent."""
        try:
            return work()
        except NotEnrolled as error:
            self._complain("token", "%s", error)
        except Exception:
            logger.exception("Something went wrong; it is tried again")
        return otherwise_s

    def _start(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    # the session

    def _open_session(self) -> None:
        reply = self._api.open_session(self._about())
        self._api.use_session(reply.session)
        self._good()
        self._times, self._limits, self._site_drains = reply.times, reply.limits, reply.drain
        for running in self._busy():
            # Taken over before the site had told them.
            running.shipper.limits = running.supervisor.limits = reply.limits
        self._has_session.set()
        for warning in reply.warnings:
            logger.warning("%s", warning)
        self._take_up(reply)
        self._beat.set()
        logger.info("Connected to the site with %d GPUs", len(self._gpus))

    def _about(self) -> dict[str, Any]:
        self._gpus = probing.look_at_gpus(
            simulate=self._settings.simulate,
            instance_id=self._home.instance_id,
            count=self._settings.simulated_gpus,
        )
        told = [{name: value for name, value in gpu.items() if name != "now"} for gpu in self._gpus]
        return {
            "instance_id": self._home.instance_id,
            "boot_id": clock.boot_id(),
            "agent_version": __version__,
            "protocols": [1],
            "simulated": self._settings.simulate,
            "agent_time": clock.utc_now(),
            "host": probing.describe_host(simulate=self._settings.simulate),
            "gpus": told,
            "executors": self._ways(),
            "images": sorted(self._policy.images.values()),
            "labels": sorted({*self._policy.labels, *self._settings.labels}),
            "attempts": [telling.standing(running.folder, running.supervisor) for running in self._busy()],
        }

    def _ways(self) -> list[str]:
        """The executors that this host's operator allows and that work here."""
        if self._settings.simulate:
            return ["simulate", "race"]
        found = []
        if self._policy.images and probing.has_container_tool(self._policy.container_tool):
            found.append("container")
        if self._policy.allow_process and len(self._gpus) == 1:
            found.append("process")
        return [*found, "race"] if self._policy.race.base_url else found

    def _take_up(self, reply: SessionReply) -> None:
        for told in reply.attempts:
            self._obey(told)

    def _close_session(self) -> None:
        try:
            self._api.close_session()
        except (Away, Refused) as error:
            logger.info("The session was not closed: %s", error)

    # what the site says

    def _on_directive(self, attempt_id: str, directive: Directive) -> None:
        """Every answer about an attempt says what to do with it."""
        if (running := self._find(attempt_id)) is not None:
            self._do(running, directive)

    def _find(self, attempt_id: str) -> Running | None:
        with self._lock:
            return self._attempts.get(attempt_id)

    def _obey(self, told: Told) -> None:
        if (running := self._find(str(told.id))) is not None:
            self._do(running, told.do)

    def _do(self, running: Running, directive: Directive) -> None:
        folder = running.folder
        if directive in {"continue", "resume", "upload"}:
            running.is_confirmed = True
        elif directive == "forget":
            self._forget(running)
        elif folder.path.exists() and folder.ask_to_stop(directive):
            words = {"cancel": "The job was cancelled.", "abandon": "The site gave the job to another host."}
            folder.note(words.get(directive, "The site had it stopped."))
            running.wake.set()

    def _forget(self, running: Running) -> None:
        """The site has what it wants of it: nothing that still runs is of use."""
        folder = running.folder
        if folder.has("finish-sent"):
            return
        if folder.path.exists() and folder.ask_to_stop("forget"):
            running.wake.set()

    def _go(self, running: Running, at_s: float, error_s: float) -> None:
        """The start of a race on this host's own clock; of several answers, the quickest is the most exact."""
        if error_s < running.go_error_s and not telling.has_gone(running.folder):
            durable.write(running.folder["go"], f"{at_s:.6f}".encode())
            running.go_error_s = error_s

    def _good(self) -> None:
        self._answered_s = clock.boot_s()

    def _refused(self, refused: Refused) -> float:
        if refused.code == "session_replaced":
            self._has_session.clear()
            return self._spread(1.0)
        if refused.status == 426:
            self._is_too_old = True
        self._complain(refused.code, "The site refuses: %s", refused)
        return self._spread(min(COMPLAIN_S, 4 * self._times.poll_s))

    def _complain(self, topic: str, text: str, *values: object) -> None:
        """Once a minute for each trouble."""
        if clock.boot_s() - self._complained_s.get(topic, float("-inf")) > COMPLAIN_S:
            self._complained_s[topic] = clock.boot_s()
            logger.warning(text, *values)

    # work

    def _claims(self) -> bool:
        return not (self._is_draining or self._site_drains or self._is_too_old) and self._has_room()

    def _has_room(self) -> bool:
        least = judging.least_free_mib(self._policy, simulate=self._settings.simulate)
        if self._home.free_mib() >= least:
            return True
        self._complain("disk", "The disk has less than %d MiB free: no job is taken", least)
        return False

    def _free_gpus(self) -> list[str]:
        held = {
            uuid for running in self._busy() if self._holds(running.folder) for uuid in running.supervisor.offer.gpus
        }
        return [gpu["uuid"] for gpu in self._gpus if gpu["uuid"] not in held]

    def _holds(self, folder: AttemptFolder) -> bool:
        return folder.stage in {"offered", "accepted", "running"}

    def _claim(self, free: list[str]) -> float:
        claim_id = self._home.claim_id()
        durable.crash_at("claim_written")
        offer, wait_s = self._api.claim(claim_id, free)
        durable.crash_at("claim_answered")
        self._good()
        self._backoff.good()
        if offer is None:
            # The header has whole seconds: up to that it says no more than the times do.
            return self._spread(wait_s if wait_s > math.ceil(self._times.poll_s) else self._times.poll_s, 0.25)
        folder = self._home.attempt(offer)
        if not folder.has("offer.json"):
            folder = self._home.add_attempt(offer, claim_id)
        durable.crash_at("offer_written")
        self._home.drop_claim()
        durable.crash_at("claim_dropped")
        if folder.stage == "offered":
            self._offered.append(folder)
        return 0.0

    def _settle(self, folder: AttemptFolder) -> None:
        """Accept an offer, or decline it. Only the site's yes makes it start; without an answer it is asked again."""
        offer = folder.offer
        problem = judging.problem_with(
            offer,
            policy=self._policy,
            home=self._home,
            simulate=self._settings.simulate,
            gpus=len(self._gpus),
            free=self._free_gpus(),
        )
        try:
            if problem:
                logger.info("Job %s is declined: %s", offer.job, problem[1])
                self._api.decline(offer.id, *problem)
                folder.remove()
                return
            self._api.accept(offer.id, list(offer.gpus))
        except Refused as refused:
            if refused.status in {404, 409, 410, 422} and refused.code != "session_replaced":
                logger.info("Job %s: the offer is gone: %s", offer.job, refused)
                folder.remove()
                return
            raise
        durable.crash_at("accept_answered")
        self._good()
        folder.write("accepted.json", {"at": clock.utc_now(), "boot_s": clock.boot_s(), "boot_id": clock.boot_id()})
        durable.crash_at("accepted_written")
        logger.info("Job %s begins as attempt %s on %s", offer.job, offer.id, ", ".join(offer.gpus) or "no GPU")
        self._add(folder, is_confirmed=True)

    # attempts

    def _busy(self) -> list[Running]:
        with self._lock:
            return [running for running in self._attempts.values() if not running.is_over]

    def _add(self, folder: AttemptFolder, *, is_confirmed: bool = False) -> None:
        shipper = Shipper(folder, self._home, self._api, self._limits, self._settings.give_up_s)
        supervisor = Supervisor(
            folder,
            self._home,
            self._settings,
            self._policy,
            self._limits,
            self._executors[folder.offer.executor],
            may_start=lambda: self._may_start(folder.id),
            news=self._beat.set,
        )
        running = Running(folder, supervisor, shipper, is_confirmed)
        with self._lock:
            self._attempts[folder.id] = running
        self._start(lambda: self._supervise(running), f"supervise-{folder.id[:8]}")
        self._start(lambda: self._ship(running), f"ship-{folder.id[:8]}")
        self._beat.set()

    def _may_start(self, attempt_id: str) -> bool:
        """Only on the site's word, and not on an old one."""
        with self._lock:
            is_confirmed = self._attempts[attempt_id].is_confirmed
        return is_confirmed and clock.boot_s() - self._answered_s < self._times.lease_s

    def _supervise(self, running: Running) -> None:
        while not self._gone.is_set():
            try:
                if running.supervisor.step():
                    break
            except Exception:
                logger.exception("Attempt %s: supervising is tried again", running.folder.id)
                self._gone.wait(1.0)
            self._gone.wait(self._settings.tick_s)
        running.wake.set()

    def _ship(self, running: Running) -> None:
        backoff = Backoff(min(0.5, self._times.flush_s))
        is_race = running.supervisor.offer.executor == "race"
        while not self._gone.is_set():
            wait_s = min(self._times.flush_s, RACE_FLUSH_S) if is_race else self._times.flush_s
            running.wake.clear()
            try:
                if self._has_session.is_set():
                    if running.shipper.step():
                        break
                    self._good()
                    backoff.good()
            except Away as away:
                self._complain("away", "The site is away: %s", away)
                wait_s = backoff.wait_s(away.retry_after_s)
            except Refused as refused:
                wait_s = max(self._refused(refused), backoff.wait_s())
            except Exception:
                logger.exception("Attempt %s: sending is tried again", running.folder.id)
                wait_s = TRY_AGAIN_S
            running.wake.wait(wait_s)
        if not self._gone.is_set():
            self._is_done(running)

    def _is_done(self, running: Running) -> None:
        running.is_over = True
        if running.folder.path.exists():
            self._executors[running.supervisor.offer.executor].cleanup(running.folder)
        with self._lock:
            self._attempts.pop(running.folder.id, None)
        self._wake.set()

    # the heartbeat

    def _beat_on(self) -> None:
        backoff = Backoff()
        while not self._gone.is_set():
            self._beat.clear()
            wait_s = self._spread(self._times.heartbeat_s)
            if self._has_session.is_set():
                try:
                    is_ready = self.beat()
                    backoff.good()
                    wait_s = min(wait_s, READY_BEAT_S) if is_ready else wait_s
                except Away as away:
                    self._complain("away", "The site is away: %s", away)
                    wait_s = min(wait_s, backoff.wait_s(away.retry_after_s))
                except Refused as refused:
                    wait_s = max(1.0, min(wait_s, self._refused(refused)))
                except Exception:
                    logger.exception("The heartbeat is tried again")
            self._beat.wait(wait_s)

    def beat(self) -> bool:
        """Tell what runs, and hear what to do with it. True while a lane waits for its start."""
        told = [
            telling.progress(running.folder, running.supervisor)
            for running in self._busy()
            if running.folder.has("accepted.json")
        ]
        body = {
            "attempts": told,
            "gpus": telling.vitals([one.folder for one in self._busy() if self._holds(one.folder)]),
            "disk_free_mib": self._home.free_mib(),
            "agent_time": clock.utc_now(),
        }
        asked_s = clock.boot_s()
        reply = self._api.heartbeat(body)
        self._good()
        answered_s = clock.boot_s()
        self._site_drains = reply.drain
        self._times = reply.times or self._times
        for one in reply.attempts:
            self._obey(one)
            if one.go_in_s is not None and (running := self._find(str(one.id))):
                # Said at some moment between question and answer.
                self._go(running, (asked_s + answered_s) / 2 + one.go_in_s, (answered_s - asked_s) / 2)
        if reply.rotate_token:
            self._rotate()
        if any(each["phase"] == "uploading" for each in told):
            # GPUs that the site has just taken back can be claimed for.
            self._wake.set()
        return any(each["phase"] == "ready" for each in told)

    def _rotate(self) -> None:
        try:
            self._home.replace_token(self._api.rotate())
            logger.info("The token was replaced")
        except (Away, Refused) as error:
            self._complain("rotate", "The token was not replaced: %s", error)

    def _tidy(self) -> None:
        if clock.boot_s() - self._tidied_s > TIDY_S:
            self._tidied_s = clock.boot_s()
            self._home.forget_old(self._settings.keep_s)
            self._home.fill_ballast()

    @staticmethod
    def _spread(seconds: float, by: float = SPREAD) -> float:
        """Not all hosts at the same moment."""
        return seconds * random.uniform(1 - by, 1 + by)  # noqa: S311 - spreads calls, no secret
