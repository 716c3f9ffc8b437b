/** An answer to exercise 1. @module */

/** What each of the two writes, in its order. */
const halves = [
  [/^<time> docker daemon: /, /^\[<engine>\] \+job serveapi\(/, /^\[info\] Listening for HTTP on /],
  [
    /^\[<engine>\] \+job init_networkdriver\(\)$/,
    /creating new bridge for docker0$/,
    /getting iface addr$/,
    /^\[<engine>\] -job init_networkdriver\(\) = OK \(0\)$/,
    /^\[info\] Loading containers: ?$/,
    /^\.*\[info\] : done\.$/,
    /^\[<engine>\] \+job acceptconnections\(\)$/,
    /^\[<engine>\] -job acceptconnections\(\) = OK \(0\)$/,
  ],
];

/** Each half is in order; between the halves everything goes, for nothing makes one wait for the other. */
export function possible(log: readonly string[]): boolean {
  return (
    log.length === halves.flat().length &&
    halves.every((half) => {
      const lines = log.filter((line) => half.some((pattern) => pattern.test(line)));
      return lines.length === half.length && half.every((pattern, i) => pattern.test(lines[i] ?? ""));
    })
  );
}
