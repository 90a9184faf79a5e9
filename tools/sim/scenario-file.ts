import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFaultKind, type Scenario } from '@app/simulator';

/** The file holds no scenario. */
export class ScenarioFileError extends Error {
  readonly code = 'INVALID_SCENARIO';

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
  }
}

/** Throws a `ScenarioFileError` that names the field at fault; what is inside a plan's parts is the writer's business. */
export function readScenario(path: string): Scenario {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScenarioFileError(path, (error as Error).message);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ScenarioFileError(path, `is no JSON: ${(error as Error).message}`);
  }
  const claim = (holds: boolean, field: string, allowed: string): void => {
    if (!holds) throw new ScenarioFileError(path, `${field} must be ${allowed}`);
  };
  claim(isObject(parsed), 'it', 'an object of name, check, seed and plan');
  const { name, check, seed, plan } = parsed as Record<string, unknown>;
  claim(typeof name === 'string', 'name', 'text');
  claim(typeof check === 'string', 'check', 'the name of a check');
  claim(Number.isSafeInteger(seed), 'seed', 'a whole number');
  claim(isObject(plan), 'plan', 'an object');
  const { ticks, cluster, workload, faults } = plan as Record<string, unknown>;
  claim(Number.isSafeInteger(ticks) && (ticks as number) >= 0, 'plan.ticks', 'a whole number from 0');
  claim(isObject(cluster), 'plan.cluster', 'an object');
  claim(isObject(workload), 'plan.workload', 'an object');
  claim(Array.isArray(faults), 'plan.faults', 'a list');
  (faults as unknown[]).forEach((fault, i) => {
    const kind = isObject(fault) ? fault['kind'] : undefined;
    claim(typeof kind === 'string' && isFaultKind(kind), `plan.faults[${i}].kind`, 'the name of a fault');
  });
  return parsed as Scenario;
}

/** Into `<dir>/<name>.json`; returns the path. */
export function writeScenario(dir: string, scenario: Scenario): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${scenario.name}.json`);
  writeFileSync(path, `${JSON.stringify(scenario, null, 2)}\n`);
  return path;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
