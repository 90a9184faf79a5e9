import type { InstallSnapshot, Message, NodeId } from '@app/raft';
import type { StateImage } from './durable-key-space.js';
import type { EventQueue, SimEvent } from './event-queue.js';
import { garbageLike } from './garbage.js';
import { UNITS_PER_TICK } from './observer.js';
import { SeededRandom } from './seeded-random.js';
import { MessageEvent, type Trace } from './trace.js';
import { goodLink, type LinkBehaviour } from './world-control.js';

/** How much later a copy may come. */
const DUPLICATE_DELAY_MAX = UNITS_PER_TICK * 2;
const REPLAY_DELAY_MAX = UNITS_PER_TICK * 100;

/** What a node is to the network. */
export interface NetworkEnd {
  readonly id: NodeId;
  /** False when nobody listens there. */
  receive(message: Message, incarnation: string): boolean;
  /** The process there; another one after a restart. */
  readonly listener: object | undefined;
  /** Nobody would have sent this. */
  receiveGarbage(message: Message): void;
  receiveSnapshot(message: InstallSnapshot, image: StateImage, incarnation: string): void;
  unreachable(id: NodeId): void;
  disconnected(id: NodeId): void;
}

/** One direction between two nodes. */
class Link {
  behaviour: LinkBehaviour = goodLink;
  /** What was sent before the last reset never arrives. */
  resets = 0;

  constructor(
    readonly from: NetworkEnd,
    readonly to: NetworkEnd,
    readonly random: SeededRandom,
  ) {}

  delay(): number {
    return this.random.nextInt(this.behaviour.delayMin, this.behaviour.delayMax);
  }
}

class Delivery implements SimEvent {
  private readonly resets: number;

  constructor(
    private readonly network: Network,
    readonly link: Link,
    readonly message: Message,
    readonly incarnation: string,
  ) {
    this.resets = link.resets;
  }

  run(): void {
    if (this.link.resets === this.resets) this.network.arrive(this);
  }
}

/** A part of something larger than a message, with what is to happen when it arrives. */
class Parcel implements SimEvent {
  private readonly resets: number;

  constructor(
    private readonly link: Link,
    private readonly onArrival: () => void,
  ) {
    this.resets = link.resets;
  }

  run(): void {
    if (this.link.resets === this.resets) this.onArrival();
  }
}

class Garbage implements SimEvent {
  constructor(
    private readonly to: NetworkEnd,
    private readonly message: Message,
  ) {}

  run(): void {
    this.to.receiveGarbage(this.message);
  }
}

class Notice implements SimEvent {
  constructor(
    private readonly end: NetworkEnd,
    private readonly about: NodeId,
    private readonly kind: 'unreachable' | 'disconnected',
  ) {}

  run(): void {
    this.end[this.kind](this.about);
  }
}

/** Directed links between all nodes, each with a behaviour and chance of its own. */
export class Network {
  private readonly ends = new Map<NodeId, NetworkEnd>();
  private readonly links = new Map<NodeId, Map<NodeId, Link>>();

  constructor(
    private readonly events: EventQueue,
    private readonly trace: Trace,
    private readonly seed: number,
  ) {}

  add(end: NetworkEnd): void {
    this.ends.set(end.id, end);
    this.links.set(end.id, new Map());
  }

  end(id: NodeId): NetworkEnd | undefined {
    return this.ends.get(id);
  }

  become(from: NodeId, to: NodeId, behaviour: Partial<LinkBehaviour>): void {
    const link = this.link(from, to);
    if (link !== undefined) link.behaviour = { ...link.behaviour, ...behaviour };
  }

  send(message: Message, incarnation: string): void {
    this.trace.message(MessageEvent.Sent, message);
    const link = this.link(message.from, message.to);
    if (link === undefined) return;
    const { behaviour, random } = link;
    if (random.happens(behaviour.garbage)) {
      this.events.schedule(this.events.now + link.delay(), new Garbage(link.to, garbageLike(message, random)));
    }
    if (behaviour.isCut || random.happens(behaviour.loss)) {
      this.trace.message(MessageEvent.Lost, message);
      return;
    }
    this.scheduleCopies(link, new Delivery(this, link, message, incarnation));
  }

  /** Brings a parcel over the link like a message: lost like one, and perhaps more than once. */
  carry(from: NodeId, to: NodeId, onArrival: () => void): void {
    const link = this.link(from, to);
    if (link === undefined || link.behaviour.isCut || link.random.happens(link.behaviour.loss)) return;
    this.scheduleCopies(link, new Parcel(link, onArrival));
  }

  arrive({ link, message, incarnation }: Delivery): void {
    if (link.to.receive(message, incarnation)) return;
    this.trace.message(MessageEvent.Lost, message);
    // The machine may refuse the connection, or be gone.
    if (link.random.happens(0.5)) this.notify(link.to.id, link.from.id, 'unreachable');
  }

  /** What is on its way is lost, and both ends notice. */
  reset(from: NodeId, to: NodeId): void {
    const link = this.link(from, to);
    if (link === undefined) return;
    link.resets += 1;
    this.events.schedule(this.events.now, new Notice(link.from, to, 'unreachable'));
    this.events.schedule(this.events.now, new Notice(link.to, from, 'disconnected'));
  }

  /** The process has ended and its machine has not: broken connections tell those that can be reached, mostly. */
  processEnded(id: NodeId): void {
    for (const other of this.ends.keys()) {
      if (other === id || this.link(id, other)?.random.happens(0.75) !== true) continue;
      this.notify(id, other, 'disconnected');
      this.notify(id, other, 'unreachable');
    }
  }

  private scheduleCopies(link: Link, arrival: SimEvent): void {
    const { now } = this.events;
    const { behaviour, random } = link;
    this.events.schedule(now + link.delay(), arrival);
    if (random.happens(behaviour.duplicate)) {
      this.events.schedule(now + link.delay() + random.nextInt(0, DUPLICATE_DELAY_MAX), arrival);
    }
    if (random.happens(behaviour.replay)) {
      this.events.schedule(now + random.nextInt(UNITS_PER_TICK, REPLAY_DELAY_MAX), arrival);
    }
  }

  private notify(about: NodeId, to: NodeId, kind: 'unreachable' | 'disconnected'): void {
    const link = this.link(about, to);
    if (link === undefined || link.behaviour.isCut) return;
    this.events.schedule(this.events.now + link.delay(), new Notice(link.to, about, kind));
  }

  private link(from: NodeId, to: NodeId): Link | undefined {
    const links = this.links.get(from);
    let link = links?.get(to);
    if (link !== undefined || links === undefined || from === to) return link;
    const [sender, receiver] = [this.ends.get(from)!, this.ends.get(to)];
    if (receiver === undefined) return undefined;
    link = new Link(sender, receiver, new SeededRandom(this.seed, `link ${from} ${to}`));
    links.set(to, link);
    return link;
  }
}
