"""Letters in the reference model: children, signals and cancel requests on their way, and what is heard of them."""

from __future__ import annotations

from .reference_base import PATIENCE, RETRY, WORKFLOW_TIMEOUT, Base, Letter, Process, Refused, Run


class Mail(Base):
    """Letters, delivered in the order of their time."""

    def _deliver(self, letter: Letter) -> None:
        try:
            getattr(self, f"_deliver_{letter.kind}")(letter)
        except Refused as refusal:
            if letter.kind in ("signal", "cancel") and self.now < letter.sent + PATIENCE:
                letter.due = self.now + RETRY
                self.mail.append(letter)
            else:
                self._answer(letter, str(refusal))
        else:
            self._answer(letter, "")

    def _deliver_start(self, letter: Letter) -> None:
        request = f"{letter.sender}:{letter.run}:{letter.seq}"
        if letter.to in self.processes:
            self.expire(letter.to)
        if not self._is_started(letter.to, request, "fail"):
            self._begin(letter.to, request, WORKFLOW_TIMEOUT, (letter.sender, letter.run, letter.seq))

    def _deliver_signal(self, letter: Letter) -> None:
        self.signal(letter.to, f"{letter.sender}:{letter.run}:{letter.seq}")

    def _deliver_cancel(self, letter: Letter) -> None:
        self.cancel(letter.to)

    def _deliver_policy(self, letter: Letter) -> None:
        if self.opened(letter.to).parent == (letter.sender, letter.run, letter.seq):
            self.terminate(letter.to) if letter.policy == "TERMINATE" else self.cancel(letter.to)

    def _deliver_closed(self, letter: Letter) -> None:
        run = self._parent_run(letter)
        if run is not None and letter.seq in run.children:
            if not run.children[letter.seq][2]:
                self._news(run, f"child {letter.sender} started")
            del run.children[letter.seq]
            self._news(run, f"child {letter.sender} {letter.status}")

    def _parent_run(self, letter: Letter) -> Run | None:
        self.expire(letter.to)
        run = self.current(letter.to)
        return run if run.open and run.number == letter.run else None

    def _answer(self, letter: Letter, refusal: str) -> None:
        """The sender hears what became of its letter, if it is still there."""
        if letter.kind in ("policy", "closed"):
            return
        self.expire(letter.sender)
        process = self.processes[letter.sender]
        run = process.runs[-1] if process.runs[-1].open and process.runs[-1].number == letter.run else None
        if letter.kind == "start":
            self._answer_start(letter, refusal, process, run)
        elif run is not None and run.letters.pop(letter.seq, ""):
            what = {"signal": "send", "cancel": "ask"}[letter.kind]
            self._news(run, f"refused {what} {letter.to} UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION" if refusal
                       else f"{what} {letter.to} delivered")  # fmt: skip

    def _answer_start(self, letter: Letter, refusal: str, process: Process, run: Run | None) -> None:
        orphan = process.orphans.pop((letter.run, letter.seq), None)
        child = None if run is None else run.children.get(letter.seq)
        if child is not None and run is not None and not child[2]:
            if refusal:
                del run.children[letter.seq]
                self._news(run, f"refused child {child[0]} {child[1]} WORKFLOW_ALREADY_RUNNING")
            else:
                child[2] = True
                self._news(run, f"child {child[0]} started")
        elif orphan is not None and not refusal:
            self._post("policy", orphan[0], letter.sender, process.runs[letter.run], letter.seq, orphan[1])
