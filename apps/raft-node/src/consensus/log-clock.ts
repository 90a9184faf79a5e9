import { Injectable } from '@nestjs/common';
import { StateMachine } from '@app/kv';

/**
 * The time that a leader stamps its entries with: milliseconds of the wall clock, but never before a stamp that is already
 * in the log or was given out. The state machine keeps the same rule, so a clock that steps back only stands still.
 */
@Injectable()
export class LogClock {
  private lastMs = 0;

  constructor(private readonly stateMachine: StateMachine) {}

  nowMs(): number {
    this.lastMs = Math.max(this.lastMs, this.stateMachine.logTimeMs, Date.now());
    return this.lastMs;
  }
}
