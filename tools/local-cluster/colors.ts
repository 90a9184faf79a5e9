import pc from 'picocolors';

/** Colours for a terminal, plain text for a pipe or a file: picocolors alone also colours wherever `CI` is set. */
export function colorsFor(stream: { readonly isTTY?: boolean }): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}
