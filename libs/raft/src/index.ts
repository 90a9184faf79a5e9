export { EntryType, type Entry, type HardState, type LogIndex, type NodeId, type Term } from './entry.js';
