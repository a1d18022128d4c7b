// A worker in Node, with the AWS SDK alone: does the activity `Double` of whatever decider asks for it.
//
// Usage: npm install; node worker.mjs DOMAIN TASK_LIST [NUMBER]. AWS_ENDPOINT_URL_SWF says where, NUMBER after how many
// tasks it ends.
import { PollForActivityTaskCommand, RespondActivityTaskCompletedCommand, SWFClient } from "@aws-sdk/client-swf";

const [domain, name, number = "Infinity"] = process.argv.slice(2);
const swf = new SWFClient({});

for (let done = 0; done < Number(number); ) {
  const task = await swf.send(new PollForActivityTaskCommand({ domain, taskList: { name }, identity: "node" }));
  if (!task.taskToken) continue; // An empty reply after 60 seconds: nothing to do.
  const result = JSON.stringify({ doubled: JSON.parse(task.input).n * 2 });
  await swf.send(new RespondActivityTaskCompletedCommand({ taskToken: task.taskToken, result }));
  done += 1;
}
