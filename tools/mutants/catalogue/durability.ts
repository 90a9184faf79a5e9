import type { Mutant } from '../mutant.js';

const SNAPSHOTS = 'libs/raft/src/snapshots.ts';
const DISK = 'libs/storage/src/disk.ts';
const WRITE_AHEAD_LOG = 'libs/storage/src/write-ahead-log.ts';
const STATE_MACHINE = 'libs/kv/src/state-machine.ts';
const PROCESS = 'libs/simulator/src/process.ts';

/** Snapshots, the log on the disk, the state machine. What is of the simulator there is the twin of the real node's driver. */
export const DURABILITY_MUTANTS: readonly Mutant[] = [
  {
    name: 'compacts-beyond-the-checkpoint',
    breaks: 'i',
    edits: [
      {
        file: SNAPSHOTS,
        find: 'Math.min(index - retainedEntries, state.log.persistedIndex,',
        replace: 'Math.min(state.appliedIndex, state.log.persistedIndex,',
      },
    ],
    note: 'the log is forgotten before the state that replaces it is durable',
  },
  {
    name: 'old-snapshot-installed',
    breaks: 'i',
    edits: [{ file: SNAPSHOTS, find: 'if (index > state.commitIndex) {', replace: 'if (index > 0) {' }],
    note: 'a snapshot that comes late takes back what was committed since',
  },
  {
    name: 'conflicting-entry-kept-at-the-snapshot',
    breaks: 'i',
    edits: [
      {
        file: SNAPSHOTS,
        find: 'if (state.log.matches(index, term)) state.commitIndex = index;',
        replace: 'if (index <= state.log.lastIndex && term > 0) state.commitIndex = index;',
      },
    ],
    note: 'a log of another leader passes for the snapshot',
  },
  {
    name: 'snapshot-acknowledged-before-sync',
    breaks: 'e, i, promise before sync',
    edits: [{ file: SNAPSHOTS, find: 'ready.sendAfterPersist({', replace: 'ready.send({' }],
    note: 'a follower acknowledges a state that is not on its disk',
  },
  {
    name: 'snapshot-counts-as-synced-at-once',
    breaks: 'i, promise before sync',
    edits: [
      {
        file: 'libs/raft/src/log.ts',
        find: '    this.persisted = 0;\n    this.persistingThrough = 0;',
        replace: '    this.persisted = base.index;\n    this.persistingThrough = base.index;',
      },
    ],
    note: 'while a snapshot is being written, its index is claimed in answers to heartbeats',
  },
  {
    name: 'snapshot-with-a-later-configuration',
    breaks: 'i, stale configuration',
    edits: [
      {
        file: SNAPSHOTS,
        find: 'configuration: state.configurations.at(index) };',
        replace: 'configuration: { index: state.configurations.currentIndex, configuration: state.configuration } };',
      },
    ],
    note: 'a state names a configuration that may yet be taken back',
  },
  {
    name: 'snapshot-of-another-index-than-its-state',
    breaks: 'snapshot equals the fold of the log',
    edits: [
      {
        file: PROCESS,
        find: 'raft.snapshotStarted(to, image.index);',
        replace: 'raft.snapshotStarted(to, Math.max(image.index - 1, this.state!.log.base.index));',
      },
    ],
    note: 'the state that travels is later than its message says: an entry is applied twice',
  },
  {
    name: 'two-snapshots-mixed-up',
    breaks: 'i, snapshot equals the fold of the log',
    edits: [
      {
        file: PROCESS,
        find: 'const image = this.staged.get(nameOf(snapshot));',
        replace: 'const image = [...this.staged.values()].at(0);',
      },
    ],
    note: 'the state that came first is installed for a message that came later',
  },
  {
    name: 'interrupted-installation-not-repeated',
    breaks: 'i, w',
    edits: [
      {
        file: 'libs/simulator/src/recovery.ts',
        find: 'if (isInstalled && log.termAt(index) !== term) {',
        replace: 'if (isInstalled && log.lastIndex < 0) {',
      },
    ],
    note: 'after a crash between state and log of a snapshot the two do not fit',
  },
  {
    name: 'applied-index-ahead-of-the-data',
    breaks: 'w',
    edits: [
      {
        file: 'libs/simulator/src/durable-key-space.ts',
        find: 'this.synced = { rows, ...describedBy(this.unsynced[count - 1]!), isInstalled: false };',
        replace: 'this.synced = { rows, ...describedBy(this.unsynced.at(-1)!), isInstalled: false };',
      },
    ],
    note: 'the applied index is durable before the rows that it stands for: entries are skipped',
  },
  {
    name: 'retry-applied-again',
    breaks: 'l, exactly once',
    edits: [
      {
        file: STATE_MACHINE,
        find: '        return admission.answer;',
        replace: '        return encodeAnswer(this.execute(command));',
      },
    ],
    note: 'a retry is applied a second time',
  },
  {
    name: 'sessions-forgotten-on-restart',
    breaks: 'l, exactly once',
    edits: [{ file: STATE_MACHINE, find: '        this.sessions.restoreAnswers(row);\n', replace: '' }],
    note: 'after a restart, or a snapshot, a retry is applied a second time',
  },
  {
    name: 'answers-not-in-the-state',
    breaks: 'l, exactly once',
    edits: [
      {
        file: 'libs/kv/src/sessions.ts',
        find: '      this.changes.push({ key, value: page.count === 0 ? undefined : page.encode() });\n',
        replace: '',
      },
    ],
    note: 'what a session was answered does not move with the data',
  },
  {
    name: 'log-completes-before-sync',
    breaks: 'e, durable state lost',
    edits: [
      {
        file: DISK,
        find: '(error ? done(error) : file.sync(done))',
        replace: 'done(error)',
      },
    ],
    note: 'what the log calls durable is gone after a power loss',
  },
  {
    name: 'sync-error-ignored',
    breaks: 'k, durable state lost',
    edits: [
      {
        file: DISK,
        find: '(error ? done(error) : file.sync(done))',
        replace: '(error ? done(error) : file.sync(() => done(undefined)))',
      },
    ],
    note: 'after a failed sync the log goes on as if it had succeeded',
  },
  {
    name: 'checksum-ignored',
    breaks: 'k',
    edits: [
      {
        file: 'libs/storage/src/frame.ts',
        find: 'const isIntact = crc32(bytes.subarray(at + HEADER_BYTES, end - TRAILER_BYTES), header.headerChecksum) === checksum;',
        replace: 'const isIntact = checksum >= 0;',
      },
    ],
    note: 'a record that has changed on the disk is believed',
  },
  {
    name: 'damage-taken-for-the-end-of-the-log',
    breaks: 'k',
    edits: [
      {
        file: 'libs/storage/src/log-scan.ts',
        find: "    if (reading.state === 'damaged') return refuse(reading.reason);\n",
        replace: '',
      },
      { file: 'libs/storage/src/log-scan.ts', find: 'if (proof !== undefined) {', replace: 'if (proof === -1) {' },
    ],
    note: 'a damaged record, and all that was acknowledged behind it, is cut off like a torn tail',
  },
  {
    name: 'segment-removed-too-early',
    breaks: 'i, durable state lost',
    edits: [
      {
        file: WRITE_AHEAD_LOG,
        find: '(!oldest.isEmpty && oldest.lastIndex > through)',
        replace: '(!oldest.isEmpty && oldest.base.index >= through)',
      },
    ],
    note: 'a segment is removed with entries that are still needed',
  },
];
