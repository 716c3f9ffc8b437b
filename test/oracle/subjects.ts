/** What is compared with the original. */

import type { Subject } from "./original.ts";
import { builds } from "./subjects/build.ts";
import { names } from "./subjects/names.ts";
import { runs } from "./subjects/run.ts";
import { tarsums } from "./subjects/tarsum.ts";

export const subjects: readonly Subject[] = [...builds, ...names, ...runs, ...tarsums];
