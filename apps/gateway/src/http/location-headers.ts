import type { Location } from '@app/placement';
import type { HttpReply } from './http-types.js';

/** Where the key lives, on every answer about it: also on the one that the error filter writes later. */
export function setLocationHeaders(reply: HttpReply, { cluster, slot, epoch }: Location): void {
  reply
    .header('Ringraft-Cluster', cluster.id)
    .header('Ringraft-Slot', String(slot))
    .header('Ringraft-Epoch', String(epoch));
}
