/** @internal What the name of a capture file says of what is in it. */
export interface NamedFormat {
  format: 'pcap' | 'pcapng' | undefined
  gzip: boolean
}

/** @internal `.pcap` and `.pcapng`, and `.gz` behind either or alone. */
export function formatOfName(path: string): NamedFormat {
  const [, format, gzip] = /(?:\.(pcapng|pcap))?(\.gz)?$/.exec(path)!
  return { format: format as NamedFormat['format'], gzip: gzip !== undefined }
}
