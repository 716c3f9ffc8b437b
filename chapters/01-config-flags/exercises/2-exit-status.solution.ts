/** An answer to exercise 2. @module */

/** Usage that is asked for in the wrong way is an error (2); left-over arguments are not (0). */
export function predictions(): Record<string, number> {
  return {
    "-v": 0,
    "-d extra": 0,
    "--nope": 2,
    "-h": 2,
    "-d -H bogus": 2,
    "-v -d extra": 0,
    "-H :1 -H :2 ps": 1,
  };
}
