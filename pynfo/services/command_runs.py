"""Running the handlers of commands: in turn for each person, within a time limit, whatever they raise.

Answers to one person leave in the order of the questions, and a slow command delays only that person. Each
person who waits has a worker, which ends when nothing waits any more. Each handler that may wait is a task of
its own, so that it can be stopped at its time limit, or when its plugin is unloaded.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from os import urandom
from typing import Any

from pynfo.command import CommandError, Request
from pynfo.interfaces import IOperator, IScheduler
from pynfo.irc.pacing import QueueFull
from pynfo.ownership import report, running_as, running_owner
from pynfo.services.answers import Answers
from pynfo.services.command_limits import Person
from pynfo.services.command_table import Command
from pynfo.services.scheduler import Busy

log = logging.getLogger(__name__)

WAITING = 10  # commands of one person that wait behind one that runs
WAITING_UNLIMITED = 20_000  # commands that wait in all, where `command_limits` sets no limit for a person
WORKERS = 500  # people whose commands run
LATE = 5  # runs of one command that go on although they were stopped; past it the command is refused

# What a handler may raise; SystemExit because a plugin that calls `sys.exit` ends itself, not the bot.
FAILURES = (Exception, SystemExit, asyncio.CancelledError)


class _Worker:
    """What one person waits for."""

    __slots__ = ("task", "told", "waiting")

    task: asyncio.Task[None]

    def __init__(self, request: Request) -> None:
        self.waiting = deque((request,))
        self.told = False  # that too much waits


class CommandRuns:
    """Runs requests. `prepare(request)` gives the handler's arguments, or raises `CommandError`."""

    def __init__(self, factory: Any, answers: Answers, prepare: Callable[[Request], dict[str, Any]]) -> None:
        self._factory = factory
        self._answers = answers
        self._prepare = prepare
        self._workers: dict[Person, _Worker] = {}
        self._waiting = 0  # requests that wait, of all workers
        self._crowded = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()

    def start(self, request: Request, person: Person) -> None:
        """Run it now, or when the person's earlier requests are answered."""
        worker = self._workers.get(person)
        if worker is not None:
            self._wait(worker, request)
        elif request.command.at_once:
            self._run_at_once(request)
        elif len(self._workers) < WORKERS:
            worker = self._workers[person] = _Worker(request)
            self._waiting += 1
            worker.task = self._task(self._work(person, worker))
        else:
            self._crowded = True
            IOperator(self._factory).tell(
                "commands/crowded", f"commands of {WORKERS} people run at once: those of others are refused"
            )

    async def idle(self) -> None:
        """*await* until nobody waits for an answer."""
        while self._workers:
            await asyncio.wait([worker.task for worker in self._workers.values()])

    async def stop(self) -> None:
        """Stop all that runs."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    def _wait(self, worker: _Worker, request: Request) -> None:
        limited = self._factory.config.command_limits.get("user") is not None
        room = len(worker.waiting) < WAITING if limited else self._waiting < WAITING_UNLIMITED
        if room:
            worker.waiting.append(request)
            self._waiting += 1
        elif not worker.told:
            worker.told = True
            count = len(worker.waiting)
            self._answers.notice(
                request.event, f"{count} of your commands wait already: this one is left out"
            )

    async def _work(self, person: Person, worker: _Worker) -> None:
        try:
            while worker.waiting:
                request = worker.waiting.popleft()
                self._waiting -= 1
                if request.command.at_once:
                    self._run_at_once(request)
                else:
                    await self._run(request)
        finally:
            self._waiting -= len(worker.waiting)
            del self._workers[person]
            if self._crowded and not self._workers:
                self._crowded = False
                IOperator(self._factory).settled("commands/crowded")

    def _run_at_once(self, request: Request) -> None:
        command = request.command
        try:
            arguments = self._prepare(request)
            token = running_owner.set(
                command.owner
            )  # as `running_as`, without its cost: most commands come here
            try:
                text = _text(_finish(command.function(request, **arguments)))
            finally:
                running_owner.reset(token)
        except FAILURES as error:
            text = self._failure(request, error)
        self._give(request, text)

    async def _run(self, request: Request) -> None:
        command = request.command
        limit = command.time_limit or self._factory.config.command_time_limit
        task = self._task(self._call(request))
        if command.owner is not None:
            command.owner.watch(task)
        await asyncio.wait((task,), timeout=limit)
        if not task.done():
            self._give(request, f"{command.name} took longer than {limit:g} seconds and was stopped")
            request.closed = True
            command.late.add(task)
            task.add_done_callback(command.late.discard)
            task.cancel()
        elif not task.cancelled():
            self._give(request, task.result())
        elif command.gone:
            self._give(request, unloaded(command))
        else:
            self._give(request, self._failure(request, asyncio.CancelledError()))

    async def _call(self, request: Request) -> str | None:
        command = request.command
        try:
            if len(command.late) >= LATE:
                raise CommandError(f"{command.name} is stuck: {LATE} earlier uses of it do not end")
            arguments = self._prepare(request)
            with running_as(command.owner):
                if command.is_coroutine:
                    return _text(await command.function(request, **arguments))
                in_thread = IScheduler(self._factory).in_thread
                return _text(await in_thread(command.function, request, **arguments))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a plugin
            return self._failure(request, error)

    def _give(self, request: Request, text: str | None) -> None:
        if text is None:
            return
        try:
            self._answers.give(request, text)
        except (QueueFull, LookupError, ValueError) as error:
            log.warning("an answer to %s on %s was not said: %s", request.user.mask, request.network, error)

    def _failure(self, request: Request, error: BaseException) -> str:
        """The sentence for the user; what is not the user's mistake is logged in full, under an id."""
        if isinstance(error, CommandError):
            return str(error)
        if isinstance(error, Busy):
            return "I have too much to do just now, please try again later"
        number = urandom(3).hex()
        command, user = request.command, request.user
        asked = f"by {user.mask} on {request.network} with {request.text[:200]!r}"
        report(command.owner, f"command {command.name}, asked {asked} (error {number})", error)
        return f"sorry, something went wrong with {command.name} (error {number})"

    def _task(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def unloaded(command: Command) -> str:
    """The answer to who asked for a command that went meanwhile."""
    return f"{command.name} was stopped: its plugin, {command.plugin}, was unloaded"


def _text(result: Any) -> str | None:
    """What a handler returned, as one text."""
    if isinstance(result, list):
        return "\n".join(result)
    if result is None or isinstance(result, str):
        return result
    raise TypeError(f"a command returns str, list[str] or None, not {type(result).__name__}")


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits (`never_waits`)."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("the handler waited, although it has no await")
