"""Human approval with reminders: a holiday that somebody has to grant, and is reminded of until then.

python3 -m examples.code.approval
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pyworkflow import CodeWorkflow, Context, Process, activity, query, signal, update
from pyworkflow.testing import WorkflowEnvironment

DAY = 24 * 3600


@dataclass
class Request:
    who: str
    days: int


@activity(execution_timeout=30)
def send_mail(to: str, text: str) -> None:
    print(f"to {to}: {text}")


class Holiday(CodeWorkflow):
    """Asks the boss, reminds her every second day, and gives up after two weeks."""

    activities = [send_mail]

    def __init__(self) -> None:
        self.answer: bool | None = None
        self.days = 0

    @signal
    def answered(self, granted: bool) -> None:
        self.answer = granted

    @query
    def state(self) -> str:
        return "waiting" if self.answer is None else "granted" if self.answer else "refused"

    def is_open(self, days: int) -> None:
        if self.answer is not None:
            raise ValueError(f"it is {self.state()} already")

    @update(validator=is_open)
    def change(self, days: int) -> str:
        self.days = days
        return f"{days} days"

    async def run(self, ctx: Context, request: Request) -> str:
        self.days = request.days
        reminding = asyncio.create_task(self.remind(ctx, request))
        try:
            await ctx.wait_condition(lambda: self.answer is not None, timeout=14 * DAY)
        except TimeoutError:
            return "nobody answered"
        finally:
            reminding.cancel()
        await ctx.call(send_mail, request.who, f"your {self.days} days are {self.state()}")
        return self.state()

    async def remind(self, ctx: Context, request: Request) -> None:
        while True:
            await ctx.call(send_mail, "the boss", f"{request.who} wants {self.days} days")
            await ctx.sleep(2 * DAY)


def main() -> None:
    env = WorkflowEnvironment([Holiday])
    holiday = env.start(Process(Holiday, "holiday-1", Request("Ada", 5)))
    env.advance(5 * DAY)
    env.signal(holiday, "answered", True)
    print(env.run(holiday))


if __name__ == "__main__":
    main()
