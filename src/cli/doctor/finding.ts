/** What is so, what is not, and what could not be found out. */
export type Answer = 'yes' | 'no' | 'unknown'

export interface Finding {
  /** What it is about, and stays the same from version to version: `tun.open`. */
  readonly id: string
  readonly question: string
  readonly answer: Answer
  readonly reason: string
  /** What would help, where something would. */
  readonly advice?: string | undefined
}

/** Text that was read, or why not: the code of an error. */
export type Reading = { readonly text: string } | { readonly code: string }

/** Where findings come from: the system, or what a test says of one. Nothing is written. */
export interface System {
  readonly uid: number
  read(path: string): Reading
  /** `undefined` where there is nothing. */
  mode(path: string): number | undefined
  /** Whether this process may open it to read and write; the code of the refusal otherwise. */
  open(path: string): true | string
}
