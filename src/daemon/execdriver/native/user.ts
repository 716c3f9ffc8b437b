/**
 * Who a container's process runs as: `user[:group]` looked up in the container's own files.
 *
 * @origin vendor/src/github.com/docker/libcontainer/user/user.go
 * @module
 */

import { BadRequestError } from "../../../errdefs/errdefs.ts";

/** The ids the process gets. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

const MAX_ID = 2 ** 31 - 1;
// A hostile image can carry an endless passwd: this many lines are looked at, the rest is ignored.
const MAX_LINES = 100_000;

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** As Go's Atoi with its error ignored. */
const number = (text: string | undefined) => (text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : 0);
const lines = (text: string) => text.split("\n", MAX_LINES).filter((line) => line !== "");

function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).map((line) => {
    const [name = "", , uid, gid] = line.split(":");
    return { name, uid: number(uid), gid: number(gid) };
  });
}

function parseGroup(text: string): GroupEntry[] {
  return lines(text).map((line) => {
    const [name = "", , gid, members = ""] = line.split(":");
    return { name, gid: number(gid), members: members === "" ? [] : members.split(",") };
  });
}

function parseId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  return inRange(Number(text));
}

function inRange(id: number): number {
  if (id < 0 || id > MAX_ID) throw new BadRequestError(`Uids and gids must be in range 0-${MAX_ID}`);
  return id;
}

/**
 * Finds the ids for a user specification. Numbers that no file knows are taken as they are; supplementary groups are
 * added only when no group was named.
 *
 * @param spec - `user[:group]`, names or numbers; "" is root
 * @param files - content of the container's /etc/passwd and /etc/group, "" for a missing one
 * @throws {BadRequestError} when a name is not found or a number is out of range
 * @origin vendor/src/github.com/docker/libcontainer/user/user.go GetUserGroupSupplementaryHome
 * @deviation A number is looked up as a uid only; 1.2.0 also takes a line whose *name* is that number, with whatever
 *   uid it carries (CVE-2016-3697). The range counts for ids of the files, too: the kernel takes −1 for "as it is".
 */
export function lookupUser(spec: string, files: { passwd: string; group: string }): UserIds {
  const { uid, gid, additionalGids } = find(spec, files);
  return { uid: inRange(uid), gid: inRange(gid), additionalGids: additionalGids.map(inRange) };
}

function find(spec: string, files: { passwd: string; group: string }): UserIds {
  const [userArg = "", groupArg = ""] = spec.split(":");
  const asNumber = userArg === "" ? 0 : parseId(userArg);
  const user = parsePasswd(files.passwd).find((entry) =>
    asNumber !== undefined ? entry.uid === asNumber : entry.name === userArg,
  );
  const uid = user?.uid ?? asNumber;
  if (uid === undefined) {
    throw new BadRequestError(`finalize namespace setup user get supplementary groups Unable to find user ${userArg}`);
  }
  const groups = groupArg !== "" || user?.name ? parseGroup(files.group) : [];
  if (groupArg !== "") {
    const groupNumber = parseId(groupArg);
    const group = groups.find((entry) =>
      groupNumber !== undefined ? entry.gid === groupNumber : entry.name === groupArg,
    );
    const gid = group?.gid ?? groupNumber;
    if (gid === undefined) {
      throw new BadRequestError(
        `finalize namespace setup user get supplementary groups Unable to find group ${groupArg}`,
      );
    }
    return { uid, gid, additionalGids: [] };
  }
  const name = user?.name;
  const additionalGids = name ? groups.filter((entry) => entry.members.includes(name)).map((entry) => entry.gid) : [];
  return { uid, gid: user?.gid ?? 0, additionalGids };
}
