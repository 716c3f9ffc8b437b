/** An answer to exercise 3. @module */

/** What hands out connections, one for each call. */
export interface Listener<Connection> {
  accept(): Promise<Connection>;
}

/** The inner listener is not even asked before the gate opens: those who come wait in the kernel's queue. */
export function buffered<Connection>(inner: Listener<Connection>, activate: Promise<void>): Listener<Connection> {
  return {
    async accept() {
      await activate;
      return inner.accept();
    },
  };
}
