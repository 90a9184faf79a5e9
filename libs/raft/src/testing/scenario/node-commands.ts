import { exactly, wholeNumber, type Command } from './command.js';
import { nodeTable } from './node-table.js';
import { ExpectationError, ScenarioError } from './scenario-error.js';
import type { Stage } from './stage.js';

const one = (args: readonly string[]): string => exactly(1, args)[0]!;

/** What happens to a node, or is asked of it. */
export const nodeCommands: Readonly<Record<string, Command>> = {
  campaign: {
    usage: 'campaign NAME',
    run(stage, args) {
      stage.upNode(one(args)).raft.campaign();
      stage.settle();
    },
  },
  elect: {
    usage: 'elect NAME',
    run(stage, args) {
      const node = stage.upNode(one(args));
      const wasQuiet = stage.isQuiet;
      stage.isQuiet = true;
      node.raft.campaign();
      stage.stabilize();
      stage.isQuiet = wasQuiet;
      if (node.role !== 'leader') throw new ExpectationError(`${node.id} was not elected, it is ${node.role}`);
    },
  },
  tick: {
    usage: 'tick NAME [COUNT]',
    run(stage, [id, ...rest]) {
      const node = stage.upNode(id ?? '');
      const count = rest.length === 0 ? 1 : wholeNumber(one(rest), 1);
      for (let i = 0; i < count; i++) {
        node.raft.tick();
        stage.settle();
      }
    },
  },
  propose: {
    usage: 'propose NAME COMMAND...',
    run(stage, [id, ...texts]) {
      const node = stage.upNode(id ?? '');
      if (texts.length === 0) throw new ScenarioError('nothing to propose');
      const result = stage.group.propose(node.id, ...texts);
      stage.answer(result.accepted ? undefined : result.reason);
      stage.settle();
    },
  },
  read: {
    usage: 'read NAME [lease]',
    run(stage, [id, ...rest]) {
      if (rest.length > 0 && one(rest) !== 'lease') throw new ScenarioError(`"${rest[0]}" is no way to read`);
      const node = stage.upNode(id ?? '');
      const context = stage.group.read(node.id, rest.length > 0 ? 'lease' : 'read_index');
      stage.tell(`read ${context} begins at ${node.id}`);
      stage.settle();
    },
  },
  crash: {
    usage: 'crash NAME [STEPS]',
    run(stage, [id, ...rest]) {
      const steps = rest.length === 0 ? 0 : wholeNumber(one(rest));
      stage.group.crash(stage.upNode(id ?? '').id, steps);
      stage.settle();
    },
  },
  restart: {
    usage: 'restart NAME',
    run(stage, args) {
      const node = stage.node(one(args));
      if (node.isUp) throw new ScenarioError(`${node.id} is not down`);
      stage.group.restart(node.id);
      stage.tellRestart(node.id);
      stage.settle();
    },
  },
  slow: {
    usage: 'slow disk|apply|transfers NAME',
    run(stage, args) {
      setSlow(stage, args, true);
    },
  },
  fast: {
    usage: 'fast disk|apply|transfers NAME',
    run(stage, args) {
      setSlow(stage, args, false);
    },
  },
  sync: {
    usage: 'sync NAME',
    run(stage, args) {
      const node = stage.upNode(one(args));
      if (node.writing === undefined) throw new ScenarioError(`the disk of ${node.id} has nothing to write`);
      node.completePersist();
      stage.settle();
    },
  },
  checkpoint: {
    usage: 'checkpoint NAME',
    run(stage, args) {
      const node = stage.upNode(one(args));
      node.checkpoint();
      stage.tell(`${node.id}: its state up to ${node.applied.length} is durable without the log`);
      stage.settle();
    },
  },
  send: {
    usage: 'send state NAME',
    run(stage, args) {
      const node = nodeWithState(stage, args);
      if (node.requests.length === 0) throw new ScenarioError(`nobody needs the state of ${node.id}`);
      node.startTransfer();
      stage.settle();
    },
  },
  end: {
    usage: 'end state NAME delivered|failed',
    run(stage, args) {
      const outcome = args.at(-1);
      if (outcome !== 'delivered' && outcome !== 'failed')
        throw new ScenarioError('was it delivered, or has it failed?');
      const node = nodeWithState(stage, args.slice(0, -1));
      if (node.transfers.length === 0) throw new ScenarioError(`${node.id} is sending no state`);
      node.endTransfer(outcome === 'delivered');
      stage.settle();
    },
  },
  show: {
    usage: 'show [NAME...]',
    run(stage, args) {
      for (const id of args) stage.node(id);
      for (const line of nodeTable(stage.views.filter(({ id }) => args.length === 0 || args.includes(id)))) {
        stage.tell(line);
      }
    },
  },
};

function nodeWithState(stage: Stage, args: readonly string[]) {
  const [what, id] = exactly(2, args);
  if (what !== 'state') throw new ScenarioError(`"${what}" stands where "state" is expected`);
  return stage.upNode(id!);
}

function setSlow(stage: Stage, args: readonly string[], isSlow: boolean): void {
  const [what, id] = exactly(2, args);
  const node = stage.upNode(id!);
  if (what === 'disk') node.isDiskSlow = isSlow;
  else if (what === 'apply') node.isApplySlow = isSlow;
  else if (what === 'transfers') node.areTransfersSlow = isSlow;
  else throw new ScenarioError(`"${what}" is none of disk, apply, transfers`);
  if (what === 'disk' && !isSlow) {
    if (node.writing !== undefined) node.completePersist();
    while (node.fetches.length > 0) node.completeFetch();
  }
  stage.settle();
}
