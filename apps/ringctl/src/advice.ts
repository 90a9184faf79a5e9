const SEE_STATUS =
  '`ringctl status` shows which nodes are down and why; a cluster serves again once a majority of its voters runs';

/** What an operator does next, by the code of the error table; where the detail says it already, nothing. */
const ADVICE: Readonly<Record<string, string>> = {
  INVALID_LEADER: SEE_STATUS,
  NO_LEADER: SEE_STATUS,
  NOT_LEADER: 'the leadership has just moved: try again',
  NODE_UNREACHABLE: 'see that the node runs and that its address is right: `ringctl status`',
  COULD_NOT_FIND_VALID_CLUSTER: '`ringctl placement` shows which cluster owns which slots',
  OVERLOADED: 'wait a moment and try again; `ringctl check perf` shows what the clusters can do',
  TOO_MANY_REQUESTS: 'wait a moment and try again',
  SESSION_FULL: 'wait a moment and try again',
  TIMED_OUT: 'try again, with a longer --timeout if need be; `ringctl status` shows what is in the way',
  SHUTTING_DOWN: 'try again: another process answers, or this one once it has started again',
  QUARANTINED: '`ringctl status` shows the node; docs/operations.md says how to replace it',
  WOULD_LOSE_QUORUM: 'start the silent voters, or replace them one by one (`ringctl member replace`); then try again',
  OUTCOME_UNKNOWN:
    'it may have taken effect: look first (`ringctl get KEY`, `ringctl member list CLUSTER`), then decide',
  KEY_TOO_LONG: 'GET /v1/limits of the gateway tells how long a key may be',
  VALUE_TOO_LARGE:
    'GET /v1/limits of the gateway tells how large a value may be; split it, or raise valueBytesMax everywhere',
  PRECONDITION_FAILED: 'read the key again (`ringctl get KEY -o json` shows its revision) and decide anew',
  STORAGE_FULL: 'free or add disk space on the nodes of the cluster; deleting keys is still possible',
  UNSUPPORTED: 'the node is of an older version: upgrade it',
  INTERNAL: 'the log of the gateway or node that answered has the details',
};

/** Undefined when the error itself says all that is known. */
export function adviceFor(code: string): string | undefined {
  return ADVICE[code];
}
