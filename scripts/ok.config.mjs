/**
 * What `npm run ok` tests: the unit tests and the chapters as one project, whose workers load the engine once each.
 *
 * As projects of their own (vitest.config.ts) the chapters would each compile and load it anew: a third of the time.
 */
import { availableParallelism } from "node:os";
import { secondLook } from "../vitest.config.ts";

export default {
  test: {
    include: ["test/unit/**/*.test.ts", "chapters/**/*.test.ts"],
    exclude: ["chapters/*/vm.test.ts"],
    testTimeout: 20_000,
    retry: secondLook,
    // Starting a process for each file takes longer than its tests. npm test keeps them apart.
    isolate: false,
    // One less is the default: on two cores that is half of them.
    maxWorkers: availableParallelism(),
  },
};
