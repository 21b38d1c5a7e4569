import { isNetloomError } from '../../errors/index.js'

const attempts = 8

/**
 * A change whose answer may be lost (`ERR_NETLINK_OVERFLOW`): then what there is tells whether it took effect, and if
 * it did not, it is asked for again, so that the kernel's own words are heard.
 *
 * @param change made anew for every attempt
 * @param tookEffect whether what there is now is what the change was to bring about; `undefined`: that cannot be told
 * @throws NetloomError `ERR_NETLINK_OVERFLOW` when the answers are lost time and again
 */
export async function settle(
  change: () => Promise<void>,
  tookEffect: () => Promise<boolean | undefined>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await change()
      return
    } catch (error) {
      if (!isNetloomError(error, 'ERR_NETLINK_OVERFLOW') || attempt === attempts) throw error
      const done = await tookEffect()
      if (done) return
      if (done === undefined) throw error
    }
  }
}
