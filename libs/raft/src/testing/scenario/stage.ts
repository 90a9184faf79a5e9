import type { LogIndex, NodeId } from '../../entry.js';
import type { Message } from '../../messages.js';
import type { RaftConfig } from '../../raft-config.js';
import { TestGroup } from '../group.js';
import { describeMessage, nameOf } from './describe-message.js';
import { describeChanges, roleOf, viewOf, type NodeView } from './node-view.js';
import { ScenarioError } from './scenario-error.js';

/** How one node starts, as the script's first lines say. */
export interface CastMember {
  terms: number[];
  currentTerm?: number;
  votedFor?: NodeId;
}

/** Waves of messages after which a group that still talks will never stop. */
const WAVES_MAX = 200;

/**
 * A group, and the account of what happens to it. It begins with the first command that is not about how it starts. Every step is
 * under the eyes of the group's `Invariants`.
 */
export class Stage {
  readonly cast = new Map<NodeId, CastMember>();
  readonly config: { -readonly [K in keyof RaftConfig]?: RaftConfig[K] } = {};
  /** Of the timeouts that nodes draw. */
  seed = 1;
  /** Whether nodes name their data directories: `S1/1`, and `S1/2` after its disk was lost. */
  hasIncarnations = false;
  /** Messages that a script keeps back. */
  readonly held: Message[] = [];
  /** Why the last command that asks for something was refused; undefined if it was not. */
  rejection: string | undefined;
  /** Messages are not told. */
  isQuiet = false;

  private built: TestGroup | undefined;
  private readonly seen = new Map<NodeId, NodeView>();
  private readonly disksLost = new Map<NodeId, number>();
  private lines: string[] = [];

  get hasBegun(): boolean {
    return this.built !== undefined;
  }

  get group(): TestGroup {
    if (this.cast.size === 0) throw new ScenarioError('there are no nodes yet; begin with "nodes S1 S2 S3"');
    return (this.built ??= this.build());
  }

  get views(): NodeView[] {
    return [...this.group.nodes.values()].map(viewOf);
  }

  view(id: NodeId): NodeView {
    return viewOf(this.node(id));
  }

  node(id: NodeId) {
    const node = this.group.nodes.get(id);
    if (node === undefined) throw new ScenarioError(`there is no node "${id}"`);
    return node;
  }

  upNode(id: NodeId) {
    const node = this.node(id);
    if (!node.isUp) throw new ScenarioError(`${id} is down`);
    return node;
  }

  /** The leader of the latest term, if there is one. */
  leader(): NodeId {
    const { leader } = this.group;
    if (leader === undefined) throw new ScenarioError('there is no leader to ask');
    return leader.id;
  }

  tell(line: string): void {
    this.lines.push(line);
  }

  /** What a node says to what it was asked for. */
  answer(rejection: string | undefined, detail = ''): void {
    this.rejection = rejection;
    if (rejection !== undefined) this.tell(`rejected: ${rejection}${detail === '' ? '' : ` (${detail})`}`);
  }

  /** What was told since this was last called. */
  takeLines(): string[] {
    const { lines } = this;
    this.lines = [];
    return lines;
  }

  /** Lets every node carry out what its core asks for, and tells what has changed. */
  settle(indent = ''): void {
    this.group.pump();
    for (const node of this.group.nodes.values()) {
      const after = viewOf(node);
      const before = this.seen.get(node.id);
      this.seen.set(node.id, after);
      if (before === undefined || !after.isUp || !before.isUp) continue;
      const entryAt = (index: LogIndex) => node.state.log.slice(index, index, Infinity)?.[0];
      const changes = describeChanges(before, after, entryAt);
      if (changes.length > 0) this.tell(`${indent}${node.id}: ${changes.join('; ')}`);
    }
  }

  /** Brings one message to its node, or loses it, and tells what comes of it. */
  arrive(message: Message): void {
    const { group } = this;
    const isLost = group.isCut(message.from, message.to) || !group.node(message.to).isUp;
    if (!this.isQuiet) this.tell(`${describeMessage(message)}${isLost ? ' (lost)' : ''}`);
    if (isLost) return;
    group.hand(message);
    this.settle(this.isQuiet ? '' : INDENT);
  }

  /** What `accept` chooses of the messages on their way arrives, in the order in which it was sent; the rest stays on its way. */
  deliver(accept: (message: Message) => boolean): void {
    for (const message of this.take(accept)) this.arrive(message);
  }

  /** Delivers until nobody has anything to say. */
  stabilize(): void {
    this.settle();
    for (let wave = 0; this.group.network.length > 0; wave++) {
      if (wave === WAVES_MAX) throw new ScenarioError(`still talking after ${WAVES_MAX} waves of messages`);
      this.deliver(() => true);
    }
  }

  /** Takes messages off the network. */
  take(accept: (message: Message) => boolean): Message[] {
    const { network } = this.group;
    const all = network.splice(0);
    network.push(...all.filter((message) => !accept(message)));
    return all.filter(accept);
  }

  /** What is on its way, in short. */
  describeNetwork(messages: readonly Message[] = this.group.network): string {
    const receivers = new Map<string, NodeId[]>();
    for (const message of messages) {
      const key = `${nameOf(message)}/${message.from}`;
      receivers.set(key, [...(receivers.get(key) ?? []), message.to]);
    }
    const senders = new Map<string, string[]>();
    for (const [key, to] of receivers) {
      const [name, from] = key.split('/') as [string, NodeId];
      const what = `${name}/${to.join(' ')}`;
      senders.set(what, [...(senders.get(what) ?? []), from]);
    }
    return [...senders]
      .map(([what, from]) => {
        const [name, to] = what.split('/');
        return `${name} ${from.join(' ')} -> ${to}`;
      })
      .join('; ');
  }

  /** A node has come back: from here on its changes are told again. */
  tellRestart(id: NodeId): void {
    const view = this.view(id);
    this.seen.set(id, view);
    this.tell(
      `${id}: ${roleOf(view)} in term ${view.term}${view.votedFor === undefined ? '' : `, has voted for ${view.votedFor}`}`,
    );
  }

  /** A node with an empty disk that waits for a log, new or in place of one that has lost its own. */
  addNode(id: NodeId): void {
    const disksLost = (this.disksLost.get(id) ?? -1) + 1;
    this.disksLost.set(id, disksLost);
    this.group.add(id, this.hasIncarnations ? { incarnation: incarnationOf(id, disksLost) } : {});
    this.seen.set(id, this.view(id));
  }

  private build(): TestGroup {
    const logs = Object.fromEntries(
      [...this.cast].map(([id, { terms, currentTerm, votedFor }]) => [
        id,
        { terms, currentTerm: currentTerm ?? terms.at(-1) ?? 0, votedFor },
      ]),
    );
    const ids = [...this.cast.keys()];
    const configs = this.hasIncarnations
      ? Object.fromEntries(ids.map((id) => [id, { incarnation: incarnationOf(id, 0) }]))
      : {};
    for (const id of ids) this.disksLost.set(id, 0);
    const group = new TestGroup(ids, { config: this.config, configs, logs, seed: this.seed });
    group.pump();
    for (const node of group.nodes.values()) this.seen.set(node.id, viewOf(node));
    return group;
  }
}

const INDENT = '    ';

const incarnationOf = (id: NodeId, disksLost: number): string => `${id}/${disksLost + 1}`;
