/** `node:url` for a page. @module */

export const URL: typeof globalThis.URL = globalThis.URL;
export const URLSearchParams: typeof globalThis.URLSearchParams = globalThis.URLSearchParams;
