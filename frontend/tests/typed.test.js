import assert from "node:assert/strict";
import { test } from "node:test";

import { asTyped } from "../src/typed.js";

test("dates that people type come out in the one order both languages share", () => {
  for (const typed of ["2026-11-2", "2026/11/02", "2026.11.2", "2026年11月2日"]) assert.equal(asTyped("date", typed), "2026-11-02");
  assert.equal(asTyped("datetime-local", "2026-11-02T8:05"), "2026-11-02 08:05");
  assert.equal(asTyped("time", "8点5分"), "08:05");
});

test("what cannot be read stays as it was typed", () => {
  for (const typed of ["", "tomorrow", "2/11/2026", "2026-11", "2026-11-02 08:00"]) assert.equal(asTyped("date", typed), typed);
  assert.equal(asTyped("datetime-local", "2026-11-02"), "2026-11-02");
});
