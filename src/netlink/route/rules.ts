import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue, NetloomError, requireOptions } from '../../errors/index.js'
import { type NetlinkConnection, NetlinkError, NLM_F, type WaitOptions } from '../core/index.js'
import type { Change } from './change.js'
import { RTM } from './constants.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import {
  changeRuleRequest,
  listRulesRequest,
  type ResolvedRule,
  type Rule,
  type RuleOptions,
  readRule,
  ruleOfRequest,
  ruleOptionNames,
} from './rule.js'
import { settle } from './settle.js'

export interface RuleFilter {
  family?: IpFamily | undefined
  priority?: number | undefined
  table?: number | undefined
  protocol?: number | undefined
}

const replyBytes = 4096

/**
 * The rules of policy routing of one namespace. There is no `replace`: the kernel takes it as an order to add the
 * same rule once more.
 */
export class Rules {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** In the kernel's order: IPv4 first, each family by priority. */
  async list(filter?: RuleFilter & WaitOptions): Promise<Rule[]> {
    return listObjects(this.#connection, ...this.#listings(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: RuleFilter & WaitOptions): AsyncGenerator<Rule, void, undefined> {
    yield* streamObjects(this.#connection, ...this.#listings(filter))
  }

  #listings(filter: (RuleFilter & WaitOptions) | undefined): Listing<Rule>[] {
    const names = ['family', 'priority', 'table', 'protocol', 'signal'] as const
    const { family, priority, table, protocol, signal } = requireOptions('filter', filter, names)
    if (family !== undefined && family !== 4 && family !== 6) {
      throw invalidArgumentValue('filter.family', family, 'must be 4 or 6')
    }
    return (family === undefined ? ([4, 6] as const) : [family]).map(each => ({
      request: listRulesRequest(each),
      operation: 'list rules',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWRULE ? readRule(payload) : undefined),
      // A kernel without policy routing for the family.
      none: ['EAFNOSUPPORT', 'ENOTSUP'],
      passes: rule =>
        (priority === undefined || rule.priority === priority) &&
        (table === undefined || rule.table === table) &&
        (protocol === undefined || rule.protocol === protocol),
    }))
  }

  /**
   * @throws NetlinkError `EEXIST` when the same rule is there at the given priority: without one the kernel makes
   * another before it; TypeError, RangeError
   */
  async create(options: RuleOptions & WaitOptions): Promise<Rule> {
    const { signal, ...rest } = requireOptions('options', options, [...ruleOptionNames, 'signal'])
    const request = changeRuleRequest(
      RTM.NEWRULE,
      NLM_F.CREATE | NLM_F.EXCL | NLM_F.ECHO,
      await this.#resolve(rest),
    )
    let created: Rule | undefined
    await settle(
      () =>
        this.#connection.request(request, {
          operation: 'create rule',
          subject: describe(options),
          replyBytes,
          signal,
          onMessage: message => {
            if (message.type === RTM.NEWRULE) created ??= readRule(message.payload)
          },
        }),
      async () => {
        created ??= await this.#find(ruleOfRequest(request), rest, signal)
        return created !== undefined
      },
    )
    created ??= await this.#find(ruleOfRequest(request), rest, signal)
    if (!created) throw new NetloomError('ERR_INVALID_STATE', 'the rule was taken away meanwhile')
    return created
  }

  /** As {@link create}, but the same rule is accepted if it is there already; at any priority, if none is given. */
  async ensure(options: RuleOptions & WaitOptions): Promise<Rule> {
    const { signal, ...rest } = requireOptions('options', options, [...ruleOptionNames, 'signal'])
    const wanted = ruleOfRequest(changeRuleRequest(RTM.NEWRULE, 0, await this.#resolve(rest)))
    const found = await this.#find(wanted, rest, signal)
    if (found) return found
    try {
      return await this.create(options)
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== 'EEXIST') throw error
    }
    const other = await this.#find(wanted, rest, signal)
    if (!other) throw new NetloomError('ERR_INVALID_STATE', 'the rule was taken away meanwhile')
    return other
  }

  /** The first rule that is as described, which has to say more than a family. @throws NetlinkError `ENOENT` */
  async delete(options: RuleOptions & WaitOptions): Promise<void> {
    const { signal, ...rest } = requireOptions('options', options, [...ruleOptionNames, 'signal'])
    const { request, ...context } = ruleChange('delete', rest, await this.#resolve(rest))
    await this.#connection.request(request, { ...context, signal })
  }

  async #resolve({ inputLink, outputLink, ...rest }: RuleOptions): Promise<ResolvedRule> {
    const name = async (link: LinkReference | undefined) =>
      link === undefined || typeof link === 'string' ? link : (await this.#links.get(link)).name
    return { ...rest, inputLink: await name(inputLink), outputLink: await name(outputLink) }
  }

  /** As the kernel compares: who made it does not matter, nor its priority unless it was given. */
  async #find(
    wanted: Rule,
    options: RuleOptions,
    signal: AbortSignal | undefined,
  ): Promise<Rule | undefined> {
    const rules = await this.list({ family: wanted.family, priority: options.priority, signal })
    return rules.find(rule => comparable(rule) === comparable(wanted))
  }
}

function comparable(rule: Rule): string {
  const { priority, protocol, unresolved, inputDetached, outputDetached, raw, ...rest } = rule
  return JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}

/** `resolved`: the options, with the names of their links. @throws TypeError, RangeError */
export function ruleChange(verb: 'create' | 'delete', options: RuleOptions, resolved: ResolvedRule): Change {
  const { family: _, ...selectors } = options
  if (verb === 'delete' && Object.values(selectors).every(value => value === undefined)) {
    throw invalidArgumentValue(
      'options',
      options,
      'must say which rule: the first one is that of local addresses',
    )
  }
  const request =
    verb === 'create'
      ? changeRuleRequest(RTM.NEWRULE, NLM_F.CREATE | NLM_F.EXCL, resolved)
      : changeRuleRequest(RTM.DELRULE, 0, resolved)
  return { request, operation: `${verb} rule`, subject: describe(options) }
}

function describe({ priority, from, to, inputLink }: RuleOptions): string | undefined {
  if (priority !== undefined) return `${priority}`
  if (from !== undefined) return `from ${from}`
  if (to !== undefined) return `to ${to}`
  return inputLink === undefined ? undefined : `iif ${describeLink(inputLink)}`
}
