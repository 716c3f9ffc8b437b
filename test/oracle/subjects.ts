/** What is compared with the original. */

import type { Subject } from "./original.ts";
import { builds } from "./subjects/build.ts";

export const subjects: readonly Subject[] = [...builds];
