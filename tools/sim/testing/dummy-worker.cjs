// Answers like a seed worker, but for seed 2, which it never ends, and seed 3, which ends it.
process.on('disconnect', () => process.exit());
process.on('message', ({ seed }) => {
  if (seed === 2) return;
  if (seed === 3) {
    process.stderr.write('out of luck');
    process.exit(7);
  }
  process.send({ seed, pid: process.pid });
});
