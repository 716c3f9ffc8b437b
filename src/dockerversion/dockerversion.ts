/**
 * Which Docker this is.
 *
 * @origin dockerversion/dockerversion.go
 * @module
 */

/** The release whose behaviour this engine has. */
export const VERSION = "1.2.0";

/** The commit of that release, as `docker version` shows it. */
export const GITCOMMIT = "fa7b24f";

/** True for the release's single static binary, whose init is the binary itself. */
export const IAMSTATIC = true;

/** Checksum of a separate init binary; none with {@link IAMSTATIC}. */
export const INITSHA1 = "";
