import type { UserConfig } from 'tsdown';

export function slim(names: {
  readonly root: string;
  readonly entries: readonly string[];
  readonly outsiders: readonly string[];
  isInside(file: string, type: string | undefined): boolean;
  readonly reached: ReadonlySet<string>;
}): NonNullable<UserConfig['plugins']>;
