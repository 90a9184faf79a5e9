/** A terminal, a pipe or a file; a test gives one of its own. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** Where a command reads and writes. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Results, and nothing else: a script may parse it. */
  readonly stdout: OutputStream;
  /** Progress, errors, hints. */
  readonly stderr: OutputStream;
  /** Aborted by Ctrl-C or SIGTERM. Whoever waits for long listens, says what goes on without it, and ends. */
  readonly interrupted: AbortSignal;
}
