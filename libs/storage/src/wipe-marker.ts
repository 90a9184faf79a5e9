/** A file of this name in the directory of the log: the data directory was being wiped, and what is left of it is no node. */
export const WIPE_MARKER = 'wipe-unfinished';
