// A file is sent in pieces and goes on where it stood.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, nameOf, send } from "../src/console/imports.js";

const answer = (status, headers = {}, body = {}) => ({ status, ok: status < 300, headers: new Headers(headers), json: async () => body });

function server({ breaks = [] } = {}) {
  let kept = 0;
  const calls = [];
  return {
    calls,
    kept: () => kept,
    async ask(place, { method, headers, body }) {
      calls.push(method);
      if (breaks.includes(calls.length)) throw new TypeError("broken");
      if (method === "HEAD") return answer(200, { "Upload-Offset": String(kept) });
      if (Number(headers["Upload-Offset"]) !== kept) return answer(409);
      kept += body.size;
      if (breaks.includes(-calls.length)) throw new TypeError("kept, and never answered");
      return answer(204, { "Upload-Offset": String(kept) });
    },
  };
}

const file = () => new File([new Uint8Array(10 << 20)], "rows.csv", { lastModified: 1 });

test("a file is sent in pieces of four mebibytes", async () => {
  const far = server();
  const told = [];
  await send(file(), "/x", { ask: far.ask, told: (kept) => told.push(kept), wait: async () => {} });
  assert.deepEqual(far.calls, ["HEAD", "PATCH", "PATCH", "PATCH"]);
  assert.equal(far.kept(), 10 << 20);
  assert.equal(told.at(-1), 10 << 20);
});

test("a broken connection and a lost answer go on where the server stands", async () => {
  const far = server({ breaks: [3, -5] });
  const waits = [];
  await send(file(), "/x", { ask: far.ask, told: () => {}, wait: async (ms) => waits.push(ms) });
  assert.equal(far.kept(), 10 << 20);
  assert.ok(waits.length >= 1);
});

test("what the server refuses is told and not tried again", async () => {
  const ask = async (place, { method }) => (method === "HEAD" ? answer(200, { "Upload-Offset": "0" }) : answer(422, {}, { detail: "No." }));
  await assert.rejects(send(file(), "/x", { ask, told: () => {}, wait: async () => {} }), (error) => error instanceof Refused && error.message === "No.");
});

test("a file is remembered by name, size, time and what it is for", () => {
  assert.notEqual(nameOf(file(), "a"), nameOf(file(), "b"));
});
