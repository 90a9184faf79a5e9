import type { KeyStep } from './shared-keys.js';
import { learn } from './shared-keys.js';

/** Reads, writes, and writes under the condition that the revision is the one last seen. */
export const registerStep: KeyStep = async (client, knowledge) => {
  const { target, revision } = knowledge;
  const draw = client.chance.fraction();
  if (draw < 0.45) return learn(knowledge, await client.read(target));
  const condition = draw < 0.65 ? {} : revision === undefined ? { ifAbsent: true as const } : { ifRevision: revision };
  return learn(knowledge, await client.write(target, knowledge.nextValue(), condition));
};

/** Keys that come and go: writes, creations, and deletions with and without a condition. */
export const deleteStep: KeyStep = async (client, knowledge) => {
  const { target, revision } = knowledge;
  const draw = client.chance.fraction();
  if (draw < 0.4) return learn(knowledge, await client.read(target));
  if (draw < 0.55) return learn(knowledge, await client.write(target, knowledge.nextValue()));
  if (draw < 0.7) return learn(knowledge, await client.write(target, knowledge.nextValue(), { ifAbsent: true }));
  const condition = draw < 0.85 || revision === undefined ? {} : { ifRevision: revision };
  return learn(knowledge, await client.delete(target, condition));
};
