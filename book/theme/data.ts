/**
 * What the pages know about the site they stand in; written by the build, read by the layout.
 *
 * @module
 */

import type { Language } from "../../chapters/lib/live.ts";

/** A page in the navigation. */
export interface NavItem {
  readonly text: string;
  readonly url: string;
  /** `01`, for a chapter. */
  readonly number?: string;
}

/** The navigation of one language. */
export interface Nav {
  readonly chapters: readonly NavItem[];
  readonly reference: readonly NavItem[];
}

/** Handed to the layout as VitePress's `themeConfig`. */
export interface SiteData {
  readonly nav: Readonly<Record<Language, Nav>>;
  /** Packages of the API. */
  readonly packages: readonly NavItem[];
  /** Addresses that exist in both languages, in English. */
  readonly twins: readonly string[];
}

/** A page's own data, from its front matter. */
export interface PageFront {
  readonly kind?: "chapter" | "page" | "home" | "api";
  readonly chapter?: string;
  readonly package?: string;
  readonly outline?: readonly { readonly level: number; readonly text: string; readonly id: string }[];
  readonly sourceFile?: string;
}

/** The language of an address. */
export function languageOf(path: string): Language {
  return /^\/zh(?:\/|$)/.test(path) ? "zh" : "en";
}

/** The same page in the other language. */
export function twinOf(path: string): string {
  const plain = path.replace(/[?#].*$/, "");
  return languageOf(plain) === "zh" ? plain.replace(/^\/zh/, "") || "/" : `/zh${plain}`;
}
