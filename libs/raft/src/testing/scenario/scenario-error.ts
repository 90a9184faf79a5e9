/** What is wrong with a script, or what does not happen in it as it expects. */
export class ScenarioError extends Error {
  override name = 'ScenarioError';
}

/** The script is sound, and something else happened than what it expects. */
export class ExpectationError extends ScenarioError {
  override name = 'ExpectationError';
}
