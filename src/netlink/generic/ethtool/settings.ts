/** What a device can be asked of by ethtool netlink: include/uapi/linux/ethtool_netlink.h, one table for each. */
import {
  bool8,
  type Codec,
  field,
  list,
  macAddress,
  nest,
  reported,
  type Table,
  table,
  text,
  u8,
  u32,
  u64,
  word,
} from '../../core/index.js'
import { bitset } from './bitset.js'
import { ETH_SS, ETHTOOL_MSG } from './constants.js'

export const headerTable = table('ETHTOOL_A_HEADER_', {
  index: field(1, 'DEV_INDEX', u32),
  name: field(2, 'DEV_NAME', text),
  flags: field(3, 'FLAGS', u32),
})

const header = reported(1, 'HEADER', nest(headerTable))

/** Unknown speeds are left out. */
const speed: Codec<number | undefined> = {
  write: (writer, type, name, value) => writer.u32(type, name, value as number),
  read: cursor => {
    const value = cursor.u32()
    return value === 0xffff_ffff ? undefined : value
  },
  examples: [10, 100_000],
}

export interface SettingDefinition<T extends Table = Table> {
  readonly table: T
  readonly get: number
  /** `undefined` for what can only be read. */
  readonly set: number | undefined
  /** The message that tells of a change. */
  readonly notify: number | undefined
}

function setting<T extends Table>(
  get: number,
  set: number | undefined,
  notify: number | undefined,
  rows: T,
): SettingDefinition<T> {
  return { get, set, notify, table: rows }
}

export const ports = { tp: 0, aui: 1, mii: 2, fibre: 3, bnc: 4, da: 5, none: 0xef, other: 0xff } as const
export const crossovers = { invalid: 0, mdi: 1, 'mdi-x': 2, auto: 3 } as const
export const transceivers = { internal: 0, external: 1 } as const
export const duplexes = { half: 0, full: 1, unknown: 0xff } as const
export const roles = {
  unsupported: 0,
  unknown: 1,
  'master-preferred': 2,
  'slave-preferred': 3,
  'master-force': 4,
  'slave-force': 5,
} as const
export const roleStates = { unsupported: 0, unknown: 1, master: 2, slave: 3, err: 4 } as const
export const rateMatchings = { none: 0, pause: 1, crs: 2, 'open-loop': 3 } as const
export const linkProblems = {
  autoneg: 0,
  'link-training-failure': 1,
  'link-logical-mismatch': 2,
  'bad-signal-integrity': 3,
  'no-cable': 4,
  'cable-issue': 5,
  'eeprom-issue': 6,
  'calibration-failure': 7,
  'power-budget-exceeded': 8,
  overheat: 9,
  module: 10,
} as const
export const powerPolicies = { high: 1, auto: 2 } as const
export const powerModes = { low: 1, high: 2 } as const

const M = ETHTOOL_MSG

