// SPDX-License-Identifier: Apache-2.0
// Hands cases to the sample of docs/partners.md (sample.mjs).
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { verifyNotice } from "./sample.mjs";

for (const folder of process.argv.slice(2)) {
  const text = (name) => readFileSync(`${folder}/${name}`, "utf8");
  const settings = JSON.parse(text("settings.json"));
  try {
    const notice = verifyNotice(JSON.parse(text("headers.json")), readFileSync(`${folder}/body`), settings.secret,
      text("key_set.json"), settings.issuer, settings.client_id);
    if (notice.ChangeType !== 1) throw new Error("another notice");
    console.log(basename(folder), "accepted");
  } catch (e) {
    console.log(basename(folder), "refused", e.message);
  }
}
