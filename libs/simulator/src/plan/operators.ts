import { recordOf, type NodeId } from '@app/raft';
import { UNITS_PER_TICK, type OperatorCommand } from '../observer.js';
import type { PendingCalls } from '../checks/pending-calls.js';
import type { WorldControl } from '../world-control.js';
import type { Fault } from './fault.js';
import type { MembershipGuard } from './membership-guard.js';

const ATTEMPTS_MAX = 12;
const RETRY_DELAY = 3 * UNITS_PER_TICK;

/** People who change the cluster: they ask whoever leads, and ask again when they are told to wait. */
export class Operators {
  constructor(
    private readonly world: WorldControl,
    private readonly calls: PendingCalls,
    private readonly guard: MembershipGuard,
    private readonly leader: () => NodeId | undefined,
    private readonly onJoined: (id: NodeId) => void,
    private readonly onPromotionAsked: (id: NodeId) => void,
  ) {}

  perform({ kind, node, other }: Fault, resolve: (node: NodeId) => NodeId | undefined): boolean {
    if ((kind === 'add' || kind === 'join') && node !== undefined) this.join(node);
    const subject = node === undefined ? undefined : resolve(node);
    if (subject === undefined) return false;
    switch (kind) {
      case 'add':
        return this.ask({ kind: 'add_learner', node: subject });
      case 'join': {
        const replaced = other === undefined ? undefined : resolve(other);
        return this.ask({ kind, node: subject, ...(replaced !== undefined && { replaced }) });
      }
      case 'move':
        return this.ask({ kind, node: subject, address: `${subject}:${this.world.now}` });
      case 'promote':
      case 'remove':
      case 'transfer':
        return this.ask({ kind, node: subject });
      case 'replace': {
        if (other === undefined) return false;
        this.join(other);
        this.ask({ kind: 'add_learner', node: other });
        // By then it may have caught up; if not, the leader refuses for a while.
        this.world.at(this.world.now + 10 * RETRY_DELAY, () =>
          this.ask({ kind: 'replace', remove: subject, promote: other }),
        );
        return true;
      }
      default:
        if (other === undefined) return false;
        this.join(other);
        this.ask({ kind: 'remove', node: subject });
        return this.ask({ kind: 'add_learner', node: other });
    }
  }

  private join(id: NodeId): void {
    if (this.world.ids.includes(id)) return;
    this.world.join(id);
    this.onJoined(id);
  }

  private ask(command: OperatorCommand, attempt = 0): boolean {
    const id = this.leader();
    if (attempt >= ATTEMPTS_MAX) return false;
    const again = (): void => this.world.at(this.world.now + RETRY_DELAY, () => void this.ask(command, attempt + 1));
    if (id === undefined) {
      again();
      return true;
    }
    if (!this.isHarmless(command, id)) return false;
    if (command.kind === 'promote') this.onPromotionAsked(command.node);
    if (command.kind === 'replace') this.onPromotionAsked(command.promote);
    const ended = this.calls.begin(id, `the change ${command.kind}`, this.world.now);
    this.world.node(id).operate(command, (outcome) => {
      ended();
      if (outcome.kind === 'rejected' && outcome.reason !== 'invalid') again();
    });
    return true;
  }

  private isHarmless(command: OperatorCommand, leader: NodeId): boolean {
    const { voters = [], joining } = this.world.node(leader).state?.configuration ?? {};
    switch (command.kind) {
      case 'remove':
        return this.guard.allows(voters.filter((id) => id !== command.node));
      case 'promote':
        return this.guard.allows([...voters.filter((id) => id !== recordOf(joining, command.node)), command.node]);
      case 'replace':
        return this.guard.allows([
          ...voters.filter((id) => id !== command.remove && id !== recordOf(joining, command.promote)),
          command.promote,
        ]);
      case 'join':
        // Nobody is asked once more before it becomes a voter.
        return !this.guard.isLost(command.node);
      default:
        return true;
    }
  }
}
