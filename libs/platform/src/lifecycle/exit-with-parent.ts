/** The parts of `process` that this file uses. */
export interface ChildProcess {
  readonly pid: number;
  readonly stdin: {
    on(event: 'end' | 'close' | 'error', listener: () => void): unknown;
    resume(): unknown;
  };
  kill(pid: number, signal: 'SIGTERM'): unknown;
}

/**
 * Sends this process a SIGTERM when its stdin closes. A parent that keeps the other end of a pipe there thereby takes
 * its children with it however it ends, `kill -9` included.
 */
export function exitWithParent(self: ChildProcess = process): void {
  let isGone = false;
  const gone = (): void => {
    if (isGone) return;
    isGone = true;
    self.kill(self.pid, 'SIGTERM');
  };
  self.stdin.on('end', gone);
  self.stdin.on('close', gone);
  self.stdin.on('error', gone);
  self.stdin.resume();
}
