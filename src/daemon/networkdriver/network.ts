/**
 * What is wrong with a network somebody asked for.
 *
 * @origin daemon/networkdriver/network.go
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";

/** @origin daemon/networkdriver/network.go ErrNetworkOverlapsWithNameservers */
export class NetworkOverlapsWithNameserversError extends SystemError {
  /** The text is always the same. */
  constructor() {
    super("requested network overlaps with nameserver");
  }
}

/** @origin daemon/networkdriver/network.go ErrNetworkOverlaps */
export class NetworkOverlapsError extends SystemError {
  /** The text is always the same. */
  constructor() {
    super("requested network overlaps with existing network");
  }
}
