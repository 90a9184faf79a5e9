import type { NodeId } from '../../entry.js';
import { exactly, wholeNumber, type Command } from './command.js';
import { parseSelector, type MessageSelector } from './message-selector.js';
import { ScenarioError } from './scenario-error.js';
import type { Stage } from './stage.js';

const selectorOf = (stage: Stage, words: readonly string[]): MessageSelector =>
  parseSelector(words, (id) => stage.group.nodes.has(id));

/** What `words` choose; a choice of nothing is a mistake in the script. */
function chosen(stage: Stage, words: readonly string[]): MessageSelector {
  const accept = selectorOf(stage, words);
  if (!stage.group.network.some(accept)) throw new ScenarioError('no such message is on its way');
  return accept;
}

const known = (stage: Stage, ids: readonly NodeId[]): readonly NodeId[] => ids.map((id) => stage.node(id).id);

/** What becomes of messages. */
export const networkCommands: Readonly<Record<string, Command>> = {
  deliver: {
    usage: 'deliver [FROM -> TO] [MESSAGE]',
    run(stage, args) {
      stage.deliver(chosen(stage, args));
    },
  },
  drop: {
    usage: 'drop [FROM -> TO] [MESSAGE]',
    run(stage, args) {
      const dropped = stage.take(chosen(stage, args));
      stage.tell(`lost: ${stage.describeNetwork(dropped)}`);
    },
  },
  hold: {
    usage: 'hold [FROM -> TO] [MESSAGE]',
    run(stage, args) {
      const held = stage.take(chosen(stage, args));
      stage.held.push(...held);
      stage.tell(`delayed: ${stage.describeNetwork(held)}`);
    },
  },
  duplicate: {
    usage: 'duplicate [FROM -> TO] [MESSAGE]',
    run(stage, args) {
      const copies = stage.group.network.filter(chosen(stage, args));
      stage.held.push(...copies);
      stage.tell(`a copy of each is delayed: ${stage.describeNetwork(copies)}`);
    },
  },
  release: {
    usage: 'release [FROM -> TO] [MESSAGE]',
    run(stage, args) {
      const accept = selectorOf(stage, args);
      const late = stage.held.filter(accept);
      if (late.length === 0) throw new ScenarioError('no such message is held');
      const rest = stage.held.filter((message) => !accept(message));
      stage.held.length = 0;
      stage.held.push(...rest);
      for (const message of late) stage.arrive(message);
    },
  },
  stabilize: {
    usage: 'stabilize',
    run(stage, args) {
      exactly(0, args);
      stage.stabilize();
    },
  },
  wait: {
    usage: 'wait TICKS',
    run(stage, args) {
      const ticks = wholeNumber(exactly(1, args)[0], 1);
      const wasQuiet = stage.isQuiet;
      stage.isQuiet = true;
      for (let i = 0; i < ticks; i++) {
        for (const node of stage.group.nodes.values()) if (node.isUp) node.raft.tick();
        stage.stabilize();
      }
      stage.isQuiet = wasQuiet;
    },
  },
  partition: {
    usage: 'partition NAME...',
    run(stage, args) {
      if (args.length === 0) throw new ScenarioError('nobody to cut off');
      const inside = known(stage, args);
      const outside = [...stage.group.nodes.keys()].filter((id) => !inside.includes(id));
      for (const id of inside) for (const other of outside) stage.group.cut(id, other);
    },
  },
  cut: {
    usage: 'cut FROM -> TO',
    run(stage, args) {
      const [from, to] = link(stage, args);
      stage.group.cutOneWay(from, to);
    },
  },
  heal: {
    usage: 'heal [FROM -> TO]',
    run(stage, args) {
      if (args.length === 0) stage.group.heal();
      else stage.group.heal(...link(stage, args));
    },
  },
};

function link(stage: Stage, args: readonly string[]): [NodeId, NodeId] {
  const [from, arrow, to] = exactly(3, args);
  if (arrow !== '->') throw new ScenarioError(`"${arrow}" stands where "->" is expected`);
  return [stage.node(from!).id, stage.node(to!).id];
}
