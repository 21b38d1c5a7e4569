import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../errors/index.js'
import { type LinkType, linkTypes } from '../frames/index.js'

/**
 * A link type of a capture file: the name where `frames` knows it, otherwise its number in the registry of LINKTYPE_
 * values (https://www.tcpdump.org/linktypes.html).
 */
export type FileLinkType = LinkType | number

const byNumber = new Map<number, LinkType>(
  Object.entries(linkTypes).map(([name, number]) => [number, name as LinkType]),
)

export function fileLinkType(number: number): FileLinkType {
  return byNumber.get(number) ?? number
}

/** @throws TypeError, RangeError for anything but a known name or 16 bits */
export function linkTypeNumber(linkType: FileLinkType): number {
  if (typeof linkType === 'number') return requireInteger('linkType', linkType, 0, 0xffff)
  if (typeof linkType !== 'string') throw invalidArgumentType('linkType', 'a string or a number', linkType)
  if (!Object.hasOwn(linkTypes, linkType))
    throw invalidArgumentValue('linkType', linkType, 'is not a known link type')
  return linkTypes[linkType]
}

/** Names of link types that are common in files beside those of `frames`. */
const otherNames: Readonly<Record<number, string>> = {
  3: 'ax25',
  6: 'ieee802.5',
  7: 'arcnet',
  8: 'slip',
  9: 'ppp',
  10: 'fddi',
  50: 'ppp-hdlc',
  51: 'ppp-ether',
  100: 'atm-rfc1483',
  104: 'cisco-hdlc',
  105: 'ieee802.11',
  107: 'frame-relay',
  114: 'localtalk',
  117: 'pflog',
  119: 'ieee802.11-prism',
  122: 'ip-over-fc',
  123: 'sunatm',
  127: 'ieee802.11-radiotap',
  129: 'arcnet-linux',
  138: 'apple-ip-over-ieee1394',
  139: 'mtp2-with-phdr',
  140: 'mtp2',
  141: 'mtp3',
  142: 'sccp',
  143: 'docsis',
  144: 'linux-irda',
  147: 'user0',
  162: 'user15',
  163: 'ieee802.11-avs',
  165: 'bacnet-ms-tp',
  166: 'ppp-pppd',
  169: 'gprs-llc',
  177: 'linux-lapd',
  187: 'bluetooth-hci-h4',
  189: 'usb-linux',
  192: 'ppi',
  195: 'ieee802.15.4',
  197: 'erf',
  201: 'bluetooth-hci-h4-with-phdr',
  202: 'ax25-kiss',
  203: 'lapd',
  209: 'ipmb-linux',
  215: 'ieee802.15.4-nonask-phy',
  220: 'usb-linux-mmapped',
  224: 'fc-2',
  226: 'ipnet',
  227: 'can-socketcan',
  230: 'ieee802.15.4-nofcs',
  231: 'dbus',
  239: 'nflog',
  240: 'netanalyzer',
  242: 'ipoib',
  247: 'infiniband',
  248: 'sctp',
  249: 'usbpcap',
  251: 'bluetooth-le-ll',
  252: 'wireshark-upper-pdu',
  253: 'netlink',
  254: 'bluetooth-linux-monitor',
  256: 'bluetooth-le-ll-with-phdr',
  258: 'pktap',
  266: 'usb-darwin',
  270: 'loratap',
  271: 'vsock',
  272: 'nordic-ble',
  274: 'ethernet-mpacket',
  283: 'ieee802.15.4-tap',
  288: 'usb-2.0',
}

/** What a link type is called; `linktype-…` with the number where no name is known. */
export function linkTypeName(linkType: FileLinkType): string {
  if (typeof linkType === 'string') return linkType
  return byNumber.get(linkType) ?? otherNames[linkType] ?? `linktype-${linkType}`
}
