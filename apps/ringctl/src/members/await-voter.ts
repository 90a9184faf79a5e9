import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { JoinProgress } from './join-progress.js';
import { isFinal, joinStateOf, joinStateText, type JoinState } from './join-state.js';

const POLL_INTERVAL_MS = 300;

export interface Newcomer {
  readonly cluster: string;
  readonly nodeId: string;
  readonly address: string;
  /** The voter whose place it takes. */
  readonly replaced?: string;
}

/**
 * Shows how the newcomer catches up, until it is a voter, or stays what it is. Gives what it is then. Throws a `CommandFailure` after
 * `timeoutMs`, and when interrupted: it goes on by itself.
 */
export async function awaitVoter(context: CommandContext, newcomer: Newcomer, timeoutMs: number): Promise<JoinState> {
  const { cluster, nodeId, address, replaced } = newcomer;
  const { interrupted, stderr } = context.io;
  const progress = new JoinProgress(stderr, nodeId, address);
  const deadline = performance.now() + timeoutMs;
  try {
    for (;;) {
      const state = await stateOf(context, cluster, nodeId, replaced);
      progress.show(state);
      if (isFinal(state)) return state;
      if (performance.now() >= deadline) {
        throw stillOnItsWay(
          EXIT.UNKNOWN,
          `after ${timeoutMs / 1_000} s, ${nodeId} ${joinStateText(state, address)}`,
          cluster,
        );
      }
      await delay(POLL_INTERVAL_MS, undefined, { signal: interrupted });
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    throw stillOnItsWay(EXIT.INTERRUPTED, `interrupted: ${nodeId} goes on without us`, cluster);
  } finally {
    progress.stop();
  }
}

async function stateOf(
  context: CommandContext,
  cluster: string,
  nodeId: string,
  replaced?: string,
): Promise<JoinState> {
  try {
    return joinStateOf(await context.cluster(cluster), nodeId, replaced);
  } catch (error) {
    // Whoever we ask may be restarted meanwhile; the deadline ends it.
    if (error instanceof CommandFailure && error.exitCode === EXIT.UNAVAILABLE) return { kind: 'no_leader' };
    throw error;
  }
}

function stillOnItsWay(
  exitCode: typeof EXIT.UNKNOWN | typeof EXIT.INTERRUPTED,
  message: string,
  cluster: string,
): CommandFailure {
  return new CommandFailure(exitCode, message, {
    outcome: 'unknown',
    hint: `the change is made, and it becomes a voter by itself: \`ringctl member list ${cluster}\` shows how far it is`,
  });
}
