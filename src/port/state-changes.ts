import type { PortEvent, PortState } from './port.js'

/** The events that lead from one state to another. */
export function stateChanges(before: PortState, after: PortState): PortEvent[] {
  const events: PortEvent[] = []
  if (after.name !== before.name) events.push({ type: 'rename', name: after.name, previous: before.name })
  if (after.mtu !== before.mtu) events.push({ type: 'mtu', mtu: after.mtu, previous: before.mtu })
  if (after.macAddress !== before.macAddress && after.macAddress !== undefined) {
    events.push({ type: 'address', macAddress: after.macAddress, previous: before.macAddress })
  }
  if (after.up !== before.up) events.push({ type: after.up ? 'up' : 'down' })
  if (after.carrier !== before.carrier) events.push({ type: 'carrier', carrier: after.carrier })
  return events
}
