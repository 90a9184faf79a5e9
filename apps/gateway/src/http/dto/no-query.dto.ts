/** The query of a route that takes none. */
export class NoQuery {}
