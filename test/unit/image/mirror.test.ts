import { expect, test } from "vitest";
import { pairUp, parseDeb822Sources, parseSourcesList } from "../../../src/image/mirror.ts";

test("one-line sources give their addresses, with and without options", () => {
  const text = [
    "# deb http://commented.example/debian trixie main",
    "deb http://a.example/debian trixie main",
    "deb [arch=amd64 signed-by=/k.gpg] https://b.example/debian-security trixie-security main",
    "deb-src http://c.example/debian trixie main",
  ].join("\n");

  expect(parseSourcesList(text)).toEqual([
    "http://a.example/debian",
    "https://b.example/debian-security",
  ]);
});

test("deb822 sources give every address of every stanza", () => {
  const text = [
    "Types: deb deb-src",
    "# a remark between fields",
    "URIs: http://a.example/debian http://b.example/debian",
    "Suites: trixie",
    "",
    "Types: deb",
    "URIs:",
    " http://c.example/debian-security",
    "Suites: trixie-security",
  ].join("\n");

  expect(parseDeb822Sources(text)).toEqual([
    "http://a.example/debian",
    "http://b.example/debian",
    "http://c.example/debian-security",
  ]);
});

test("disabled and source-only stanzas of deb822 are left out", () => {
  const disabled = "Types: deb\nURIs: http://a.example/debian\nEnabled: no\n";
  const sources = "Types: deb-src\nURIs: http://b.example/debian\n";

  expect(parseDeb822Sources(`${disabled}\n${sources}`)).toEqual([]);
});

test("a mirror without a named security archive has it beside the main one", () => {
  expect(pairUp(["http://a.example/debian/"])).toEqual({
    main: "http://a.example/debian",
    security: "http://a.example/debian-security",
  });
});

test("a named security archive is used as it is", () => {
  expect(pairUp(["http://a.example/debian", "http://b.example/debian-security"])).toEqual({
    main: "http://a.example/debian",
    security: "http://b.example/debian-security",
  });
});
