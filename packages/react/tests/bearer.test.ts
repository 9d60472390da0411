import { waitFor } from "@testing-library/dom";
import { describe, expect, it } from "vitest";
import { AgentStream } from "../src/agentStream.js";
import { bearerFrom } from "../src/bearer.js";
import { serveEachTest, server } from "./hook.js";
import { START, UP } from "./server.js";

serveEachTest();

/** A page whose runs are a gateway's, and whose application gives it tokens that live so long. */
function page(expires_in = 60) {
  server.onToken = (call) => call.refuse(200, { token: `t${server.tokens.length}`, expires_in });
  const headers = bearerFrom(`${server.base}/token`);
  return new AgentStream({ base: server.base, headers, timing: { backoffMs: 5 } });
}

const sent = (calls: { headers: { authorization?: string } }[]) => calls.map(({ headers }) => headers.authorization);
const ends = (stream: AgentStream, state: string) => waitFor(() => expect(stream.view().state).toBe(state));

describe("a token of the application's", () => {
  it("is asked for before each start, and goes with all that follows", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half").cut();
    server.onResume = (call) => call.open(3).done("Half");
    const stream = page();
    stream.send("Hi");
    await ends(stream, "done");
    expect([sent(server.posts), sent(server.resumes)]).toEqual([["Bearer t1"], ["Bearer t1"]]);
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    stream.send("Again");
    await ends(stream, "streaming");
    stream.stop();
    await waitFor(() => expect(sent(server.aborts)).toEqual(["Bearer t2"]));
    expect(sent(server.posts)).toEqual(["Bearer t1", "Bearer t2"]);
    expect(server.tokens).toHaveLength(2);
  });

  it("is asked for anew when it has ended", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half").cut();
    server.onResume = (call) => call.open(3).done("Half");
    const stream = page(5); // less than a request may take
    stream.send("Hi");
    await ends(stream, "done");
    expect([sent(server.posts), sent(server.resumes)]).toEqual([["Bearer t1"], ["Bearer t2"]]);
  });

  it("that is refused is said so, and nothing is started", async () => {
    const stream = page();
    server.onToken = (call) => call.refuse(403, { message: "You may not talk to this agent." });
    stream.send("Hi");
    await ends(stream, "error");
    expect(stream.view().error).toMatchObject({ code: "forbidden", message: "You may not talk to this agent." });
    expect(server.posts).toEqual([]);
    server.onToken = (call) => call.refuse(200, { token: "t", expires_in: 60 });
    server.onChat = (call) => call.open().say(START, UP).done("Hello");
    stream.retry();
    await ends(stream, "done");
  });

  it("that is none is no answer", async () => {
    const stream = page();
    server.onToken = (call) => call.refuse(200, { tokens: [] });
    stream.send("Hi");
    await ends(stream, "error");
    expect(stream.view().error?.code).toBe("bad_response");
  });
});
