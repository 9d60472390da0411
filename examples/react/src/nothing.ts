/** In the place of a module that is named, and not used. */
export default function nothing(): void {}
