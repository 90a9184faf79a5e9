import { FramePacing } from './frame-pacing.js';

const HOLD_MS_MIN = 20;

describe('when the next frame leaves', () => {
  let pacing: FramePacing;

  beforeEach(() => {
    pacing = new FramePacing(HOLD_MS_MIN);
  });

  it('is at once, as long as nothing is known', () => {
    expect(pacing.waitMs(1, 0)).toBe(0);
  });

  it('is when three quarters of the last one have collected again', () => {
    pacing.answered(40, 0, 16);
    expect(pacing.waitMs(29, 16)).toBeGreaterThan(0);
    expect(pacing.waitMs(30, 16)).toBe(0);
  });

  it('is at once for who is alone', () => {
    pacing.answered(1, 0, 16);
    expect(pacing.waitMs(1, 16)).toBe(0);
  });

  it('is no later than a quarter of what the last one took', () => {
    pacing.answered(40, 100, 116);
    expect(pacing.waitMs(1, 116)).toBe(4);
    expect(pacing.waitMs(1, 119)).toBe(1);
    expect(pacing.waitMs(1, 120)).toBe(0);
    expect(pacing.waitMs(1, 500)).toBe(0);
  });

  it('is no later than 10 ms after the answer, however long the last one took', () => {
    pacing.answered(40, 0, 5_000);
    expect(pacing.waitMs(1, 5_000)).toBe(10);
  });
});

describe('how long a frame without an answer holds the next one back', () => {
  it('is the bound that was given, as long as frames are faster', () => {
    const pacing = new FramePacing(HOLD_MS_MIN);
    expect(pacing.holdMs).toBe(HOLD_MS_MIN);
    for (let at = 0; at < 1_000; at += 2) pacing.answered(10, at, at + 2);
    expect(pacing.holdMs).toBe(HOLD_MS_MIN);
  });

  it('is twice what frames take of late', () => {
    const pacing = new FramePacing(HOLD_MS_MIN);
    for (let at = 0; at < 10_000; at += 50) pacing.answered(10, at, at + 50);
    expect(pacing.holdMs).toBeCloseTo(100, 1);
    for (let at = 10_000; at < 20_000; at += 15) pacing.answered(10, at, at + 15);
    expect(pacing.holdMs).toBeCloseTo(30, 1);
  });

  it('is 200 ms at the most', () => {
    const pacing = new FramePacing(HOLD_MS_MIN);
    pacing.answered(10, 0, 60_000);
    expect(pacing.holdMs).toBe(200);
  });
});
