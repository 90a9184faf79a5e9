/**
 * How an asynchronous step ends: exactly one call, with an error or with a result. The log runs on completions and not on
 * promises so that a simulator can decide, step by step, which I/O ends when; promises would hand that order to the runtime.
 */
export type Done = (error: Error | undefined) => void;

/** Like `Done`, with a result. `if (error) ...` narrows the result. */
export type DoneWith<T> = (...outcome: [error: Error, result: undefined] | [error: undefined, result: T]) => void;

/** For the outer edge, where promises are welcome: `await promised<void>((done) => log.append(batch, done))`. */
export function promised<T = void>(start: (done: (error: Error | undefined, result?: T) => void) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error);
      else resolve(result as T);
    });
  });
}
