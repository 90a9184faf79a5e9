/**
 * The unit in which a disk writes: after a power loss each sector holds either its new or its old content. Every disk in use
 * promises at least this (larger physical sectors are multiples of it).
 */
export const SECTOR_BYTES = 512;
