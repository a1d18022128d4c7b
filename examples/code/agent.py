"""An agent: a model says which tool to use next; what is dangerous needs somebody's approval.

python3 -m examples.code.agent
"""

from __future__ import annotations

from typing import Any

from pyworkflow import ActivityFailed, Context, Process, RetryPolicy, activity, workflow
from pyworkflow.testing import WorkflowEnvironment

Message = dict[str, Any]

DANGEROUS = {"send_money"}


@activity(execution_timeout=120, retry=RetryPolicy(maximum_attempts=5))
def ask_model(messages: list[Message]) -> Message:
    """Stands for a call of a language model: it answers, or asks for a tool. This one has learnt its part."""
    used = [message["tool"] for message in messages if message["role"] == "tool"]
    if "balance" not in used:
        return {"role": "model", "tool": "balance", "argument": "Ada"}
    if "send_money" not in used:
        return {"role": "model", "tool": "send_money", "argument": 40}
    return {"role": "model", "text": f"Done: {messages[-1]['result']}."}


@activity(execution_timeout=30)
def use_tool(name: str, argument: Any) -> Any:
    match name:
        case "balance":
            return 100
        case "send_money":
            return f"sent {argument} euros"
    raise ActivityFailed(f"there is no tool {name}", non_retryable=True)


@workflow(activities=[ask_model, use_tool])
async def agent(ctx: Context, task: str, longest: int = 20) -> str:
    """Goes on until the model is content. Every call is a step: after a crash nothing is asked or done twice."""
    messages: list[Message] = [{"role": "user", "text": task}]
    for _ in range(longest):
        answer = await ctx.call(ask_model, messages)
        messages.append(answer)
        if "tool" not in answer:
            return str(answer["text"])
        messages.append({"role": "tool", "tool": answer["tool"], "result": await use(ctx, answer)})
    return "it did not come to an end"


async def use(ctx: Context, wish: Message) -> Any:
    """What a tool gives, or why it was not used."""
    if wish["tool"] in DANGEROUS:
        try:
            if not await ctx.wait_signal("approval", timeout=24 * 3600):
                return "the user does not want that"
        except TimeoutError:
            return "the user did not answer"
    try:
        return await ctx.call(use_tool, wish["tool"], wish["argument"])
    except ActivityFailed as error:
        return f"it failed: {error.reason}"


def main() -> None:
    env = WorkflowEnvironment([agent])
    id = env.start(Process(agent, "agent-1", {"task": "Send Ada what I owe her."}))
    env.advance(3600)
    env.signal(id, "approval", True)
    print(env.run(id))


if __name__ == "__main__":
    main()
