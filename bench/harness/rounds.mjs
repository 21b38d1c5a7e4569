/**
 * Runs candidates in turn, round after round (ABAB…), so that what disturbs the machine disturbs all of them.
 * Returns the results of each, by name; warm-up rounds are left out.
 */
export async function interleave(rounds, warmUps, candidates) {
  const results = Object.fromEntries(Object.keys(candidates).map(name => [name, []]))
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, measure] of Object.entries(candidates)) {
      const result = await measure()
      if (round >= 0) results[name].push(result)
    }
  }
  return results
}
