import { createHash, randomBytes } from 'node:crypto';

/** A process, as other processes know it. */
export interface ProcessIdentity {
  /** The same for processes that see each other's ids: one boot of a machine, one pid namespace. Empty: not known. */
  readonly world: string;
  readonly pid: number;
  /** When it was started, in a unit of its own. Empty: not known. */
  readonly startedAt: string;
}

/** What the name of one of our folders says. */
export interface FolderName {
  /** The exporter's name, escaped. */
  readonly exporter: string;
  /** `undefined`: anyone may have it. */
  readonly owner: ProcessIdentity | undefined;
}

/**
 * The owner is in the name, so that renaming a folder changes its owner in one step:
 * `traces.5f2c91e07ab34d18-4711-8812345.9f86d081884c.spool`, or `traces.free.9f86d081884c.spool`.
 */
const PATTERN = /^([\w%~-]+)\.(?:free|([0-9a-f]{16}|x)-(\d{1,10})-(\d{1,20}|x))\.[0-9a-f]{12}\.spool$/;
const LONGEST_NAME = 120;

/** A folder name that nobody has had yet. */
export function newFolderName(exporter: string, owner: ProcessIdentity | undefined): string {
  const token = owner === undefined ? 'free' : `${owner.world || 'x'}-${owner.pid}-${owner.startedAt || 'x'}`;
  return `${exporter}.${token}.${randomBytes(6).toString('hex')}.spool`;
}

/** @returns `undefined` if it is not one of our folders */
export function parseFolderName(name: string): FolderName | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const [, exporter = '', world, pid, startedAt] = match;
  if (world === undefined) return { exporter, owner: undefined };
  const known = (part: string | undefined): string => (part === undefined || part === 'x' ? '' : part);
  return { exporter, owner: { world: known(world), pid: Number(pid), startedAt: known(startedAt) } };
}

/** An exporter's name as a part of a file's name. */
export function escapeName(name: string): string {
  // Through bytes, because half a surrogate pair cannot be escaped.
  const escaped = encodeURIComponent(Buffer.from(name).toString()).replace(/[.!~*'()]/g, percentEncoded);
  if (escaped.length <= LONGEST_NAME) return escaped;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${escaped.slice(0, LONGEST_NAME - 17)}~${hash}`;
}

/** The exporter's name for people to read; of a long one the beginning. */
export function unescapeName(escaped: string): string {
  const [beginning = '', hash] = escaped.split('~');
  try {
    return decodeURIComponent(beginning) + (hash === undefined ? '' : '…');
  } catch {
    return escaped;
  }
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
