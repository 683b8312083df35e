import { privateKeyToAccount } from 'viem/accounts'
import { keccak256 } from 'viem'
import web3 from '@solana/web3.js'
const pk = '0x' + '08'.padStart(0) + '0'.repeat(0)
const key = '0x08' + '00'.repeat(31)
const acc = privateKeyToAccount(key)
const out = { evm: [], solana: [] }
for (const tx of [
  { chainId: 11155111, nonce: 0, gas: 21000n, maxPriorityFeePerGas: 100000000n, maxFeePerGas: 2100000000n, to: '0x8ba1f109551bD432803012645Ac136ddd64DBA72', value: 1n },
  { chainId: 11155111, nonce: 127, gas: 21000n, maxPriorityFeePerGas: 0n, maxFeePerGas: 0n, to: '0x0000000000000000000000000000000000000001', value: 0n },
  { chainId: 84532, nonce: 128, gas: 21000n, maxPriorityFeePerGas: 1n, maxFeePerGas: 499000000000n, to: '0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF', value: 1234567890123456789012n },
]) {
  const signed = await acc.signTransaction({ ...tx, type: 'eip1559' })
  out.evm.push({ chainId: tx.chainId, nonce: tx.nonce, gas: Number(tx.gas), tip: tx.maxPriorityFeePerGas.toString(), fee: tx.maxFeePerGas.toString(), to: tx.to, value: tx.value.toString(), signed, hash: keccak256(signed) })
}
out.evmAddress = acc.address
const kp = web3.Keypair.fromSeed(new Uint8Array([7, ...new Array(31).fill(0)]))
for (const [to, lamports, recent] of [
  ['9jW8FPr6BSSsemWPV22UUCzSqkVdTp6HTyPqeqyuBbCa', 1, 'EETubP5AKHgjPAhzPAFcb8BAY1hMH639CWCFTqi3hq1k'],
  ['5B3k1LpZnAuUBh1RFxax7dUoAAMjcXbv5mDNWzy81caw', 1234567890123, '4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM'],
]) {
  const t = new web3.Transaction({ feePayer: kp.publicKey, recentBlockhash: recent })
  t.add(web3.SystemProgram.transfer({ fromPubkey: kp.publicKey, toPubkey: new web3.PublicKey(to), lamports }))
  const message = t.compileMessage().serialize()
  t.sign(kp)
  out.solana.push({ to, lamports, recent, message: Buffer.from(message).toString('hex'), transaction: t.serialize().toString('hex') })
}
out.solanaAddress = kp.publicKey.toBase58()
console.log(JSON.stringify(out, null, 1))
