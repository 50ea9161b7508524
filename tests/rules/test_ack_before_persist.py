"""OTP602: the order of answer and save on every way through a handler."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, json, pickle, queue, shelve, sqlite3, threading, pykka, ray
from pathlib import Path
from otplint.runtime import *
"""

NEGATIVE = {
    "saved, then returned": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                self.save()
                return "ok"
            def save(self): self.store.put("m", json.dumps(self.items))
    """,
    "saved, then replied": """
        class M(Server):
            async def handle_call(self, req, frm):
                self.store.put(req.key, req.text)
                frm.reply("ok")
                return NO_REPLY
    """,
    "saved in a finally": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                try:
                    self.items[req.key] = req.text
                    return "ok"
                finally:
                    self.store.put("m", json.dumps(self.items))
    """,
    "a refusal needs no save": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                if req.key in self.items: return "known"
                self.items[req.key] = req.text
                self.store.put("m", json.dumps(self.items))
                return "ok"
    """,
    "saved when it stops": """
        class M(Server):
            def __init__(self, path: Path): self.path, self.items = path, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                return "ok"
            async def terminate(self, reason): self.path.write_text(json.dumps(self.items))
    """,
    "a persistent server": """
        class M(PersistentServer):
            def __init__(self, store):
                super().__init__(store, "m")
                self.items = {}
            def snapshot(self): return self.items
            def restore(self, state, version): self.items = state
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                return "ok"
    """,
    "questions are answered at once": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                match req.kind:
                    case "get": frm.reply(self.items[req.key])
                    case "put":
                        self.items[req.key] = req.text
                        self.store.put("m", json.dumps(self.items))
                        frm.reply("ok")
                return NO_REPLY
    """,
    "one message after the other": """
        class T(threading.Thread):
            def __init__(self, path: Path, peer: pykka.ActorRef):
                super().__init__()
                self.path, self.q = path, queue.Queue()
            def run(self):
                while True:
                    msg = self.q.get()
                    if msg.ask: msg.reply_to.tell(1)
                    else: self.path.write_text(msg.text)
    """,
    "a log of what was answered": """
        class M(Server):
            def __init__(self, path: Path): self.path = path
            async def handle_call(self, req, frm):
                answer = frm.reply(1)
                self.path.write_text(str(answer))
                return NO_REPLY
    """,
    "a signal that is waited for": """
        @ray.remote
        class M:
            async def begin(self, gate):
                await gate.opened.remote()
                Path("a").write_text(self.name)
    """,
    "a log of a process": """
        class M(Server):
            async def handle_info(self, msg):
                self.system.send(msg.sender, "ok")
                with open(self.path, "a") as out:
                    out.write(f"begin {msg.key}")
                    await asyncio.create_subprocess_exec("job", stdout=out)
    """,
    "saved by an object that a helper gives": """
        class Ownership:
            def __init__(self, path): self.path, self.done = Path(path), {}
            def checkpoint(self, done):
                write(self.path, done)
                self.done = done
        def write(path, data):
            with open(path, "w") as out: json.dump(data, out)
        class M(Server):
            def __init__(self, db: sqlite3.Connection): self.db, self.routes = db, {}
            def registry(self):
                found = getattr(self, "own", None)
                if found is None: found = self.own = Ownership("a")
                return found
            async def handle_call(self, req, frm):
                registry = self.registry()
                registry.checkpoint({req.key: req.target})
                self.routes[req.key] = req.target
                return True
            async def handle_info(self, msg):
                self.db.executemany("INSERT INTO routes VALUES (?, ?)", self.routes.items())
    """,
}

POSITIVE = {
    "replied, then saved": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                frm.reply("ok")
                self.store.put("m", json.dumps(self.items))
                return NO_REPLY
    """,
    "in helpers": """
        class M(Server):
            def __init__(self, store: Store): self.store, self.items = store, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                self.accept(frm)
                self.save()
                return NO_REPLY
            def accept(self, who): who.reply("ok")
            def save(self):
                text = json.dumps(self.items)
                self.store.put("m", text)
    """,
    "saved on one way only": """
        class M(Server):
            async def handle_call(self, req, frm):
                if req.fast:
                    frm.reply("ok")
                    self.store.put(req.key, req.text)
                else:
                    self.store.put(req.key, req.text)
                    frm.reply("ok")
                return NO_REPLY
    """,
}
LATER = {
    "saved by a task": """
        class M(Server):
            def __init__(self, path: Path): self.path, self.items = path, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                self.saving = asyncio.create_task(self.save())
                return "ok"
            async def save(self): self.path.write_text(json.dumps(self.items))
    """,
    "saved now and then": """
        class M(Server):
            def __init__(self, path: Path): self.path, self.items = path, []
            async def handle_call(self, req, frm):
                self.items.append(req.text)
                if len(self.items) % 10 == 0: self.save()
                return "ok"
            def save(self):
                with open(self.path, "w") as out: json.dump(self.items, out)
    """,
    "saved by another handler": """
        class M(Server):
            def __init__(self, db: sqlite3.Connection): self.db, self.items = db, {}
            async def handle_call(self, req, frm):
                self.items[req.key] = req.text
                self.system.send_after(1, self.pid, "flush")
                return True
            async def handle_info(self, msg):
                self.db.executemany("INSERT INTO items VALUES (?, ?)", self.items.items())
    """,
    "an answer whose arrival is waited for": """
        @ray.remote
        class M:
            async def begin(self, asker, key):
                await asker.accepted.remote(key)
                Path("a").write_text(key)
    """,
    "a file that is no process's": """
        class M(Server):
            async def handle_info(self, msg):
                self.system.send(msg.sender, "ok")
                with open(self.path, "a") as out:
                    out.write(f"begin {msg.key}")
                    await asyncio.create_subprocess_exec("job", stdout=self.other)
    """,
    "an object that a helper gives saves later": """
        class Ownership:
            def checkpoint(self, done):
                with open("a", "w") as out: json.dump(done, out)
        class M(Server):
            def __init__(self): self.routes = {}
            def registry(self): return Ownership()
            async def handle_call(self, req, frm):
                self.routes[req.key] = req.target
                return True
            async def handle_info(self, msg): self.registry().checkpoint(self.routes)
    """,
    "answered by a message": """
        class M(Server):
            async def handle_info(self, msg):
                self.system.send(msg.sender, "ok")
                self.store.put(msg.key, msg.text)
    """,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not scan(HEAD + textwrap.dedent(text), "OTP602")


@pytest.mark.parametrize("name", [*POSITIVE, *LATER])
def test_reported_once(scan: Scan, name: str) -> None:
    found = scan(HEAD + textwrap.dedent({**POSITIVE, **LATER}[name]), "OTP602")
    assert [f.code for f in found] == ["OTP602"]
    assert found[0].confidence is (Confidence.HIGH if name in POSITIVE else Confidence.MEDIUM)


def test_a_journal_of_the_project(scan: Scan) -> None:
    journal = """
    class Journal:
        def __init__(self, path): self.out = open(path, "a")
        def note(self, text): self.out.write(text)
    """
    text = """
    from journal import Journal
    from otplint.runtime import NO_REPLY, Server
    class M(Server):
        def __init__(self, path): self.journal = Journal(path)
        async def handle_call(self, req, frm):
            frm.reply("ok")
            self.journal.note(req.text)
            return NO_REPLY
    """
    assert [f.code for f in scan({"journal.py": journal, "app.py": text}, "OTP602")] == ["OTP602"]
