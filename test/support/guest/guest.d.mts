/** The kernels that tests can be run under, with their titles. */
export const guests: Readonly<Record<string, { title: string }>>
/** True, or why a guest cannot be started here. */
export function canRunGuest(name: string): true | string
