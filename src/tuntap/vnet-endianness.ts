import { control, driverAccepts } from './handle.js'

/** TUNSETVNETLE and TUNSETVNETBE. */
export function setEndianness(fd: number, name: string, order: 'native' | 'little' | 'big'): void {
  // At most one of the two can be set: unset before set.
  control(fd, name, 'TUNSETVNETLE', order === 'little' ? 1 : 0)
  if (order === 'big') control(fd, name, 'TUNSETVNETBE', 1)
}

/** With neither set, the byte order is that of virtio devices before 1.0: the machine's. */
export function readEndianness(fd: number, name: string): 'native' | 'little' | 'big' {
  if (control(fd, name, 'TUNGETVNETLE')) return 'little'
  return driverAccepts(fd, name, 'TUNGETVNETBE') && control(fd, name, 'TUNGETVNETBE') ? 'big' : 'native'
}