export const settings = {
  linkInfo: setting(
    M.LINKINFO_GET,
    M.LINKINFO_SET,
    M.LINKINFO_NTF,
    table('ETHTOOL_A_LINKINFO_', {
      header,
      port: field(2, 'PORT', word(u8, ports)),
      phyAddress: field(3, 'PHYADDR', u8),
      /** How the pairs are crossed, and how they shall be. */
      mdix: reported(4, 'TP_MDIX', word(u8, crossovers)),
      mdixControl: field(5, 'TP_MDIX_CTRL', word(u8, crossovers)),
      transceiver: reported(6, 'TRANSCEIVER', word(u8, transceivers)),
    }),
  ),
  linkModes: setting(
    M.LINKMODES_GET,
    M.LINKMODES_SET,
    M.LINKMODES_NTF,
    table('ETHTOOL_A_LINKMODES_', {
      header,
      autonegotiation: field(2, 'AUTONEG', bool8),
      /** Those that are supported; true are advertised. `1000baseT/Full`, `Pause`, … */
      modes: field(3, 'OURS', bitset(ETH_SS.LINK_MODES)),
      /** Those that the other end advertises. */
      peerModes: reported(4, 'PEER', bitset(ETH_SS.LINK_MODES)),
      /** Absent when it is not known. */
      speedMegabitsPerSecond: field(5, 'SPEED', speed),
      duplex: field(6, 'DUPLEX', word(u8, duplexes)),
      /** Who gives the clock. */
      role: field(7, 'MASTER_SLAVE_CFG', word(u8, roles)),
      roleState: reported(8, 'MASTER_SLAVE_STATE', word(u8, roleStates)),
      lanes: field(9, 'LANES', u32),
      rateMatching: reported(10, 'RATE_MATCHING', word(u8, rateMatchings)),
    }),
  ),
  linkState: setting(
    M.LINKSTATE_GET,
    undefined,
    undefined,
    table('ETHTOOL_A_LINKSTATE_', {
      header,
      linkDetected: reported(2, 'LINK', bool8),
      signalQuality: reported(3, 'SQI', u32),
      maxSignalQuality: reported(4, 'SQI_MAX', u32),
      /** Why there is none. */
      problem: reported(5, 'EXT_STATE', word(u8, linkProblems)),
      problemDetail: reported(6, 'EXT_SUBSTATE', u8),
      downCount: reported(7, 'EXT_DOWN_CNT', u32),
    }),
  ),
  debug: setting(
    M.DEBUG_GET,
    M.DEBUG_SET,
    M.DEBUG_NTF,
    table('ETHTOOL_A_DEBUG_', {
      header,
      /** What the driver writes to the kernel's log: `drv`, `probe`, `link`, …; those that are off are left out. */
      messages: field(2, 'MSGMASK', bitset(ETH_SS.MSG_CLASSES)),
    }),
  ),
  wakeOnLan: setting(
    M.WOL_GET,
    M.WOL_SET,
    M.WOL_NTF,
    table('ETHTOOL_A_WOL_', {
      header,
      /** Those that are supported: `phy`, `ucast`, `mcast`, `bcast`, `arp`, `magic`, … */
      modes: field(2, 'MODES', bitset(ETH_SS.WOL_MODES)),
      /** For `magicsecure`, written as a MAC address. */
      password: field(3, 'SOPASS', macAddress),
    }),
  ),
  privateFlags: setting(
    M.PRIVFLAGS_GET,
    M.PRIVFLAGS_SET,
    M.PRIVFLAGS_NTF,
    table('ETHTOOL_A_PRIVFLAGS_', {
      header,
      /** The driver's own. */
      flags: field(2, 'FLAGS', bitset(ETH_SS.PRIV_FLAGS)),
    }),
  ),
  rings: setting(
    M.RINGS_GET,
    M.RINGS_SET,
    M.RINGS_NTF,
    table('ETHTOOL_A_RINGS_', {
      header,
      rxMax: reported(2, 'RX_MAX', u32),
      rxMiniMax: reported(3, 'RX_MINI_MAX', u32),
      rxJumboMax: reported(4, 'RX_JUMBO_MAX', u32),
      txMax: reported(5, 'TX_MAX', u32),
      rx: field(6, 'RX', u32),
      rxMini: field(7, 'RX_MINI', u32),
      rxJumbo: field(8, 'RX_JUMBO', u32),
      tx: field(9, 'TX', u32),
      rxBufferLength: field(10, 'RX_BUF_LEN', u32),
      tcpDataSplit: field(11, 'TCP_DATA_SPLIT', word(u8, { unknown: 0, disabled: 1, enabled: 2 })),
      completionSize: field(12, 'CQE_SIZE', u32),
      txPush: field(13, 'TX_PUSH', bool8),
      rxPush: field(14, 'RX_PUSH', bool8),
      txPushBufferLength: field(15, 'TX_PUSH_BUF_LEN', u32),
      txPushBufferLengthMax: reported(16, 'TX_PUSH_BUF_LEN_MAX', u32),
    }),
  ),
  channels: setting(
    M.CHANNELS_GET,
    M.CHANNELS_SET,
    M.CHANNELS_NTF,
    table('ETHTOOL_A_CHANNELS_', {
      header,
      rxMax: reported(2, 'RX_MAX', u32),
      txMax: reported(3, 'TX_MAX', u32),
      otherMax: reported(4, 'OTHER_MAX', u32),
      combinedMax: reported(5, 'COMBINED_MAX', u32),
      rx: field(6, 'RX_COUNT', u32),
      tx: field(7, 'TX_COUNT', u32),
      other: field(8, 'OTHER_COUNT', u32),
      combined: field(9, 'COMBINED_COUNT', u32),
    }),
  ),
  coalesce: setting(
    M.COALESCE_GET,
    M.COALESCE_SET,
    M.COALESCE_NTF,
    table('ETHTOOL_A_COALESCE_', {
      header,
      rxUs: field(2, 'RX_USECS', u32),
      rxMaxFrames: field(3, 'RX_MAX_FRAMES', u32),
      rxIrqUs: field(4, 'RX_USECS_IRQ', u32),
      rxMaxFramesIrq: field(5, 'RX_MAX_FRAMES_IRQ', u32),
      txUs: field(6, 'TX_USECS', u32),
      txMaxFrames: field(7, 'TX_MAX_FRAMES', u32),
      txIrqUs: field(8, 'TX_USECS_IRQ', u32),
      txMaxFramesIrq: field(9, 'TX_MAX_FRAMES_IRQ', u32),
      statisticsBlockUs: field(10, 'STATS_BLOCK_USECS', u32),
      adaptiveRx: field(11, 'USE_ADAPTIVE_RX', bool8),
      adaptiveTx: field(12, 'USE_ADAPTIVE_TX', bool8),
      /** Below this many packets a second the values for low rates hold, and so on. */
      packetRateLow: field(13, 'PKT_RATE_LOW', u32),
      rxLowUs: field(14, 'RX_USECS_LOW', u32),
      rxMaxFramesLow: field(15, 'RX_MAX_FRAMES_LOW', u32),
      txLowUs: field(16, 'TX_USECS_LOW', u32),
      txMaxFramesLow: field(17, 'TX_MAX_FRAMES_LOW', u32),
      packetRateHigh: field(18, 'PKT_RATE_HIGH', u32),
      rxHighUs: field(19, 'RX_USECS_HIGH', u32),
      rxMaxFramesHigh: field(20, 'RX_MAX_FRAMES_HIGH', u32),
      txHighUs: field(21, 'TX_USECS_HIGH', u32),
      txMaxFramesHigh: field(22, 'TX_MAX_FRAMES_HIGH', u32),
      rateSampleIntervalSeconds: field(23, 'RATE_SAMPLE_INTERVAL', u32),
      completionModeTx: field(24, 'USE_CQE_MODE_TX', bool8),
      completionModeRx: field(25, 'USE_CQE_MODE_RX', bool8),
      txAggregationMaxBytes: field(26, 'TX_AGGR_MAX_BYTES', u32),
      txAggregationMaxFrames: field(27, 'TX_AGGR_MAX_FRAMES', u32),
      txAggregationUs: field(28, 'TX_AGGR_TIME_USECS', u32),
    }),
  ),
  pause: setting(
    M.PAUSE_GET,
    M.PAUSE_SET,
    M.PAUSE_NTF,
    table('ETHTOOL_A_PAUSE_', {
      header,
      autonegotiation: field(2, 'AUTONEG', bool8),
      rx: field(3, 'RX', bool8),
      tx: field(4, 'TX', bool8),
      statistics: reported(
        5,
        'STATS',
        nest(
          table(
            'ETHTOOL_A_PAUSE_STAT_',
            { txFrames: reported(2, 'TX_FRAMES', u64), rxFrames: reported(3, 'RX_FRAMES', u64) },
            1,
          ),
        ),
      ),
    }),
  ),
  energyEfficiency: setting(
    M.EEE_GET,
    M.EEE_SET,
    M.EEE_NTF,
    table('ETHTOOL_A_EEE_', {
      header,
      modes: field(2, 'MODES_OURS', bitset(ETH_SS.LINK_MODES)),
      peerModes: reported(3, 'MODES_PEER', bitset(ETH_SS.LINK_MODES)),
      active: reported(4, 'ACTIVE', bool8),
      enabled: field(5, 'ENABLED', bool8),
      txLowPower: field(6, 'TX_LPI_ENABLED', bool8),
      txLowPowerTimerUs: field(7, 'TX_LPI_TIMER', u32),
    }),
  ),
  timestamping: setting(
    M.TSINFO_GET,
    undefined,
    undefined,
    table('ETHTOOL_A_TSINFO_', {
      header,
      /** `software-transmit`, `hardware-receive`, … */
      capabilities: reported(2, 'TIMESTAMPING', bitset(ETH_SS.SOF_TIMESTAMPING)),
      txTypes: reported(3, 'TX_TYPES', bitset(ETH_SS.TS_TX_TYPES)),
      rxFilters: reported(4, 'RX_FILTERS', bitset(ETH_SS.TS_RX_FILTERS)),
      /** Number of the PTP hardware clock. */
      clock: reported(5, 'PHC_INDEX', u32),
    }),
  ),
  module: setting(
    M.MODULE_GET,
    M.MODULE_SET,
    M.MODULE_NTF,
    table('ETHTOOL_A_MODULE_', {
      header,
      powerPolicy: field(2, 'POWER_MODE_POLICY', word(u8, powerPolicies)),
      power: reported(3, 'POWER_MODE', word(u8, powerModes)),
    }),
  ),
} as const

/** As the kernel tells them; {@link Features} has them in order. */
export const featuresTable = table('ETHTOOL_A_FEATURES_', {
  header,
  hardware: reported(2, 'HW', bitset(ETH_SS.FEATURES)),
  wanted: field(3, 'WANTED', bitset(ETH_SS.FEATURES)),
  active: reported(4, 'ACTIVE', bitset(ETH_SS.FEATURES)),
  fixed: reported(5, 'NOCHANGE', bitset(ETH_SS.FEATURES)),
})

const stringTable = table('ETHTOOL_A_STRING_', {
  index: field(1, 'INDEX', u32),
  value: field(2, 'VALUE', text),
})

const stringSetTable = table('ETHTOOL_A_STRINGSET_', {
  id: field(1, 'ID', u32),
  count: field(2, 'COUNT', u32),
  strings: field(3, 'STRINGS', list(1, nest(stringTable))),
})

export const stringSetsTable = table('ETHTOOL_A_STRSET_', {
  header: field(1, 'HEADER', nest(headerTable)),
  sets: field(2, 'STRINGSETS', list(1, nest(stringSetTable))),
})
