import { PlacementError } from '../placement-error.js';

/** The `PlacementError` that the act ends with; any other end is an error of the test. */
export function thrownBy(act: () => unknown): PlacementError {
  try {
    act();
  } catch (error) {
    if (error instanceof PlacementError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
