import type { TestProject } from 'vitest/node';
import { installExamples, NEXTJS } from '../support/install-examples.ts';

/** Packs the library as it is in the working tree, and installs it into a copy of the Next.js example. */
export default function installNextjs(project: TestProject): Promise<() => Promise<void>> {
  return installExamples(project, [NEXTJS]);
}
