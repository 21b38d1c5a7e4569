import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { invalidArgumentType, invalidArgumentValue } from '../../../errors/index.js'

/** Bytes of every key: WG_KEY_LEN of include/uapi/linux/wireguard.h. */
export const keyLength = 32

/** RFC 8410: what stands before a private key of X25519 in PKCS #8. */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** A private key and its public one, in base64 as `wg` writes them. */
export interface WireguardKeys {
  readonly privateKey: string
  readonly publicKey: string
}

/** New keys for one end of a tunnel (X25519, RFC 7748). */
export function generateWireguardKeys(): WireguardKeys {
  const key = randomBytes(keyLength)
  key[0]! &= 248
  key[31] = (key[31]! & 127) | 64
  const privateKey = key.toString('base64')
  return { privateKey, publicKey: wireguardPublicKey(privateKey) }
}

/** The public key of a private one, both in base64. @throws TypeError */
export function wireguardPublicKey(privateKey: string): string {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, parseKey('privateKey', privateKey)]),
    format: 'der',
    type: 'pkcs8',
  })
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x!, 'base64url').toString('base64')
}

/** A new secret for two peers to share, in base64. */
export function generateWireguardPresharedKey(): string {
  return randomBytes(keyLength).toString('base64')
}

/** 32 bytes of base64, in its one canonical form. @throws TypeError */
export function parseKey(name: string, value: string): Uint8Array {
  // Not shown in errors: it may be a secret.
  if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', typeof value)
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== keyLength || bytes.toString('base64') !== value) {
    throw invalidArgumentValue(name, '…', 'must be 32 bytes in base64')
  }
  return bytes
}

export function formatKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
