import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { download } from "../../../src/registry/download.ts";

// origin: Go's net/http, (*Transport).RoundTrip
test.each([
  ["http:///etc/passwd", "http: no Host in request URL"],
  ["http://", "http: no Host in request URL"],
  ["http:host/x", "http: no Host in request URL"],
  ["https:/host/x", "http: no Host in request URL"],
  ["http://\\host/x", "http: no Host in request URL"],
  ["ftp://host/x", 'unsupported protocol scheme "ftp"'],
  ["file:///etc/passwd", 'unsupported protocol scheme "file"'],
])("download() asks nobody for %j", async (url, reason) => {
  await expect(download(memoryHost(), url)).rejects.toThrow(`Get ${url}: ${reason}`);
});
