import { type NetlinkConnection, NetlinkError, type RequestList, type WaitOptions } from '../core/index.js'

/**
 * Sends requests to delete, in few calls. What is gone by then, which the kernel tells with `gone`, is none of its
 * failures; of the others the first is thrown when all have been tried.
 */
export async function deleteAll(
  connection: NetlinkConnection,
  requests: RequestList,
  gone: string,
  { signal }: WaitOptions,
): Promise<void> {
  for (const failure of await connection.requestAll(requests, { signal })) {
    if (failure === undefined || (failure instanceof NetlinkError && failure.code === gone)) continue
    throw failure
  }
}
